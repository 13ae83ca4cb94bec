// A file that is too large for memory, on disk, as people choose it.
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { noise } from './drive';

export interface BigFile {
  path: string;
  /** SHA-256 in hexadecimal. */
  sum: string;
  remove(): void;
}

export function bigFile(name: string, mebibytes: number): BigFile {
  const path = join(mkdtempSync(join(tmpdir(), 'wharf-big-')), name);
  const block = noise(1024 ** 2);
  const hash = createHash('sha256');
  const fd = openSync(path, 'w');
  for (let i = 0; i < mebibytes; i++) {
    block.writeUInt32BE(i);
    writeSync(fd, block);
    hash.update(block);
  }
  closeSync(fd);
  return {
    path,
    sum: hash.digest('hex'),
    remove: () => rmSync(dirname(path), { recursive: true }),
  };
}
