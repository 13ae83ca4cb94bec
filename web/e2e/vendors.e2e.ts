// The page sends straight to the stores of vendors that are no S3.
import { createHash } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BigFile, bigFile } from './big';
import * as drive from './drive';
import { freePort, type Server, startServer } from './server';
import { forget, type Kind, startVendor, type Vendor } from './vendor';

let browser: Browser;
let big: BigFile;

beforeAll(async () => {
  browser = await drive.launch();
  big = bigFile('cargo.bin', 300);
});

afterAll(async () => {
  await browser.close();
  big.remove();
  forget();
});

interface World {
  server: Server;
  vendor: Vendor;
  api: drive.Api;
  stop(): Promise<void>;
}

/** A server whose administrator's files go to a vendor, and that the vendor may call. */
async function world(kind: Kind, heard = true): Promise<World> {
  const port = await freePort();
  const vendor = await startVendor(kind, heard ? `127.0.0.1:${port}` : undefined);
  const { proxy, trust } = vendor;
  const env = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, SSL_CERT_FILE: trust };
  const server = await startServer({ named: true, port, env });
  const api = await new drive.Api(server.local).signIn();
  const { type, server: address, bucket_name, region, access_key, secret_key } = vendor;
  const settings = { region, chunk_size: 25 * 1024 ** 2 };
  const policy = { type, server: address, bucket_name, access_key, secret_key, settings };
  const { id } = await api.call<{ id: number }>('PUT', '/admin/policy', {
    policy: { name: 'Far shore', ...policy },
  });
  await api.call('PUT', '/admin/group/1', { group: { storage_policy_id: id } });
  await api.call('POST', `/admin/policy/${id}/cors`);
  return {
    server,
    vendor,
    api,
    async stop() {
      await server.stop();
      vendor.stop();
    },
  };
}

async function sumOf({ api, vendor }: World): Promise<string> {
  const { urls } = await api.call<{ urls: { url: string }[] }>('POST', '/file/url', {
    uris: [drive.uriOf('cargo.bin')],
    download: true,
  });
  const hash = createHash('sha256');
  await vendor.read(urls[0]?.url ?? '', (bytes) => hash.update(bytes));
  return hash.digest('hex');
}

interface Twist {
  /** Happens once it has begun. */
  meanwhile?(puts: () => number): Promise<void>;
  /** The page cannot say that it is complete: only the store's own call does. */
  mute?: boolean;
  /** Milliseconds until it has arrived; sooner than the server asks by itself, unless that is waited for. */
  patience?: number;
}

/** Uploads by the page, and returns how many parts went which way. */
async function upload(w: World, twist: Twist = {}) {
  const { server, vendor } = w;
  const page = await drive.open(browser, { proxy: vendor.proxy });
  if (twist.mute) await page.route('**/api/v4/callback/**', (route) => route.abort());
  const seen = { parts: 0, chunks: 0, tokens: 0 };
  page.on('request', (r) => {
    const url = r.url();
    if (url.startsWith(vendor.origin) && r.method() === 'PUT') {
      seen.parts++;
      if (r.headers()['authorization']) seen.tokens++;
    }
    if (url.startsWith(server.url) && r.method() === 'POST' && url.includes('/file/upload/'))
      seen.chunks++;
  });
  await drive.signIn(page, server.url);
  await page.getByTestId('pick-files').setInputFiles(big.path);
  await twist.meanwhile?.(() => seen.parts);
  await drive.allArrived(page, 1, twist.patience ?? 50_000);
  await page.context().close();
  return seen;
}

/** The server dies once some parts have gone. */
function killed(w: World): Twist {
  return {
    async meanwhile(parts) {
      await expect.poll(parts, { timeout: 60_000 }).toBeGreaterThan(2);
      await w.server.crash();
    },
  };
}

async function arrived(w: World, seen: Awaited<ReturnType<typeof upload>>): Promise<void> {
  expect(seen).toMatchObject({ chunks: 0, tokens: 0 });
  expect(seen.parts).toBeGreaterThanOrEqual(12);
  await w.api.signIn();
  expect(await sumOf(w)).toBe(big.sum);
  await w.stop();
}

test('300 MiB go straight to COS, with the server killed in the middle and the callback lost', async () => {
  const w = await world('cos');
  // The server asks by itself a minute after it began.
  await arrived(w, await upload(w, { ...killed(w), mute: true, patience: 150_000 }));
});

test('300 MiB go straight to KS3, with the server killed in the middle', async () => {
  const w = await world('ks3');
  await arrived(w, await upload(w, killed(w)));
});

test('300 MiB go straight to OSS, which calls back with its signature a server that was killed', async () => {
  const w = await world('oss');
  await arrived(w, await upload(w, { ...killed(w), mute: true, patience: 150_000 }));
});

test('300 MiB go straight to OBS, whose callback is lost, with the server killed in the middle', async () => {
  const w = await world('obs', false);
  await arrived(w, await upload(w, killed(w)));
});

test('300 MiB go straight to OSS, each part once, with its callback lost', async () => {
  const w = await world('oss', false);
  expect(await upload(w)).toEqual({ parts: 12, chunks: 0, tokens: 0 });
  expect(await sumOf(w)).toBe(big.sum);
  await w.stop();
});
