// Starts the emulator of a vendor's store; whoever has it for a proxy finds the bucket there.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Kind = 'cos' | 'ks3' | 'obs' | 'oss';

/** What a policy needs, as the program says it. */
interface Place {
  proxy: string;
  /** File with a certificate that the server must trust. */
  trust: string;
  type: Kind;
  server: string;
  /** Where the parts go. */
  origin: string;
  bucket_name: string;
  region: string;
  access_key: string;
  secret_key: string;
}

export interface Vendor extends Place {
  /** Reads what is at an address of the bucket. */
  read(url: string, take: (bytes: Buffer) => void): Promise<void>;
  stop(): void;
}

const root = join(import.meta.dirname, '../..');
let built: string | undefined;

function program(): string {
  if (built) return built;
  const path = join(mkdtempSync(join(tmpdir(), 'wharf-stand-')), 'stand');
  const { status, stderr } = spawnSync('go', ['build', '-o', path, './test/emu/stand'], {
    cwd: root,
  });
  if (status !== 0) throw new Error(`the emulators do not build: ${stderr}`);
  built = path;
  return path;
}

export function forget(): void {
  if (built) rmSync(join(built, '..'), { recursive: true, force: true });
  built = undefined;
}

/** `site` is where callbacks go; without it they are lost. */
export async function startVendor(kind: Kind, site?: string): Promise<Vendor> {
  const child = spawn(program(), ['-kind', kind, ...(site ? ['-site', site] : [])], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((done, fail) => {
    child.stdout.once('data', (bytes) => done(String(bytes)));
    child.once('exit', () => fail(new Error(`the emulator of ${kind} has ended`)));
  });
  const place = JSON.parse(line) as Place;
  const { hostname, port } = new URL(place.proxy);
  return {
    ...place,
    read: (url, take) =>
      new Promise((done, fail) => {
        const { host } = new URL(url);
        request({ hostname, port, path: url, headers: { host } }, (reply) => {
          if (reply.statusCode !== 200) fail(new Error(`${url}: ${reply.statusCode}`));
          reply.on('data', take);
          reply.on('end', done);
          reply.on('error', fail);
        })
          .on('error', fail)
          .end();
      }),
    stop: () => child.stdin.end(),
  };
}
