// Starts the real server on a free port with a data directory of its own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const binary = resolve(process.env['WHARF_BIN'] ?? join(import.meta.dirname, '../../bin/wharf'));

export const email = 'ann@example.test';
export const password = 'correct horse battery';

export interface Server {
  url: string;
  /** The same for what does not know names. */
  local: string;
  port: number;
  data: string;
  /** Audits the data as an operator would, and says what it printed. */
  doctor(...args: string[]): string;
  /** What it has printed: the set-up link is in it. */
  log(): string;
  stop(): Promise<void>;
  /** Ends the process at once and starts it again on the same data and port. */
  crash(): Promise<void>;
}

interface Options {
  /** Without an account, as after the installation. */
  fresh?: boolean;
  /** A public address, with a name: stores call none on this machine. */
  named?: boolean;
  env?: Record<string, string>;
  port?: number;
}

export async function startServer(options: Options = {}): Promise<Server> {
  if (!existsSync(binary)) throw new Error(`${binary} is missing: run "make build" first`);
  const data = mkdtempSync(join(tmpdir(), 'wharf-e2e-'));
  const port = options.port ?? (await freePort());
  const local = `http://127.0.0.1:${port}`;
  const url = options.named ? `http://wharf.localhost:${port}` : local;
  let log = '';
  let child: ChildProcess;

  const start = async () => {
    const account = { WHARF_ADMIN_EMAIL: email, WHARF_ADMIN_PASSWORD: password };
    const args = ['serve', '--data', data, '--listen', `127.0.0.1:${port}`];
    if (options.named) args.push('--site-url', url);
    child = spawn(binary, args, {
      env: { ...process.env, ...(options.fresh ? {} : account), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout?.on('data', (d) => {
      log += d;
    });
    child.stderr?.on('data', (d) => {
      log += d;
    });
    await until(
      async () => (await fetch(`${local}/api/v4/site/ping`)).ok,
      20_000,
      () => log,
    );
  };
  const end = (signal: NodeJS.Signals) =>
    new Promise<void>((done) => {
      if (child.exitCode !== null) return done();
      child.once('exit', () => done());
      child.kill(signal);
    });

  await start();
  return {
    url,
    local,
    port,
    data,
    doctor: (...args) => {
      const { stdout, stderr } = spawnSync(binary, ['doctor', '--data', data, ...args]);
      return String(stdout) + String(stderr);
    },
    log: () => log,
    async stop() {
      await end('SIGTERM');
      rmSync(data, { recursive: true, force: true });
    },
    async crash() {
      await end('SIGKILL');
      await start();
    },
  };
}

export async function until(
  check: () => Promise<boolean> | boolean,
  ms: number,
  why: () => string = () => '',
): Promise<void> {
  const end = Date.now() + ms;
  for (;;) {
    if (await Promise.resolve(check()).catch(() => false)) return;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${check}\n${why()}`);
    await new Promise((r) => setTimeout(r, 100));
  }
}

export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}
