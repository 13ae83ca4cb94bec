import { ApiError } from '@/api/error';
import type { Clock } from '@/lib/clock';
import { pathKey, uriOf } from '@/lib/path';
import { backoff, tryAgain } from './backoff';
import type { Board } from './board';
import { type Job, pathOfJob, tell } from './job';
import type { Pace } from './pace';
import { LocalError } from './retry';
import type { Hasher, SmallFile, UploadServer } from './server';

/** What the server takes in a batch. */
const smallest = 256 * 1024;
const mostFiles = 256;
const mostBytes = 4 * 1024 * 1024;
/** What a file costs beside its bytes: its line of the manifest and its frame. */
const overhead = 512;
/** How far down the line small files are looked for. */
const farthest = 1024;

interface BatchDeps {
  server: UploadServer;
  hasher: Hasher;
  clock: Clock;
  random(): number;
  pace: Pace;
  changed(): void;
}

/** What becomes of the files of a batch. */
export interface BatchEnds {
  arrived(job: Job): void;
  /** It goes on alone: as an upload of its own it has questions, retries and words. */
  alone(job: Job): void;
  failed(job: Job, error: unknown): void;
  /** It waits for its turn anew, in a smaller batch. */
  again(job: Job): void;
  /** It was not cancelled. */
  wanted(job: Job): boolean;
  /** The server takes files one by one. */
  noDoor(): void;
}

interface Read {
  job: Job;
  file: SmallFile;
}

/** Small files that wait, for one request. None if one would be alone in it. */
export function pickSmall(board: Board, pace: Pace, fits: (job: Job) => boolean): Job[] {
  const room = Math.min(mostBytes, pace.limit);
  const names = new Set<string>();
  const lot: Job[] = [];
  let bytes = 0;
  for (const job of board.waitingNew(farthest)) {
    if (!job.file || job.alone || job.size > smallest || job.onConflict || !fits(job)) continue;
    const name = pathKey(pathOfJob(job));
    const size = job.size + overhead + 3 * name.length;
    if (names.has(name) || bytes + size > room) continue;
    names.add(name);
    lot.push(job);
    bytes += size;
    if (lot.length === mostFiles) break;
  }
  return lot.length > 1 ? lot : [];
}

/** One request with many small files, again and again until each has its answer. */
export class Batch {
  private nap: AbortController | undefined;

  constructor(
    private readonly jobs: readonly Job[],
    private readonly deps: BatchDeps,
    private readonly ends: BatchEnds,
  ) {}

  /** Throws only the signal's reason, or that the sign-in is over; the rest wait then. */
  async run(signal: AbortSignal): Promise<void> {
    let left = await this.readAll(signal);
    for (let failures = 0; left.length > 0; failures++) {
      const before = left.filter(({ job }) => this.ends.wanted(job));
      if (before.length === 0) return;
      let error: unknown;
      try {
        const open = new Set(before);
        left = before;
        const known = await this.send(before, open, signal);
        left = [...open];
        if (!known) {
          this.ends.noDoor();
          break;
        }
      } catch (cause) {
        signal.throwIfAborted();
        if (cause instanceof ApiError && cause.signedOut) throw cause;
        error = cause;
        left = before.filter(({ job }) => job.state === 'running');
        const size = before.reduce((sum, { file }) => sum + file.body.size + overhead, 0);
        if (this.deps.pace.failed(size, 0, cause)) {
          for (const { job } of left) this.ends.again(job);
          return;
        }
        if (!tryAgain(cause, failures)) break;
      }
      if (left.length > 0) await this.wait(left, error, failures, signal);
    }
    for (const { job } of left) this.ends.alone(job);
  }

  /** Try now. */
  poke(): void {
    this.nap?.abort();
  }

  private async readAll(signal: AbortSignal): Promise<Read[]> {
    const { hasher, clock } = this.deps;
    const read = await Promise.all(
      this.jobs.map(async (job): Promise<Read | undefined> => {
        const { file, size } = job;
        if (!file) return undefined;
        tell(job, { at: clock.now(), what: 'began' });
        try {
          // In memory: one that changes meanwhile must not spoil the request of all.
          const body = new Blob([await file.arrayBuffer()]);
          if (body.size !== size) throw new LocalError('unreadable');
          const digest = `crc64nvme=:${await hasher.file(body, signal)}:`;
          const { lastModified, type: mimeType } = file;
          const uri = uriOf(pathOfJob(job));
          return { job, file: { uri, size, lastModified, mimeType, digest, body } };
        } catch {
          if (!signal.aborted) this.ends.failed(job, new LocalError('unreadable'));
          return undefined;
        }
      }),
    );
    signal.throwIfAborted();
    return read.filter((r) => r !== undefined);
  }

  /** False when the server knows no batches. Takes what is answered out of `open`. */
  private async send(lot: Read[], open: Set<Read>, signal: AbortSignal): Promise<boolean> {
    const { server, pace } = this.deps;
    const known = await server.batch?.(
      lot.map(({ file }) => file),
      ({ index, code }) => {
        const one = lot[index];
        if (!one || !open.delete(one)) return;
        if (code !== 0) {
          this.ends.alone(one.job);
          return;
        }
        one.job.verified = true; // the server compared its digest with ours
        one.job.digest = one.file.digest;
        this.ends.arrived(one.job);
      },
      signal,
    );
    if (known) pace.passed(lot.reduce((sum, { file }) => sum + file.body.size, 0));
    return known ?? false;
  }

  private async wait(
    left: readonly Read[],
    error: unknown,
    failures: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, random, changed } = this.deps;
    const known = error instanceof ApiError ? error : undefined;
    const ms = backoff(failures, random, known?.retryAfterMs);
    for (const { job } of left) {
      job.problem = { ...(known && { error: known }), retryAt: clock.now() + ms };
      job.state = 'retrying';
      tell(job, { at: clock.now(), what: 'retried', error: known });
    }
    changed();
    const nap = new AbortController();
    this.nap = nap;
    const stop = () => nap.abort();
    signal.addEventListener('abort', stop, { once: true });
    await clock.sleep(ms, nap.signal).catch(() => signal.throwIfAborted());
    signal.removeEventListener('abort', stop);
    for (const { job } of left) {
      job.state = 'running';
      job.problem = undefined;
    }
  }
}
