import { createHash } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type BigFile, bigFile } from './big';
import * as drive from './drive';
import * as gateway from './gateway';
import { recorder, type Sent } from './proxy';
import { type Server, startServer } from './server';

let browser: Browser;
let server: Server;
let store: gateway.Gateway;

beforeAll(async () => {
  browser = await drive.launch();
  server = await startServer();
  store = await gateway.startGateway();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  store.stop();
});

const errors: string[] = [];
afterEach(() => {
  expect(errors.splice(0)).toEqual([]);
});

test('a bucket is added, tried, and lets browsers in by one button', async () => {
  const page = await drive.open(browser, { errors });
  await drive.signIn(page, server.url);
  await page.goto(`${server.url}/admin/policies`);
  await page.getByRole('button', { name: 'Add storage' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Far shore');
  await page.getByLabel('Kind').selectOption('s3');
  await page.getByLabel('Bucket', { exact: true }).fill(gateway.bucket);
  await page.getByLabel('Region').fill('us-east-1');
  await page.getByLabel('Address of the service').fill(store.url);
  await page.getByLabel('Access key').fill(gateway.access);
  await page.getByLabel('Secret key').fill('not the secret');
  await page.getByLabel('The bucket is in the path of addresses').check();
  await drive.expectAccessible(page);
  await page.getByRole('button', { name: 'Save' }).click();

  await page.getByText('s3 cargo').waitFor();
  await page.getByRole('button', { name: 'Test Far shore' }).click();
  await page.getByText('store an object: fails').waitFor();
  await page.getByText('SignatureDoesNotMatch').first().waitFor();

  await page.getByRole('button', { name: 'Edit Far shore' }).click();
  await page.getByLabel('Secret key').fill(gateway.secret);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').last().waitFor();
  await page.getByRole('button', { name: 'Test Far shore' }).click();
  await page.getByText('store an object: works').waitFor();
  await page.getByText('may send to the bucket (CORS): fails').waitFor();
  await drive.expectAccessible(page);

  await page.getByRole('button', { name: 'Let browsers in (CORS)' }).click();
  await page.getByText('may send to the bucket (CORS): works').waitFor();
  await page.getByText('may read the ETag of what it sent: works').waitFor();
  await page.context().close();
});

/** A server whose administrator's files go to a bucket. */
async function behind(store: { url: string }, cors: boolean): Promise<Server> {
  const s = await startServer();
  const api = await new drive.Api(s.url).signIn();
  const { id } = await api.call<{ id: number }>('PUT', '/admin/policy', {
    policy: {
      name: 'Far shore',
      type: 's3',
      server: store.url,
      bucket_name: gateway.bucket,
      access_key: gateway.access,
      secret_key: gateway.secret,
      settings: { region: 'us-east-1', s3_path_style: true, chunk_size: 25 * 1024 ** 2 },
    },
  });
  await api.call('PUT', '/admin/group/1', { group: { storage_policy_id: id } });
  if (cors) await api.call('POST', `/admin/policy/${id}/cors`);
  return s;
}

interface Seen {
  /** Uploads that were begun. */
  sessions: number;
  puts: number;
  chunks: number;
  tokens: number;
}

function watch(page: Page, server: Server, store: gateway.Gateway): Seen {
  const seen = { sessions: 0, puts: 0, chunks: 0, tokens: 0 };
  page.on('request', (r) => {
    if (r.method() === 'PUT' && r.url().endsWith('/file/upload')) seen.sessions++;
    if (r.url().startsWith(store.url) && r.method() === 'PUT') {
      seen.puts++;
      if (r.headers()['authorization']) seen.tokens++;
    }
    if (
      r.url().startsWith(server.url) &&
      r.method() === 'POST' &&
      r.url().includes('/file/upload/')
    )
      seen.chunks++;
  });
  return seen;
}

let big: BigFile;
beforeAll(() => {
  big = bigFile('cargo.bin', 300);
});
afterAll(() => big.remove());

async function sumOf(server: Server): Promise<string> {
  const api = await new drive.Api(server.url).signIn();
  const { urls } = await api.call<{ urls: { url: string }[] }>('POST', '/file/url', {
    uris: [drive.uriOf('cargo.bin')],
    download: true,
  });
  const reply = await fetch(urls[0]?.url ?? '');
  const hash = createHash('sha256');
  for await (const chunk of reply.body as unknown as AsyncIterable<Uint8Array>) hash.update(chunk);
  return hash.digest('hex');
}

async function upload(page: Page): Promise<void> {
  await page.getByTestId('pick-files').setInputFiles(big.path);
}

test('300 MiB go straight to the bucket, with the callback lost and the server killed', async () => {
  const s = await behind(store, true);
  const page = await drive.open(browser);
  const seen = watch(page, s, store);
  await page.route('**/api/v4/callback/**', (route) => route.abort());
  await drive.signIn(page, s.url);
  await upload(page);
  await expect.poll(() => seen.puts, { timeout: 90_000 }).toBeGreaterThan(2);
  await s.crash();
  await drive.allArrived(page, 1, 180_000);
  expect(await sumOf(s)).toBe(big.sum);
  expect(seen).toMatchObject({ chunks: 0, tokens: 0 });
  await page.context().close();
  await s.stop();
});

const partOf = ({ target }: Sent) => Number(/partNumber=(\d+)/.exec(target)?.[1] ?? 0);

test('a page that was reloaded sends what the bucket lacks, and what broke off', async () => {
  const between = await recorder(Number(new URL(store.url).port));
  const s = await behind(between, true);
  const page = await drive.open(browser);
  await drive.signIn(page, s.url);
  between.holdUp((r) => r.method === 'PUT' && [5, 8, 9].includes(partOf(r)));
  await upload(page);
  const puts = () => between.sent.filter((r) => r.method === 'PUT' && partOf(r) > 0);
  const held = (status: number) =>
    puts()
      .filter((r) => r.status === status && r.bytes > 12 * 1024 ** 2)
      .map(partOf);
  await expect.poll(() => held(200).length, { timeout: 60_000 }).toBe(6);
  await expect.poll(() => held(0).toSorted()).toEqual([5, 8, 9]);
  await page.reload();
  between.letThrough();
  // The store lists these three like the others, and as long as they were to be.
  const api = await new drive.Api(s.url).signIn();
  const soon = { timeout: 10_000 };
  await expect.poll(async () => (await api.stored('cargo.bin')).length, soon).toBe(9);
  const before = puts().length;
  await page.getByText('Not complete: 300 MB').waitFor();

  // The file is dropped again, and the page goes away once more.
  between.holdUp((r) => r.method === 'PUT' && partOf(r) > 9);
  await upload(page);
  const after = (from: number) =>
    puts()
      .slice(from)
      .map(partOf)
      .toSorted((x, y) => x - y);
  await expect.poll(() => held(200).length, { timeout: 30_000 }).toBe(9);
  await expect.poll(() => held(0).length).toBeGreaterThan(3);
  expect(after(before).filter((part) => part < 10)).toEqual([5, 8, 9]);
  await page.reload();
  between.letThrough();
  await expect.poll(async () => (await api.stored('cargo.bin')).length, soon).toBeGreaterThan(9);

  const then = puts().length;
  await page.getByTestId('continue-input').setInputFiles(big.path);
  await drive.allArrived(page, 1, 120_000);
  expect(after(then)).toEqual([10, 11, 12]);
  expect(await sumOf(s)).toBe(big.sum);
  await page.context().close();
  await s.stop();
  await between.close();
});

test('what a bucket refuses is said in its words, and goes on once that is mended', async () => {
  const between = await recorder(Number(new URL(store.url).port));
  const s = await behind(between, true);
  const page = await drive.open(browser);
  await drive.signIn(page, s.url);
  const { host } = new URL(between.url);
  const puts = (part: number) =>
    between.sent.filter((r) => r.method === 'PUT' && partOf(r) === part);

  // Part 2 finds that its address has ended; part 3 is to wait until a date, and does.
  between.say((r) => {
    if (r.method !== 'PUT' || puts(partOf(r)).length > 1) return undefined;
    if (partOf(r) === 2) return { status: 403, code: 'AccessDenied' };
    const headers = { 'Retry-After': new Date(Date.now() + 4_000).toUTCString() };
    return partOf(r) === 3 ? { status: 503, code: 'SlowDown', headers } : undefined;
  });
  const asked: string[] = [];
  page.on('request', (r) => r.url().includes('/addresses') && asked.push(new URL(r.url()).search));
  const from = Date.now();
  await upload(page);
  await drive.allArrived(page, 1, 120_000);
  expect(Date.now() - from).toBeGreaterThan(3_000);
  expect(puts(2).map((r) => r.status)).toEqual([403, 200]);
  expect(asked).toContain('?from=1&stored=false');
  expect(puts(3).map((r) => r.status)).toEqual([503, 200]);
  await page.getByRole('button', { name: 'What happened' }).click();
  await page.getByText(`The storage ${host} cannot take this now (SlowDown).`).waitFor();
  expect(between.sent.filter((r) => r.method === 'PUT' && partOf(r) > 0)).toHaveLength(14);
  expect(await sumOf(s)).toBe(big.sum);

  // The keys are taken away in the middle of another file.
  const refused = { status: 403, code: 'InvalidAccessKeyId' };
  between.say((r) => (r.method === 'PUT' && partOf(r) === 4 ? refused : undefined));
  const second = bigFile('second.bin', 100);
  await page.getByTestId('pick-files').setInputFiles(second.path);
  await page
    .getByText(`The storage ${host} does not accept what this server signs (InvalidAccessKeyId).`)
    .waitFor();
  await page.getByText('keys, permissions and clock of this storage').waitFor();
  await drive.expectAccessible(page);
  between.letThrough();
  await page.getByRole('button', { name: 'Try again' }).click();
  await drive.allArrived(page, 2);
  second.remove();
  await page.context().close();
  await s.stop();
  await between.close();
});

test('a bucket that lets nobody in gets the bytes through the server, until it is mended', async () => {
  const s = await behind(store, false);
  const page = await drive.open(browser);
  const seen = watch(page, s, store);
  await drive.signIn(page, s.url);
  await upload(page);
  await drive.allArrived(page, 1, 180_000);
  expect(await sumOf(s)).toBe(big.sum);
  expect(seen.chunks).toBeGreaterThan(0);
  await page.getByRole('button', { name: 'What happened' }).click();
  const { host } = new URL(store.url);
  await page
    .getByText(`The rules (CORS) of the storage ${host} do not let this site in.`)
    .waitFor();

  // The next file does not try again, and neither does another window.
  Object.assign(seen, { puts: 0, chunks: 0, sessions: 0 });
  await page.reload();
  const next = (name: string) => ({ name, mimeType: '', buffer: drive.noise(8 * 1024 ** 2) });
  await page.getByTestId('pick-files').setInputFiles(next('second.bin'));
  await drive.allArrived(page, 1);
  expect(seen).toMatchObject({ puts: 0, sessions: 1 });
  expect(seen.chunks).toBeGreaterThan(0);

  // For a while.
  const api = await new drive.Api(s.url).signIn();
  const { policies } = await api.call<{ policies: { id: number; type: string }[] }>(
    'POST',
    '/admin/policy',
    { page: 1, page_size: 10, order_by: '', order_direction: 'desc', conditions: {} },
  );
  await api.call('POST', `/admin/policy/${policies.find((p) => p.type === 's3')?.id}/cors`);
  await page.evaluate(() => {
    const marks = JSON.parse(localStorage.getItem('wharf.relay') ?? '{}');
    for (const mark of Object.values<{ until: number }>(marks)) mark.until -= 16 * 60_000;
    localStorage.setItem('wharf.relay', JSON.stringify(marks));
  });
  Object.assign(seen, { puts: 0, chunks: 0 });
  await page.getByTestId('pick-files').setInputFiles(next('third.bin'));
  await drive.allArrived(page, 2);
  expect(seen).toMatchObject({ puts: 1, chunks: 0 });
  await page.context().close();
  await s.stop();
});
