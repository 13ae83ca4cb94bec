import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import * as drive from './drive';
import { email, password, type Server, startServer } from './server';

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

/** What an app shows for a secret (RFC 6238). */
function code(secret: string, at = Date.now()): string {
  const bits = [...secret.replace(/\s/g, '')]
    .map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => Number.parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const sum = createHmac('sha1', key).update(step).digest();
  const from = (sum[19] as number) & 15;
  return String((sum.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true });

async function toAccount(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('menuitem', { name: 'Your account…' }).click();
  await page.getByRole('heading', { name: 'Signed-in devices' }).waitFor();
}

test('a name, a picture, another password, and the other devices are out', async () => {
  const page = await drive.open(browser, { errors });
  await drive.signIn(page, server.url);
  const other = await drive.open(browser);
  await drive.signIn(other, server.url);

  await toAccount(page);
  await section(page, 'Signed-in devices').getByRole('listitem').nth(1).waitFor();
  await drive.expectAccessible(page);
  await page.getByLabel('Name', { exact: true }).fill('Ann of the Wharf');
  await section(page, 'You').getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  const picture = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAYAAAC56t6BAAAAF0lEQVR4nGJigAKm/wwM/xmQASAAAP//H1YCA4C1oV8AAAAASUVORK5CYII=',
    'base64',
  );
  await page
    .locator('input[type=file][accept="image/*"]')
    .setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: picture });
  await page.getByRole('img', { name: 'Your picture' }).waitFor();

  const secret = section(page, 'Password');
  await secret.getByLabel('Present password').fill('not the password');
  await secret.getByLabel('New password').fill('another battery');
  await secret.getByRole('button', { name: 'Change the password' }).click();
  await page.getByText('The present password is not right.').waitFor();
  await secret.getByLabel('Present password').fill(password);
  await secret.getByRole('button', { name: 'Change the password' }).click();
  await page.getByText('The password is changed.').waitFor();
  await other.reload();
  await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.reload();
  await expect
    .poll(() => page.getByLabel('Name', { exact: true }).inputValue())
    .toBe('Ann of the Wharf');
  await expect.poll(() => section(page, 'Signed-in devices').getByRole('listitem').count()).toBe(1);

  await secret.getByLabel('Present password').fill('another battery');
  await secret.getByLabel('New password').fill(password);
  await secret.getByRole('button', { name: 'Change the password' }).click();
  await page.getByText('The password is changed.').waitFor();
  await page.context().close();
  await other.context().close();
});

