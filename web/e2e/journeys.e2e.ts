import { execFileSync } from 'node:child_process';
import {
  closeSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import * as drive from './drive';
import { type Cable, cable, gatekeeper } from './proxy';
import { email, password, type Server, startServer, until } from './server';

const MiB = 1 << 20;
let browser: Browser;
let scratch: string;

beforeAll(async () => {
  browser = await drive.launch();
  scratch = mkdtempSync(join(tmpdir(), 'wharf-e2e-files-'));
});

afterAll(async () => {
  await browser.close();
  rmSync(scratch, { recursive: true, force: true });
});

const errors: string[] = [];
afterEach(() => {
  expect(errors.splice(0)).toEqual([]);
});

function makeFile(name: string, size: number, modified = 1_700_000_000): string {
  const path = join(scratch, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, drive.noise(size));
  utimesSync(path, modified, modified);
  return path;
}

const pick = (page: Page, files: string[] | string) =>
  page.getByTestId('pick-files').setInputFiles(files);
/** Waits until what lay in sockets has gone by. */
async function still(page: Page, line: Cable): Promise<void> {
  let seen = -1;
  await until(async () => {
    const before = seen;
    seen = line.sent();
    await page.waitForTimeout(700);
    return seen === before;
  }, 20_000);
}

const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });

