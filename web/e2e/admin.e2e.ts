import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import * as drive from './drive';
import { type Server, startServer } from './server';

let browser: Browser;
let server: Server;

beforeAll(async () => {
  browser = await drive.launch();
  server = await startServer();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

const errors: string[] = [];
afterEach(() => {
  expect(errors.splice(0)).toEqual([]);
});

test('users, groups and the site are changed, and who did it can be read', async () => {
  const page = await drive.open(browser, { errors });
  await drive.signIn(page, server.url);
  await page.goto(`${server.url}/admin/groups`);
  await page.getByRole('button', { name: 'Add a group' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Dockers');
  await page.getByLabel('Room').fill('5 GB');
  await page.getByLabel('Days in the trash').fill('3');
  await page.getByLabel('Versions kept of a file').fill('0');
  await page.getByText('Write a whole number, 1 or more.').waitFor();
  await page.getByLabel('Versions kept of a file').fill('4');
  await page.getByLabel('May make direct links').check();
  await drive.expectAccessible(page);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').last().waitFor();
  await page.getByRole('button', { name: 'Edit Dockers' }).click();
  expect(await page.getByLabel('Days in the trash').inputValue()).toBe('3');
  expect(await page.getByLabel('Versions kept of a file').inputValue()).toBe('4');
  expect(await page.getByLabel('May make direct links').isChecked()).toBe(true);
  expect(await page.getByLabel('May share links').isChecked()).toBe(false);
  await page.getByRole('button', { name: 'Cancel' }).click();

  await page.getByRole('link', { name: 'Users' }).click();
  await page.getByRole('button', { name: 'Add a user' }).click();
  await page.getByLabel('E-mail').fill('bob@example.test');
  await page.getByLabel('Group').selectOption('Dockers');
  await page.getByLabel('New password').fill('another battery staple');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').last().waitFor();
  const bob = await drive.open(browser);
  await drive.signIn(bob, server.url, '/', {
    email: 'bob@example.test',
    password: 'another battery staple',
  });
  await bob.getByText('of 5 GB used').waitFor();

  await page.getByRole('button', { name: 'Edit bob@example.test' }).click();
  await page.getByLabel('May sign in').uncheck();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('may not sign in').waitFor();
  await bob.reload();
  await bob.getByRole('heading', { name: 'Sign in' }).waitFor();
  await bob.context().close();
  await page.getByRole('button', { name: 'Edit bob@example.test' }).click();
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('“bob@example.test” is gone.').waitFor();

  await page.getByRole('link', { name: 'Site' }).click();
  await page.getByLabel('Name of the site').fill('The Quay');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').last().waitFor();
  await page.getByText('This server').waitFor();
  await drive.expectAccessible(page);

  await page.getByRole('link', { name: 'Changes' }).click();
  await page.getByText('Dockers').first().waitFor();
  await drive.expectAccessible(page);
  await page.context().close();
});

test('an upload that is stuck is ended for everybody', async () => {
  const api = await new drive.Api(server.url).signIn();
  await api.call('PUT', '/file/upload', { uri: drive.uriOf('stuck.bin'), size: 1000 });
  const page = await drive.open(browser, { errors });
  await drive.signIn(page, server.url);
  await page.goto(`${server.url}/admin/uploads`);
  await page.getByText('stuck.bin').waitFor();
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('Nothing is under way.').waitFor();
  expect(await api.uploads()).toEqual([]);
  await page.context().close();
});

test('administrators find files, contents, and the work behind a large copy', async () => {
  const api = await new drive.Api(server.url).signIn();
  await api.put(drive.uriOf('docs', 'pier.txt'), 'sixteen bytes ok');
  const folder = (...path: string[]) =>
    api.call('POST', '/file/create', { type: 'folder', uri: drive.uriOf(...path) });
  for (let i = 0; i < 1001; i++) await folder('many', String(i));
  await folder('there');
  await api.call('POST', '/file/move', {
    uris: [drive.uriOf('many')],
    dst: drive.uriOf('there'),
    copy: true,
  });

  const page = await drive.open(browser, { errors });
  await drive.signIn(page, server.url);
  await page.goto(`${server.url}/admin/files`);
  await page.getByLabel('Find by name').fill('pier');
  await page.getByText('pier.txt').waitFor();
  await page.getByText('16 B · ').waitFor();
  await drive.expectAccessible(page);

  await page.getByRole('link', { name: 'Contents' }).click();
  await page.getByText('Default storage policy').first().waitFor();
  await page.getByLabel('Only damaged ones').check();
  await page.getByText('Nothing is known to be damaged.').waitFor();

  await page.getByRole('link', { name: 'Work' }).click();
  await page.getByText('Copy of “many”').waitFor();
  await page.getByText('done').waitFor();
  await drive.expectAccessible(page);
  await page.context().close();
});

test('work that goes on is shown with its progress and can be cancelled', async () => {
  const page = await drive.open(browser, { errors });
  // Work that lasts until it is cancelled, as no test would wait for it.
  let status = 'processing';
  await page.route('**/api/v4/workflow?*', (route) =>
    route.fulfill({
      json: {
        code: 0,
        msg: '',
        data: {
          pagination: { page: 0, page_size: 50 },
          tasks: [
            {
              id: 'w1',
              created_at: '2030-01-01T00:00:00Z',
              updated_at: '2030-01-01T00:00:00Z',
              status,
              type: 'copy',
              summary: { props: { src: 'cloudreve://my/atlas', dst: 'cloudreve://my/there' } },
              progress: { current: 250, total: 1000 },
              cancelable: status === 'processing',
              retry_count: 0,
            },
          ],
        },
      },
    }),
  );
  await page.route('**/api/v4/workflow/w1', (route) => {
    expect(route.request().method()).toBe('DELETE');
    status = 'canceled';
    return route.fulfill({ json: { code: 0, msg: '' } });
  });
  await drive.signIn(page, server.url);
  await page.getByRole('button', { name: 'Transfers' }).click();
  const work = page.getByRole('region', { name: 'In the background' });
  await work.getByText('goes on · 250 of 1,000').waitFor();
  await drive.expectAccessible(page);
  await work.getByRole('button', { name: 'Cancel: Copy of “atlas”' }).click();
  await work.waitFor({ state: 'detached' });
  await page.context().close();
});