test('a second factor is set up, asked for, and switched off', async () => {
  const page = await drive.open(browser, { errors });
  await drive.signIn(page, server.url);
  await toAccount(page);
  const factor = section(page, 'Second factor');
  await factor.getByRole('button', { name: 'Set it up' }).click();
  await factor.getByRole('img').waitFor();
  await drive.expectAccessible(page);
  const shown = await factor.getByText(/^([A-Z2-7]{4} ?){8}$/).textContent();
  const first = code(shown ?? '');
  await factor.getByLabel('Code').fill(first);
  await factor.getByRole('button', { name: 'Switch it on' }).click();
  await page.getByText('The second factor is on.').waitFor();
  const list = factor.getByRole('list', { name: 'Recovery codes' });
  await expect.poll(() => list.getByRole('listitem').count()).toBe(10);
  const codes = await list.getByRole('listitem').allTextContents();
  await drive.expectAccessible(page);
  const saving = page.waitForEvent('download');
  await factor.getByRole('link', { name: 'Download' }).click();
  const saved = await saving;
  expect(saved.suggestedFilename()).toBe('recovery codes of 127.0.0.1.txt');
  expect(readFileSync(await saved.path(), 'utf8')).toBe(`${codes.join('\n')}\n`);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await factor.getByRole('button', { name: 'Copy' }).click();
  await page.getByText('The codes are copied.').waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${codes.join('\n')}\n`);
  await factor.getByRole('button', { name: 'I have kept them' }).click();
  await list.waitFor({ state: 'detached' });
  await factor.getByText('10 recovery codes are left').waitFor();

  const other = await drive.open(browser, { errors });
  await other.goto(server.url);
  await other.getByLabel('E-mail').fill(email);
  await other.getByLabel('Password', { exact: true }).fill(password);
  await other.getByRole('button', { name: 'Sign in', exact: true }).click();
  await other.getByLabel('Code').fill(first);
  await other.getByRole('button', { name: 'Sign in', exact: true }).click();
  await other.getByText('This code is not right.').waitFor();
  await drive.expectAccessible(other);
  // The next code is good up to half a minute before its time.
  const next = code(shown ?? '', Date.now() + 30_000);
  await other.getByLabel('Code').fill(next);
  await other.getByRole('button', { name: 'Sign in', exact: true }).click();
  await other.waitForURL('**/files**');

  // Without the phone: one code signs in, once; another makes new ones.
  for (const way of ['taken', 'refused'] as const) {
    const lost = await drive.open(browser, { errors });
    await lost.goto(server.url);
    await lost.getByLabel('E-mail').fill(email);
    await lost.getByLabel('Password', { exact: true }).fill(password);
    await lost.getByRole('button', { name: 'Sign in', exact: true }).click();
    await lost.getByRole('button', { name: 'Use a recovery code' }).click();
    await lost.getByLabel('Recovery code').fill((codes[0] ?? '').toLowerCase());
    await drive.expectAccessible(lost);
    await lost.getByRole('button', { name: 'Sign in', exact: true }).click();
    if (way === 'taken') await lost.waitForURL('**/files**');
    else await lost.getByText('This code is not right.').waitFor();
    await lost.context().close();
  }
  await page.reload();
  await factor.getByText('9 recovery codes are left').waitFor();
  await factor.getByRole('button', { name: 'New recovery codes' }).click();
  await factor.getByLabel('Code').fill(codes[0] ?? '');
  await factor.getByRole('button', { name: 'New recovery codes' }).click();
  await page.getByText('This code is not right.').waitFor();
  await factor.getByLabel('Code').fill(codes[1] ?? '');
  await factor.getByRole('button', { name: 'New recovery codes' }).click();
  await page.getByText('There are new recovery codes.').waitFor();
  expect(await list.getByRole('listitem').allTextContents()).not.toContain(codes[2]);
  await factor.getByRole('button', { name: 'I have kept them' }).click();

  await factor.getByRole('button', { name: 'Switch it off' }).click();
  await page.waitForTimeout(31_000);
  await factor.getByLabel('Code').fill(code(shown ?? '', Date.now() + 30_000));
  await factor.getByRole('button', { name: 'Switch it off' }).click();
  await page.getByText('The second factor is off.').waitFor();
  await page.context().close();
  await other.context().close();
});

test('which former contents are kept is said, and stays', async () => {
  const page = await drive.open(browser, { errors });
  await drive.signIn(page, server.url);
  await toAccount(page);
  const versions = section(page, 'Former contents');
  const most = versions.getByLabel('How many contents of a file, at most');
  const ext = versions.getByLabel('Only of files with these extensions');
  const keep = versions.getByLabel('Keep former contents');
  const save = versions.getByRole('button', { name: 'Save' });
  await most.fill('3');
  await ext.fill('.TXT; md txt');
  await save.click();
  await page.getByText('Saved.').waitFor();
  await expect.poll(() => ext.inputValue()).toBe('txt, md');
  await drive.expectAccessible(page);
  await ext.fill('../etc');
  await save.click();
  await versions.getByRole('alert').waitFor();
  await page.reload();
  await expect.poll(() => ext.inputValue()).toBe('txt, md');
  expect(await most.inputValue()).toBe('3');

  await keep.uncheck();
  await save.click();
  await most.waitFor({ state: 'detached' });
  await page.reload();
  await expect.poll(() => keep.isChecked()).toBe(false);
  await keep.check();
  await ext.fill('');
  await save.click();
  await expect.poll(() => most.inputValue()).toBe('10'); // as many as the site allows
  expect(await ext.inputValue()).toBe('');
  await page.context().close();
});

test('a passkey is added, signs in, and is removed', async () => {
  const at = server.url.replace('127.0.0.1', 'localhost');
  const page = await drive.open(browser, { errors });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await drive.signIn(page, at);
  await toAccount(page);
  const keys = section(page, 'Passkeys');
  await keys.getByLabel('Name of the passkey').fill('Laptop');
  await keys.getByRole('button', { name: 'Add a passkey' }).click();
  await keys.getByText('never used').waitFor();
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByRole('heading', { name: 'Signed-in devices' }).waitFor();
  await keys.getByText('used just now').waitFor();
  await keys.getByRole('button', { name: 'Remove Laptop' }).click();
  await keys.getByText('used just now').waitFor({ state: 'detached' });
  await page.context().close();
});
