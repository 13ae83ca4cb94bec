import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import * as drive from './drive';
import { type Server, startServer, until } from './server';

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

const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });

test('photos show themselves where one looks, and the rest is not asked for', async () => {
  const count = 120;
  const name = (i: number) => `photo-${String(i).padStart(3, '0')}.png`;
  for (let i = 0; i < count; i++)
    await api.put(drive.uriOf('photos', name(i)), drive.picture(160, 90 + (i % 3) * 40, i * 2));
  await api.put(drive.uriOf('photos', 'a-damaged.png'), 'no picture at all');
  await api.put(drive.uriOf('photos', 'b.txt'), 'text');

  const page = await drive.open(browser, { errors });
  const asked: string[] = [];
  let given = 0;
  page.on('request', (r) => {
    const url = new URL(r.url());
    if (url.pathname === '/api/v4/file/thumb') asked.push(url.searchParams.get('uri') ?? '');
  });
  page.on('requestfailed', (r) => {
    if (r.url().includes('/file/thumb?')) given++;
  });
  await drive.signIn(page, server.url, '/files/photos');
  const first = row(page, name(0));
  const before = await first.locator('span').first().boundingBox();
  await first.locator('img').waitFor();
  expect(await first.locator('span').first().boundingBox()).toEqual(before);
  await until(async () => (await page.locator('#files img').count()) >= 10, 20_000);
  await row(page, 'a-damaged.png').locator('svg').first().waitFor();
  expect(await row(page, 'a-damaged.png').locator('img').count()).toBe(0);
  expect(asked.some((uri) => uri.endsWith('b.txt'))).toBe(false);
  expect(asked.length).toBeLessThan(40); // of 121
  await drive.expectAccessible(page);

  // On a slow line those that were scrolled past are given up for those in view.
  await page.route(/\/file\/thumb\?/, async (route) => {
    await new Promise((done) => setTimeout(done, 3000));
    await route.continue().catch(() => {});
  });
  const list = page.locator('#files');
  await list.evaluate((l) => l.scrollTo(0, 1800));
  await until(() => asked.some((uri) => uri.endsWith(name(46))), 10_000);
  await list.evaluate((l) => l.scrollTo(0, l.scrollHeight));
  await until(() => given > 0, 10_000);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await row(page, name(count - 1))
    .locator('img')
    .waitFor();
  const here = asked.length;

  await list.evaluate((l) => l.scrollTo(0, 0));
  await first.locator('img').waitFor();
  expect(asked.slice(here).some((uri) => uri.endsWith(name(0)))).toBe(false); // it is kept

  await page.getByRole('button', { name: 'Show as grid' }).click();
  const card = page.getByRole('option').filter({ hasText: name(0) });
  await card.locator('img').waitFor();
  await drive.expectAccessible(page);
  await card.dblclick();
  const drawer = page.getByRole('complementary', { name: 'Details' });
  await drawer.locator('img').waitFor();
  await drive.expectAccessible(page);
  await page.context().close();
});
