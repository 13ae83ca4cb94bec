// The browser, and the API beside it to see what really arrived.
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { email, password } from './server';

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page in a browser profile of its own. What it logs as an error fails the test. */
export async function open(
  browser: Browser,
  options: { errors?: string[]; proxy?: string } = {},
): Promise<Page> {
  const { proxy } = options;
  const context = await browser.newContext({
    acceptDownloads: true,
    ...(proxy && { proxy: { server: proxy, bypass: '127.0.0.1,wharf.localhost' } }),
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => options.errors?.push(String(error)));
  page.on('console', (m) => {
    if (/Content Security Policy|Warning:|Each child|hydrat/i.test(m.text()))
      options.errors?.push(m.text());
  });
  return page;
}

export async function signIn(
  page: Page,
  url: string,
  at = '/',
  as = { email, password },
): Promise<void> {
  await page.goto(url + at);
  await page.getByLabel('E-mail').fill(as.email);
  await page.getByLabel('Password', { exact: true }).fill(as.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL('**/files**');
  await page.getByRole('button', { name: 'Upload', exact: true }).waitFor();
}

/** Serious accessibility defects of what is on the screen now. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join('\n  ')}`);
  expect(found).toEqual([]);
}

export const summary = (page: Page) => page.getByRole('button', { name: /transfer panel/ });

/** Waits until every transfer has ended well. */
export async function allArrived(page: Page, files: number, timeout = 120_000): Promise<void> {
  const noun = files === 1 ? 'file' : 'files';
  await page
    .getByRole('button', { name: new RegExp(`: ${files} ${noun} arrived`) })
    .waitFor({ timeout });
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function noise(size: number): Buffer {
  return randomBytes(size);
}

/** A PNG with a slope of colour in it. */
export function picture(width: number, height: number, hue = 0): Uint8Array<ArrayBuffer> {
  const chunk = (type: string, body: Buffer) => {
    const typed = Buffer.concat([Buffer.from(type), body]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(body.length);
    sum.writeUInt32BE(crc32(typed));
    return Buffer.concat([length, typed, sum]);
  };
  const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  const lines = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      lines.set(
        [(hue + (x * 255) / width) & 255, (y * 255) / height, (255 - (x * 255) / width) | 0],
        y * (width * 3 + 1) + 1 + x * 3,
      );
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const body = chunk('IDAT', deflateSync(lines));
  const end = chunk('IEND', Buffer.alloc(0));
  return new Uint8Array(Buffer.concat([signature, chunk('IHDR', head), body, end]));
}

/** `count` real files below a folder, sorted. */
export function realFiles(root: string, count: number): string[] {
  const found: string[] = [];
  const walk = (dir: string) => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (found.length >= count) return;
      const path = join(dir, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile() && statSync(path).size < 2_000_000) found.push(path);
    }
  };
  walk(root);
  return found;
}

/** The API without the page. */
export class Api {
  private token = '';

  constructor(private readonly url: string) {}

  async signIn(): Promise<this> {
    const data = await this.call<{ token: { access_token: string } }>('POST', '/session/token', {
      email,
      password,
    });
    this.token = data.token.access_token;
    return this;
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (this.token) headers['Authorization'] = `Bearer ${this.token}`;
    const reply = await fetch(`${this.url}/api/v4${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const envelope = (await reply.json()) as { code: number; msg: string; data: T };
    if (envelope.code !== 0) throw new Error(`${method} ${path}: ${envelope.code} ${envelope.msg}`);
    return envelope.data;
  }

  /** The bytes of a file, by the way a browser downloads them. */
  async download(uri: string): Promise<Buffer> {
    const { urls } = await this.call<{ urls: { url: string }[] }>('POST', '/file/url', {
      uris: [uri],
      download: true,
    });
    const { pathname, search } = new URL(urls[0]?.url ?? '', this.url);
    return Buffer.from(await (await fetch(this.url + pathname + search)).arrayBuffer());
  }

  async text(uri: string): Promise<string> {
    return (await this.download(uri)).toString();
  }

  /** Writes a file, or a new version of it. */
  async put(uri: string, content: string | Uint8Array<ArrayBuffer>): Promise<void> {
    const reply = await fetch(`${this.url}/api/v4/file/content?uri=${encodeURIComponent(uri)}`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${this.token}` },
      body: content,
    });
    const { code, msg } = (await reply.json()) as { code: number; msg: string };
    if (code !== 0) throw new Error(`put ${uri}: ${code} ${msg}`);
  }

  async names(uri: string): Promise<string[]> {
    const { files } = await this.call<{ files: { name: string }[] }>(
      'GET',
      `/file?uri=${encodeURIComponent(uri)}&page_size=2000`,
    );
    return files.map((f) => f.name);
  }

  async uploads(): Promise<{ session_id: string; uri: string; received_bytes: number }[]> {
    const { uploads } = await this.call<{ uploads: [] }>('GET', '/file/upload');
    return uploads;
  }

  /** The parts of an unfinished file that the store behind the server has. */
  async stored(name: string): Promise<{ index: number; size: number }[]> {
    const upload = (await this.uploads()).find((u) => u.uri.endsWith(`/${name}`));
    const path = `/file/upload/${upload?.session_id}/addresses?stored=true`;
    return (await this.call<{ stored: [] }>('GET', path)).stored;
  }

  /** How much the server holds of an unfinished file. */
  async received(name: string): Promise<number> {
    const upload = (await this.uploads()).find((u) => u.uri.endsWith(`/${name}`));
    return upload?.received_bytes ?? 0;
  }
}

export function uriOf(...path: string[]): string {
  return `cloudreve://my/${path.map(encodeURIComponent).join('/')}`;
}

export function bytesAt(path: string): Buffer {
  return readFileSync(path);
}
