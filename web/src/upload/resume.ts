import { pathOf } from '@/lib/path';
import { crcIn } from './digest';
import type { Hasher, Same, Upload } from './server';

export type Mismatch = 'name' | 'size' | 'date';

/** Why a chosen file cannot be the one that an unfinished upload began with. */
export function mismatch(file: File, upload: Upload): Mismatch | undefined {
  if (file.name !== pathOf(upload.uri).at(-1)) return 'name';
  if (file.size !== upload.size) return 'size';
  if (upload.lastModified !== 0 && file.lastModified !== upload.lastModified) return 'date';
  return undefined;
}

/** Pairs chosen files with unfinished uploads; each upload takes one file. */
export function pair(files: Iterable<File>, uploads: Iterable<Upload>): [File, Upload][] {
  const open = new Set(uploads);
  const pairs: [File, Upload][] = [];
  for (const file of files) {
    for (const upload of open) {
      if (mismatch(file, upload)) continue;
      open.delete(upload);
      pairs.push([file, upload]);
      break;
    }
  }
  return pairs;
}

/**
 * Compares what the server says of some of the bytes it has with the file at hand:
 * name, size and date are the same for a file that was written anew within a second,
 * and for one whose date was set back.
 */
export async function holds(
  upload: Upload,
  file: File,
  hasher: Hasher,
  signal: AbortSignal,
): Promise<boolean> {
  for (const { range, digest } of upload.samples ?? []) {
    const theirs = crcIn(digest);
    if (theirs === undefined) continue;
    const ours = await hasher.file(file.slice(...range), signal);
    signal.throwIfAborted();
    if (ours !== theirs) return false;
  }
  return true;
}

/** Compares by MD5 with a file. */
export function sameAs(file: File | undefined, hasher: Hasher): Same {
  return async (range, md5) => !!file && (await hasher.md5(file.slice(...range))) === md5;
}