test('first run: the set-up link, the account, the first file', async () => {
  const server = await startServer({ fresh: true });
  try {
    await until(() => /\/setup\?token=\S+/.test(server.log()), 10_000, server.log);
    const link = /\/setup\?token=[^\s"]+/.exec(server.log())?.[0] as string;
    const page = await drive.open(browser, { errors });

    await page.goto(server.url);
    await page.getByText('This server has no account yet.').waitFor();

    await page.goto(server.url + link);
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password', { exact: true }).fill('short');
    await page.getByText(/more characters are needed/).waitFor();
    await drive.expectAccessible(page);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Create the account' }).click();
    await page.getByRole('button', { name: 'Choose a file' }).waitFor();
    const first = makeFile('first.bin', 123_456);
    await pick(page, first);
    await page.waitForURL('**/files');
    await drive.allArrived(page, 1);
    await row(page, 'first.bin').waitFor();

    const api = await new drive.Api(server.url).signIn();
    const stored = await api.download(drive.uriOf('first.bin'));
    expect(drive.sha256(stored)).toBe(drive.sha256(drive.bytesAt(first)));

    await page.goto(server.url + link);
    await page.getByText('This server is set up already.').waitFor(); // the link works once
    await page.getByRole('button', { name: 'Sign in' }).click();
    await row(page, 'first.bin').waitFor(); // this browser is signed in still
    await page.context().close();
  } finally {
    await server.stop();
  }
});

describe('with an account', () => {
  let server: Server;
  let api: drive.Api;
  const cables: Cable[] = [];

  beforeAll(async () => {
    server = await startServer();
    api = await new drive.Api(server.url).signIn();
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    for (const c of cables.splice(0)) await c.close();
  });

  async function through(bytesPerSecond = 0): Promise<Cable> {
    const c = await cable(server.port, bytesPerSecond);
    cables.push(c);
    return c;
  }

  test('sign-in: refused, then back to where one wanted to go', async () => {
    await api.call('POST', '/file/create', {
      uri: drive.uriOf('deep', '100% a#b'),
      type: 'folder',
    });
    const page = await drive.open(browser, { errors });
    await page.goto(`${server.url}/files/deep/100%25%20a%23b`);
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The e-mail or the password is not right.').waitFor();
    await drive.expectAccessible(page);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: '100% a#b' }).waitFor();
    await page.getByText('This folder is empty.').waitFor();
    await drive.expectAccessible(page);
    await page.context().close();
  });

  test('300 real files and one of 200 MiB, with the cable cut in the middle', async () => {
    const goroot = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim();
    const root = join(goroot, 'src');
    const real = drive.realFiles(root, 300);
    expect(real.length).toBe(300);
    const tree = join(scratch, 'tree');
    for (const path of real) {
      const copy = join(tree, relative(root, path));
      mkdirSync(dirname(copy), { recursive: true });
      writeFileSync(copy, drive.bytesAt(path));
    }
    const big = makeFile('tree/big.bin', 200 * MiB);

    const line = await through(60 * MiB);
    const page = await drive.open(browser, { errors });
    await drive.signIn(page, line.url);
    const asked = new Map<string, number>();
    page.on('request', (r) => {
      const name = `${r.method()} ${new URL(r.url()).pathname}`;
      asked.set(name, (asked.get(name) ?? 0) + 1);
    });
    await page.getByTestId('pick-folder').setInputFiles(tree);
    await until(() => line.sent() > 70 * MiB, 60_000);
    line.cut();
    await page.getByText('The server does not answer.').first().waitFor();
    line.mend();
    await drive.allArrived(page, 301);
    expect(await page.getByText('arrived, not verified').count()).toBe(0);

    const files = [...real.map((p) => relative(root, p)), 'big.bin'];
    for (const name of files) {
      const stored = await api.download(drive.uriOf('tree', ...name.split('/')));
      expect([name, drive.sha256(stored)]).toEqual([
        name,
        drive.sha256(drive.bytesAt(join(tree, name))),
      ]);
    }
    expect(drive.bytesAt(big).length).toBe(200 * MiB);
    // Small files share requests.
    expect(asked.get('POST /api/v4/file/batch')).toBeGreaterThan(0);
    expect(asked.get('PUT /api/v4/file/upload')).toBeLessThan(60);
    await drive.expectAccessible(page);
    await page.context().close();
  });

  test('folders open at once while a slow line is full of chunks', async () => {
    await api.call('POST', '/file/create', { uri: drive.uriOf('calm'), type: 'folder' });
    const files = ['s1', 's2', 's3'].map((n) => makeFile(`${n}.bin`, 100 * MiB));
    const line = await through(MiB);
    const page = await drive.open(browser, { errors });
    await drive.signIn(page, line.url);
    await pick(page, files);
    await until(() => line.sent() > 8 * MiB, 30_000);
    const from = Date.now();
    await row(page, 'calm').dblclick();
    await page.getByText('This folder is empty.').waitFor();
    expect(Date.now() - from).toBeLessThan(4000); // a chunk takes 25 s
    await page.getByRole('button', { name: 'Cancel all' }).click();
    await until(async () => (await api.uploads()).length === 0, 20_000);
    await page.context().close();
  });

  test('offline pauses by itself and goes on by itself', async () => {
    const file = makeFile('offline.bin', 60 * MiB);
    const line = await through(20 * MiB);
    const page = await drive.open(browser, { errors });
    await drive.signIn(page, line.url);
    await pick(page, file);
    await until(() => line.sent() > 15 * MiB, 30_000);
    await page.context().setOffline(true);
    await page.getByText('No network. Goes on by itself when it is back.').waitFor();
    await page.waitForTimeout(500);
    const before = line.sent();
    await page.waitForTimeout(1500);
    expect(line.sent() - before).toBeLessThan(MiB);
    await page.context().setOffline(false);
    await drive.allArrived(page, 1);
    const stored = await api.download(drive.uriOf('offline.bin'));
    expect(drive.sha256(stored)).toBe(drive.sha256(drive.bytesAt(file)));
    await page.context().close();
  });

  test('pause and go on; the server killed in between; no confirmed chunk is sent again', async () => {
    const size = 150 * MiB;
    const file = makeFile('paused.bin', size);
    const line = await through(40 * MiB);
    const page = await drive.open(browser, { errors });
    await drive.signIn(page, line.url);
    await pick(page, file);
    const confirmed = () => api.received('paused.bin');
    await until(async () => (await confirmed()) >= 50 * MiB, 60_000);
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByText('Paused', { exact: true }).waitFor();
    await still(page, line);
    const held = await confirmed();
    const before = line.sent();
    await page.waitForTimeout(1500);
    expect(line.sent() - before).toBeLessThan(MiB);

    await server.crash();
    api = await new drive.Api(server.url).signIn();
    await page.getByRole('button', { name: 'Go on', exact: true }).click();
    await drive.allArrived(page, 1);
    await page.getByText('verified ✓').waitFor();
    // What went up after the pause is what was missing, and the bit around it.
    expect(line.sent() - before).toBeLessThan(size - held + 4 * MiB);
    const stored = await api.download(drive.uriOf('paused.bin'));
    expect(drive.sha256(stored)).toBe(drive.sha256(drive.bytesAt(file)));
    await page.context().close();
  });

  test('another browser goes on with an upload that the first one left', async () => {
    const size = 120 * MiB;
    const file = makeFile('device.bin', size);
    const line = await through(30 * MiB);
    const first = await drive.open(browser, { errors });
    await drive.signIn(first, line.url);
    await pick(first, file);
    const received = () => api.received('device.bin');
    await until(async () => (await received()) >= 50 * MiB, 60_000);
    await first.context().close();
    await line.close();
    await new Promise((r) => setTimeout(r, 1000));
    const held = await received();

    const fast = await through();
    const second = await drive.open(browser, { errors });
    await drive.signIn(second, fast.url);
    await second.getByRole('button', { name: 'Open the transfer panel: Transfers' }).click();
    await second.getByText(/of 120 MB are here until/).waitFor();
    await drive.expectAccessible(second);
    const other = join(mkdtempSync(join(scratch, 'x')), 'device.bin');
    writeFileSync(other, drive.noise(1000));
    const input = second.getByRole('region', { name: 'Transfers' }).getByTestId('continue-input');
    await input.setInputFiles(other);
    await second.getByText('has another size').waitFor();

    const before = fast.sent();
    await input.setInputFiles(file);
    await drive.allArrived(second, 1);
    await second.getByText('verified ✓').waitFor();
    expect(fast.sent() - before).toBeLessThan(size - held + 4 * MiB);
    const stored = await api.download(drive.uriOf('device.bin'));
    expect(drive.sha256(stored)).toBe(drive.sha256(drive.bytesAt(file)));
    expect(await api.uploads()).toEqual([]);
    await second.context().close();
  });

  test('a proxy that allows 1 MiB: the file arrives, and the page says what limits it', async () => {
    const gate = await gatekeeper(server.port, MiB);
    const file = makeFile('narrow.bin', 40 * MiB);
    const page = await drive.open(browser, { errors });
    await drive.signIn(page, gate.url);
    await pick(page, file);
    await drive.allArrived(page, 1);
    await page.getByText('verified ✓').waitFor();
    await page.getByText(/refuses large requests, so files go in pieces of 960 KB/).waitFor();
    const stored = await api.download(drive.uriOf('narrow.bin'));
    expect(drive.sha256(stored)).toBe(drive.sha256(drive.bytesAt(file)));
    expect(gate.refused()).toBeGreaterThan(0);

    await page.getByRole('button', { name: 'What happened' }).click();
    const story = page.getByRole('region', { name: 'What happened' });
    await story.getByText('Smaller pieces from now on: 960 KB').first().waitFor();
    await story.getByText('Completed: every byte is there').waitFor();
    await story.getByText('survives a power cut').waitFor();
    await drive.expectAccessible(page);

    // The next file, after a reload, knows the way.
    const before = gate.refused();
    await page.reload();
    await pick(page, makeFile('narrow2.bin', 10 * MiB));
    await drive.allArrived(page, 1);
    expect(gate.refused()).toBe(before);
    await page.context().close();
    await gate.close();
  });

  test('every failure says whose fault it is, and its request id can be quoted', async () => {
    const page = await drive.open(browser, { errors });
    await drive.signIn(page, server.url);
    let n = 0;
    await page.route('**/file/upload/*/0', (r) =>
      ++n > 3 ? r.continue() : r.fulfill({ status: 502, body: 'bad gateway' }),
    );
    await pick(page, makeFile('bumpy.bin', 3 * MiB));
    await page.getByText('Something in front of the server answered with status 502.').waitFor();
    await page
      .getByText(/The fault is in front of the server. Trying again later may help./)
      .waitFor();
    await drive.allArrived(page, 1);
    await page.getByRole('button', { name: 'What happened' }).click();
    const story = page.getByRole('region', { name: 'What happened' });
    await story.getByText('Verified: the same bytes on both sides').waitFor();
    expect(await story.getByText('Tried again').count()).toBe(3);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await story.getByRole('button', { name: 'Copy the request id' }).first().click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toMatch(/^[0-9a-f-]{36}$/);
    await page.context().close();
  });

  test('a damaged file shows as such, and its download says why', async () => {
    const size = 3 * MiB + 17;
    const page = await drive.open(browser, { errors });
    await drive.signIn(page, server.url);
    await pick(page, [makeFile('rotten.bin', size), makeFile('sound.bin', 1000)]);
    await drive.allArrived(page, 2);
    const [blob] = globSync('storage/**/*', { cwd: server.data })
      .map((f) => join(server.data, f))
      .filter((f) => statSync(f).isFile() && statSync(f).size === size);
    const fd = openSync(blob as string, 'r+');
    writeSync(fd, Buffer.from('rotten'), 0, 6, MiB);
    closeSync(fd);
    expect(server.doctor('--fix', '--read-data', '1/1')).toContain('blob_damaged: /rotten.bin');

    await page.reload();
    await row(page, 'rotten.bin').getByText('Damaged').waitFor();
    expect(await row(page, 'sound.bin').getByText('Damaged').count()).toBe(0);
    await row(page, 'rotten.bin').click();
    await page.getByRole('button', { name: 'Download' }).click();
    const alert = page.getByRole('alert').first();
    await alert.getByText('The stored bytes of this file are missing or damaged.').waitFor();
    await alert.getByText('The fault is on the server. Trying again does not help.').waitFor();
    await page.getByRole('button', { name: 'Details', exact: true }).click();
    await page.getByRole('complementary').getByRole('alert').waitFor();
    await drive.expectAccessible(page);
    await page.context().close();
  });

  test('a taken name: replace, keep both, skip, for all', async () => {
    const page = await drive.open(browser, { errors });
    await drive.signIn(page, server.url);
    const names = ['one.txt', 'two.txt', 'three.txt'];
    const old = names.map((n) => makeFile(`old/${n}`, 1000));
    await pick(page, old);
    await drive.allArrived(page, 3);
    const fresh = names.map((n) => makeFile(`new/${n}`, 2000));

    await pick(page, fresh);
    const dialog = page.getByRole('dialog');
    await dialog.getByText('is already there. What should happen?').waitFor();
    await drive.expectAccessible(page);
    await page.getByLabel('Do this for all 3').check();
    await dialog.getByRole('button', { name: 'Keep both' }).click();
    await drive.allArrived(page, 6);
    await row(page, 'three (2).txt').waitFor();
    for (const [i, name] of names.entries()) {
      const both = [name, name.replace('.', ' (2).')];
      const stored = await Promise.all(both.map((n) => api.download(drive.uriOf(n))));
      const sent = [old[i], fresh[i]].map((p) => drive.bytesAt(p as string));
      expect(stored.map(drive.sha256)).toEqual(sent.map(drive.sha256));
    }

    await pick(page, fresh.slice(0, 1));
    await dialog.getByRole('button', { name: 'Replace' }).click();
    await drive.allArrived(page, 7);
    const replaced = await api.download(drive.uriOf('one.txt'));
    expect(drive.sha256(replaced)).toBe(drive.sha256(drive.bytesAt(fresh[0] as string)));

    await pick(page, fresh.slice(1, 2));
    await dialog.getByRole('button', { name: 'Skip' }).click();
    await page.getByText('skipped').waitFor();
    const kept = await api.download(drive.uriOf('two.txt'));
    expect(drive.sha256(kept)).toBe(drive.sha256(drive.bytesAt(old[1] as string)));
    await page.context().close();
  });

  test('create, rename, download, delete', async () => {
    const page = await drive.open(browser, { errors });
    await drive.signIn(page, server.url);
    await page.getByRole('button', { name: 'New folder' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Plans');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await row(page, 'Plans').dblclick();
    await page.getByText('This folder is empty.').waitFor();
    const file = makeFile('plan.bin', 300_000);
    await pick(page, file); // the picker was not opened here: it goes to the top
    await page.getByRole('button', { name: 'Upload', exact: true }).click();
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('menuitem', { name: 'Files…' }).click(),
    ]);
    await chooser.setFiles(file);
    await row(page, 'plan.bin').waitFor();

    await row(page, 'plan.bin').getByRole('button', { name: 'More for plan.bin' }).click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByLabel('Name', { exact: true }).fill('مخطط.bin');
    await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
    await row(page, 'مخطط').click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('مخطط.bin');
    const saved = drive.bytesAt(await download.path());
    expect(drive.sha256(saved)).toBe(drive.sha256(drive.bytesAt(file)));

    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('complementary').getByText('crc64nvme').waitFor();
    await drive.expectAccessible(page);
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('can be brought back').waitFor();
    await page.getByRole('button', { name: 'Move to the trash' }).click();
    await page.getByText('This folder is empty.').waitFor();
    expect(await api.names(drive.uriOf('Plans'))).toEqual([]);
    await page.context().close();
  });

  test('what was deleted comes back, what was moved is there, an older version is current again', async () => {
    const at = (...path: string[]) => drive.uriOf('order', ...path);
    for (const content of ['first', 'second one']) await api.put(at('in', 'paper.txt'), content);
    await api.call('POST', '/file/create', { uri: at('out'), type: 'folder' });
    const page = await drive.open(browser, { errors });
    await drive.signIn(page, server.url);
    await page.goto(`${server.url}/files/order/in`);
    await row(page, 'paper.txt').click();
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('button', { name: 'Make current' }).click();
    await page.getByText('is the file now').waitFor();
    expect(await api.text(at('in', 'paper.txt'))).toBe('first');
    await page.getByRole('complementary').getByRole('button', { name: 'Close' }).click();

    await page.getByRole('button', { name: 'Move or copy' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'order' }).click();
    await dialog.getByRole('button', { name: 'out' }).click();
    await drive.expectAccessible(page);
    await dialog.getByRole('button', { name: 'Move here' }).click();
    await page.getByText('is in “out” now').waitFor();
    expect(await api.names(at('in'))).toEqual([]);
    expect(await api.text(at('out', 'paper.txt'))).toBe('first');

    await page.goto(`${server.url}/files/order/out`);
    await row(page, 'paper.txt').click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('button', { name: 'Move to the trash' }).click();
    await page.getByText('This folder is empty.').waitFor();
    await page.getByRole('link', { name: 'Trash' }).click();
    await page.getByText('From Files / order / out').waitFor();
    await drive.expectAccessible(page);
    await page
      .getByRole('listitem')
      .filter({ hasText: 'paper.txt' })
      .getByRole('button', { name: 'Restore' })
      .click();
    await page.getByText('is back in “out”').waitFor();
    expect(await api.text(at('out', 'paper.txt'))).toBe('first');

    await api.call('DELETE', '/file', { uris: [at('out')] });
    await page.reload();
    await page.getByRole('button', { name: 'Empty the trash' }).click();
    await page.getByRole('button', { name: 'Delete for good' }).click();
    await page.getByText('The trash is empty.').waitFor();
    await page.context().close();
  });

  test('with the keyboard alone', async () => {
    await api.call('POST', '/file/create', { uri: drive.uriOf('kb', 'alpha'), type: 'folder' });
    await api.call('POST', '/file/create', { uri: drive.uriOf('kb', 'beta'), type: 'folder' });
    await api.call('POST', '/file/create', { uri: drive.uriOf('kb', 'gamma.txt'), type: 'file' });
    const page = await drive.open(browser, { errors });
    await page.goto(`${server.url}/files/kb`);
    await page.getByLabel('E-mail').waitFor();
    const { keyboard } = page;
    await keyboard.type(email);
    await keyboard.press('Tab');
    await keyboard.type(password);
    await keyboard.press('Enter');
    await row(page, 'gamma.txt').waitFor();

    await keyboard.press('ArrowDown');
    await keyboard.press('ArrowDown');
    await page.getByText('1 selected').waitFor();
    await keyboard.press('F2');
    await page.locator('[role=dialog] input:focus').waitFor();
    await keyboard.type('bravo');
    await keyboard.press('Enter');
    await row(page, 'bravo').waitFor();

    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await keyboard.press('/');
    await keyboard.type('gam');
    await row(page, 'bravo').waitFor({ state: 'detached' });
    await keyboard.press('Escape');
    await row(page, 'bravo').waitFor();
    await keyboard.press('Home');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'alpha' }).waitFor();
    await page.goBack();
    await row(page, 'bravo').waitFor();
    await page.locator('#files').focus();
    await keyboard.press('Control+A');
    await page.getByText('3 selected').waitFor();
    await keyboard.press('Escape');
    await page.getByText('3 selected').waitFor({ state: 'detached' });
    await keyboard.press('End');
    await keyboard.press('Delete');
    // The safe button has the focus; wait for it, as a person does.
    await page.locator('button:focus', { hasText: 'Cancel' }).waitFor();
    await keyboard.press('Tab'); // to the other one
    await keyboard.press('Enter');
    await row(page, 'gamma.txt').waitFor({ state: 'detached' });
    expect((await api.names(drive.uriOf('kb'))).sort()).toEqual(['alpha', 'bravo']);
    await page.context().close();
  });

  test('a second window changes by itself', async () => {
    const page = await drive.open(browser, { errors });
    await drive.signIn(page, server.url);
    const other = await drive.open(browser, { errors });
    await drive.signIn(other, server.url);
    await other.waitForTimeout(500); // until it listens
    const folder = `live-${Date.now()}`;
    const api = await new drive.Api(server.url).signIn();
    await api.call('POST', '/file/create', { uri: drive.uriOf(folder), type: 'folder' });
    await row(other, folder).waitFor({ timeout: 5_000 });
    await row(page, folder).waitFor({ timeout: 5_000 });
    await api.call('POST', '/file/rename', { uri: drive.uriOf(folder), new_name: `${folder}-b` });
    await row(other, `${folder}-b`).waitFor({ timeout: 5_000 });
    await other.context().close();
    await page.context().close();
  });

  test('two windows, one expired token: both stay signed in', async () => {
    const page = await drive.open(browser, { errors });
    await drive.signIn(page, server.url);
    const other = await page.context().newPage();
    await other.goto(`${server.url}/files`);
    await other.getByRole('button', { name: 'Upload', exact: true }).waitFor();
    let refreshes = 0;
    await page.context().route('**/session/token/refresh', (r) => {
      refreshes++;
      return r.continue();
    });
    await page.evaluate(() => {
      const key = 'wharfinger.sign-in';
      const signIn = JSON.parse(localStorage.getItem(key) as string);
      localStorage.setItem(key, JSON.stringify({ ...signIn, accessUntil: 0 }));
    });
    await Promise.all(
      [page, other].map((p) => p.getByRole('button', { name: 'Sort by Size' }).click()),
    );
    await page.waitForTimeout(1500);
    expect(refreshes).toBe(1);
    for (const p of [page, other]) expect(p.url()).toContain('/files');
    await page.context().close();
  });
});
