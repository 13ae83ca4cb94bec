import { ApiError, Code } from '@/api/error';
import type { Clock } from '@/lib/clock';
import { uriOf } from '@/lib/path';
import { backoff, sessionLost, tryAgain } from './backoff';
import { crcIn } from './digest';
import { type Job, pathOfJob } from './job';
import { chunkCount, chunkRange } from './plan';
import { LocalError } from './retry';
import type { Hasher, Sum, Upload, UploadServer } from './server';

interface ConfirmDeps {
  server: UploadServer;
  hasher: Hasher;
  clock: Clock;
  random(): number;
}

/**
 * The last step: every chunk has been sent, now the server must say that the
 * file is there. Says "verified" only if each byte was compared: chunk by chunk
 * under this page's eyes, or the whole file by its CRC-64 when a part came from
 * elsewhere. Resolves `false` when chunks turn out to be missing.
 */
export async function confirm(job: Job, deps: ConfirmDeps, signal: AbortSignal): Promise<boolean> {
  if (!job.file || !job.sessionId) return true;
  const upload = await finalState(job, deps, signal);
  if (upload?.state === 'open') return false;
  if (!upload) {
    // A server that forgets finished sessions: the file itself must do as proof.
    const stored = await persist(deps, signal, () =>
      deps.server.stat(uriOf(pathOfJob(job)), signal),
    );
    if (!stored || stored.pending) throw new LocalError('lost');
    if (stored.size !== job.size) throw new LocalError('mismatch');
    job.verified = false;
    return true;
  }
  if (upload.state !== 'done') throw new LocalError('lost');
  if (upload.size !== job.size) throw new LocalError('mismatch');
  job.digest = upload.digest;
  job.verified = !job.resumed || (await sameContent(job, job.file, upload.digest, deps, signal));
  return true;
}

/** Asks until the server has made up its mind; undefined when it knows no such session. */
async function finalState(
  job: Job,
  deps: ConfirmDeps,
  signal: AbortSignal,
): Promise<Upload | undefined> {
  for (let turn = 0; ; turn++) {
    try {
      const id = job.sessionId as string;
      const upload = await persist(deps, signal, () => deps.server.show(id, signal));
      if (upload.state !== 'sealing') return upload;
    } catch (error) {
      if (sessionLost(error)) return undefined;
      throw error;
    }
    await deps.clock.sleep(Math.min(4000, 250 * 2 ** turn), signal);
  }
}

/** False when nothing can be compared; throws when the contents differ. */
async function sameContent(
  job: Job,
  file: File,
  digest: string | undefined,
  { hasher }: ConfirmDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const stored = crcIn(digest);
  if (stored === undefined) return false;
  const ours = await crcOf(job, file, hasher, signal);
  signal.throwIfAborted();
  if (ours !== stored) throw new LocalError('mismatch');
  return true;
}

/** Of a file; what was read for it already, to be sent, is not read again. */
async function crcOf(job: Job, file: File, hasher: Hasher, signal: AbortSignal): Promise<string> {
  if (!job.sums?.crcs.size) return hasher.file(file, signal);
  const { chunkSize, crcs } = job.sums;
  const plan = { size: file.size, chunkSize };
  const sums: Sum[] = [];
  for (let index = 0; index < chunkCount(plan); index++) {
    const [from, to] = chunkRange(plan, index);
    const crc = crcs.get(index) ?? (await hasher.crc(file.slice(from, to)));
    signal.throwIfAborted();
    sums.push({ crc, length: to - from });
  }
  return hasher.join(sums);
}

async function persist<T>(
  deps: ConfirmDeps,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      const known = error instanceof ApiError && !error.is(Code.locked);
      if (!known || !tryAgain(error, failures)) throw error;
      await deps.clock.sleep(backoff(failures, deps.random, error.retryAfterMs), signal);
    }
  }
}
