import { md5 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { base64, Crc64Nvme, sha256Of } from './digest';

export interface Question {
  id: number;
  what: 'chunk' | 'file' | 'md5';
  body: Blob;
}

export interface Answer {
  id: number;
  digest?: string;
}

/** Larger chunks are hashed piece by piece instead of being held in memory whole. */
const wholeLimit = 64 * 1024 * 1024;
const piece = 4 * 1024 * 1024;

/** Runs in a worker. Throws when the file cannot be read. */
export async function compute({ what, body }: Question): Promise<string> {
  if (what === 'chunk') {
    if (body.size <= wholeLimit)
      return base64(await sha256Of(new Uint8Array(await body.arrayBuffer())));
    const hash = sha256.create();
    await pieces(body, (bytes) => hash.update(bytes));
    return base64(hash.digest());
  }
  if (what === 'md5') {
    const hash = md5.create();
    await pieces(body, (bytes) => hash.update(bytes));
    return bytesToHex(hash.digest());
  }
  const crc = new Crc64Nvme();
  await pieces(body, (bytes) => crc.update(bytes));
  return base64(crc.digest());
}

async function pieces(body: Blob, take: (bytes: Uint8Array) => void): Promise<void> {
  for (let at = 0; at < body.size; at += piece)
    take(new Uint8Array(await body.slice(at, at + piece).arrayBuffer()));
}
