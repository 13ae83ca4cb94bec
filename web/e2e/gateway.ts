// Starts versitygw, a real S3 server over plain files, on loopback.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, until } from './server';

const version = 'v1.8.0'; // as in the Makefile

export const access = 'AKIAGATEWAYFORTESTS1';
export const secret = 'tests+only/not=a=secret';
export const bucket = 'cargo';

export interface Gateway {
  url: string;
  stop(): void;
}

const path = () =>
  process.env['WHARF_TEST_S3GW'] ??
  join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'wharfinger-tools',
    `versitygw@${version}`,
    'versitygw',
  );

/** A server with an empty bucket. */
export async function startGateway(): Promise<Gateway> {
  if (!existsSync(path())) throw new Error(`${path()} is missing: make has it`);
  const dir = mkdtempSync(join(tmpdir(), 'wharf-s3-'));
  mkdirSync(join(dir, bucket));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child: ChildProcess = spawn(
    path(),
    [
      '--access',
      access,
      '--secret',
      secret,
      '--region',
      'us-east-1',
      '--port',
      `127.0.0.1:${port}`,
      '--quiet',
      'posix',
      dir,
    ],
    { env: { HOME: dir, PATH: process.env['PATH'] ?? '' }, stdio: 'ignore' },
  );
  await until(
    async () => (await fetch(url)).status > 0,
    20_000,
    () => 'versitygw does not answer',
  );
  return {
    url,
    stop() {
      child.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
