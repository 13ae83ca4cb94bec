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
