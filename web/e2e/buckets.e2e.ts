import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import * as drive from './drive';
import * as gateway from './gateway';
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
  await page.getByText('Saved.').waitFor();
  await page.getByRole('button', { name: 'Test Far shore' }).click();
  await page.getByText('store an object: works').waitFor();
  await page.getByText('may send to the bucket (CORS): fails').waitFor();
  await drive.expectAccessible(page);

  await page.getByRole('button', { name: 'Let browsers in (CORS)' }).click();
  await page.getByText('may send to the bucket (CORS): works').waitFor();
  await page.getByText('may read the ETag of what it sent: works').waitFor();
  await page.context().close();
});
