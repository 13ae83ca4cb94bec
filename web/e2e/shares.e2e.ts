import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import * as drive from './drive';
import { type Server, startServer } from './server';

let browser: Browser;
let server: Server;
let api: drive.Api;

beforeAll(async () => {
  browser = await drive.launch();
  server = await startServer();
  api = await new drive.Api(server.url).signIn();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

const errors: string[] = [];
afterEach(() => {
  expect(errors.splice(0)).toEqual([]);
});

test('a link with a password is made, opened by a stranger, and ended', async () => {
  await api.put(drive.uriOf('given', 'in', 'letter.txt'), 'Dear reader');
  const mine = await drive.open(browser, { errors });
  await drive.signIn(mine, server.url);
  await mine.getByRole('row').filter({ hasText: 'given' }).click();
  await mine.getByRole('button', { name: 'Share', exact: true }).click();
  await mine.getByLabel('Ask for a password').check();
  await mine.getByLabel('Password', { exact: true }).fill('pa55word');
  await mine.getByLabel('After how many downloads').fill('1');
  await drive.expectAccessible(mine);
  await mine.getByRole('button', { name: 'Make the link' }).click();
  const link = await mine.getByLabel('The link', { exact: true }).inputValue();
  expect(link).toMatch(/\/s\/[0-9A-Za-z]{22}\/pa55word$/);
  await drive.expectAccessible(mine);
  await mine.getByRole('button', { name: 'Close' }).last().click();

  const stranger = await drive.open(browser, { errors });
  await stranger.goto(link.replace('/pa55word', ''));
  await stranger.getByLabel('Password of the link').fill('guess');
  await stranger.getByRole('button', { name: 'Open' }).click();
  await stranger.getByText('This password is not right.').waitFor();
  await drive.expectAccessible(stranger);
  await stranger.getByLabel('Password of the link').fill('pa55word');
  await stranger.getByRole('button', { name: 'Open' }).click();
  await stranger.getByRole('link', { name: 'in', exact: true }).click();
  await stranger.getByText('1 download left').waitFor();
  await drive.expectAccessible(stranger);
  expect(stranger.url()).not.toContain('pa55word');
  const [download] = await Promise.all([
    stranger.waitForEvent('download'),
    stranger.getByRole('button', { name: 'Download letter.txt' }).click(),
  ]);
  expect(String(drive.bytesAt(await download.path()))).toBe('Dear reader');
  await stranger.getByText('0 downloads left').waitFor();
  await stranger.reload();
  await stranger.getByText('This link does not open anything any more.').waitFor();
  await drive.expectAccessible(stranger);
  await stranger.context().close();

  await mine.getByRole('link', { name: 'Shared' }).click();
  await mine.getByText('Opens nothing any more').waitFor();
  await drive.expectAccessible(mine);
  await mine.getByRole('button', { name: 'End the link to given' }).click();
  await mine.getByRole('dialog').getByRole('button', { name: 'End' }).click();
  await mine.getByText('You have shared nothing.').waitFor();
  await mine.context().close();
});

test('a link to one file opens with its password in it, which then is gone from the address', async () => {
  await api.put(drive.uriOf('one.bin'), 'x'.repeat(2048));
  const link = (await api.call('PUT', '/share', {
    uri: drive.uriOf('one.bin'),
    is_private: true,
  })) as string;
  const stranger = await drive.open(browser, { errors });
  await stranger.goto(link);
  await stranger.getByRole('heading', { name: /shares “one\.bin” with you/ }).waitFor();
  expect(stranger.url()).not.toContain(link.split('/').at(-1));
  const [download] = await Promise.all([
    stranger.waitForEvent('download'),
    stranger.getByRole('button', { name: 'Download' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('one.bin');
  await stranger.reload(); // this window remembers the password
  await stranger.getByRole('button', { name: 'Download' }).waitFor();
  await drive.expectAccessible(stranger);
  await stranger.context().close();
});

test('a link gets other terms and stays the same link', async () => {
  await api.put(drive.uriOf('terms.bin'), 'x'.repeat(64));
  const link = (await api.call('PUT', '/share', {
    uri: drive.uriOf('terms.bin'),
    expire: 3 * 86_400,
    downloads: 1,
  })) as string;
  const id = link.split('/').at(-1);
  type Terms = { expires?: string; password?: string; remain_downloads?: number };
  const terms = async () => {
    const { shares } = await api.call<{ shares: (Terms & { id: string })[] }>('GET', '/share');
    return shares.find((s) => s.id === id) as Terms;
  };
  const until = Date.parse((await terms()).expires ?? '');

  const mine = await drive.open(browser, { errors });
  await drive.signIn(mine, server.url);
  await mine.getByRole('link', { name: 'Shared' }).click();
  const change = async () => {
    await mine.getByRole('button', { name: 'Change the link to terms.bin' }).click();
    return mine.getByRole('dialog');
  };
  const done = async () => {
    await mine.getByRole('button', { name: 'Change', exact: true }).last().click();
    const now = await mine.getByLabel('The link', { exact: true }).inputValue();
    await mine.getByRole('button', { name: 'Close' }).last().click();
    return now;
  };

  // Its password and the number of downloads; its end stays.
  let dialog = await change();
  expect(await dialog.getByLabel('After how many more downloads').inputValue()).toBe('1');
  await dialog.getByLabel('Ask for a password').check();
  await dialog.getByLabel('Password', { exact: true }).fill('0pen');
  await dialog.getByLabel('After how many more downloads').fill('5');
  await drive.expectAccessible(mine);
  expect(await done()).toBe(`${link}/0pen`);
  let now = await terms();
  expect([now.password, now.remain_downloads]).toEqual(['0pen', 5]);
  expect(Math.abs(Date.parse(now.expires ?? '') - until)).toBeLessThan(5000);

  // Its end and no limit; the password stays.
  await mine.getByText('5 downloads left').waitFor();
  dialog = await change();
  expect(await dialog.getByLabel('Password', { exact: true }).inputValue()).toBe('0pen');
  await dialog.getByLabel('It ends').selectOption({ label: 'when I end it' });
  await dialog.getByLabel('After how many more downloads').fill('');
  await done();
  now = await terms();
  expect([now.password, now.remain_downloads, now.expires]).toEqual(['0pen', undefined, undefined]);

  // What a stranger knows is no use when the password is another one.
  dialog = await change();
  await dialog.getByLabel('Password', { exact: true }).fill('0ther');
  await done();
  const stranger = await drive.open(browser, { errors });
  await stranger.goto(`${link}/0pen`);
  await stranger.getByText('This password is not right.').waitFor();
  await stranger.context().close();

  // One that has ended meanwhile says so, and nothing is lost.
  dialog = await change();
  await api.call('DELETE', `/share/${id}`);
  await mine.getByRole('button', { name: 'Change', exact: true }).last().click();
  await dialog.getByRole('alert').waitFor();
  await drive.expectAccessible(mine);
  await mine.context().close();
});
