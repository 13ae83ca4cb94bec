import { ApiError, Code } from '@/api/error';
import type { Clock } from '@/lib/clock';
import { tryAgain } from './backoff';
import type { Job } from './job';
import { allChunks, bytesOf, chunkCount, chunkRange, type Plan, receivedChunks } from './plan';
import { LocalError, type Waiter } from './retry';
import type { Hasher, Part, Upload, UploadServer } from './server';

export interface SenderDeps {
  server: UploadServer;
  hasher: Hasher;
  /** Sends a chunk when its turn comes among those of all files. */
  send(part: Part): Promise<void>;
  clock: Clock;
  /** Chunks of one file at a time, unless the storage says less. */
  chunksAtOnce: number;
  /** Bytes went out or came to be confirmed; negative when they are to be sent again. */
  moved(job: Job, sent: number, confirmed: number): void;
  changed(job: Job): void;
}

/** Sends the chunks that one session lacks, and keeps the account of bytes. */
export class Sender {
  private plan: Plan = { size: 0, chunkSize: 0 };
  private concurrency = 1;
  private readonly inFlight = new Map<number, number>();
  private asking: Promise<void> | undefined;

  constructor(
    private readonly job: Job,
    private readonly deps: SenderDeps,
    private readonly waiter: Waiter,
  ) {}

  /** A session that holds nothing yet. */
  begin(chunkSize: number, concurrency: number | undefined): void {
    this.plan = { size: this.job.size, chunkSize };
    this.limit(concurrency);
    this.job.held = new Set();
    this.account();
  }

  /** Takes over what the server says it holds. */
  take(upload: Upload): void {
    const { job } = this;
    this.plan = { size: job.size, chunkSize: upload.chunkSize };
    this.limit(upload.concurrency);
    job.keptUntil = upload.expires;
    job.durability = upload.durability;
    const whole = upload.state === 'done' || upload.state === 'sealing';
    const received = whole ? allChunks(this.plan) : receivedChunks(this.plan, upload.received);
    for (const index of received) {
      if (job.held.has(index)) continue;
      job.held.add(index);
      job.resumed = true;
    }
    this.account();
  }

  /** The session is gone, and what it held. */
  forget(): void {
    this.job.held = new Set();
    this.plan = { size: this.job.size, chunkSize: 0 };
    this.account();
  }

  /** Resolves when the server has confirmed every chunk; throws what stopped it. */
  async sendAll(signal: AbortSignal): Promise<void> {
    const missing: number[] = [];
    for (let i = 0; i < chunkCount(this.plan); i++) if (!this.job.held.has(i)) missing.push(i);

    const stop = new AbortController();
    const forward = () => stop.abort(signal.reason);
    signal.addEventListener('abort', forward, { once: true });
    if (signal.aborted) forward();

    // The lanes share one cursor; the first that fails for good stops the others.
    const cursor = missing.values();
    const lane = async () => {
      for (let next = cursor.next(); !next.done; next = cursor.next())
        await this.sendChunk(next.value, stop.signal);
    };
    this.waiter.lanes = Math.max(1, Math.min(this.concurrency, missing.length));
    const lanes = Array.from({ length: this.waiter.lanes }, () =>
      lane()
        .catch((error) => stop.abort(error))
        .finally(() => {
          this.waiter.lanes--;
        }),
    );
    await Promise.all(lanes);
    this.waiter.lanes = 1;
    signal.removeEventListener('abort', forward);
    stop.signal.throwIfAborted();
  }

  private async sendChunk(index: number, signal: AbortSignal): Promise<void> {
    const { job, deps } = this;
    for (let failures = 0; !job.held.has(index); failures++) {
      try {
        await this.sendOnce(index, signal);
        return;
      } catch (error) {
        this.sentOf(index, 0);
        signal.throwIfAborted();
        if (error instanceof ApiError && error.is(Code.changedMeanwhile))
          throw new LocalError('mismatch');
        if (!tryAgain(error, failures)) throw error;
        deps.changed(job);
        await this.waiter.wait(error, failures, signal);
        await this.ask(signal);
      }
    }
  }

  private async sendOnce(index: number, signal: AbortSignal): Promise<void> {
    const { job, deps } = this;
    signal.throwIfAborted();
    const body = (job.file as File).slice(...chunkRange(this.plan, index));
    const digest = await deps.hasher.chunk(body);
    signal.throwIfAborted();
    await deps.send({
      sessionId: job.sessionId as string,
      index,
      body,
      digest,
      signal,
      onSent: (bytes) => this.sentOf(index, bytes),
    });
    this.inFlight.delete(index);
    job.held.add(index);
    this.waiter.clear();
    this.account();
  }

  /** After a failure: what came through all the same? One question for all lanes. */
  private ask(signal: AbortSignal): Promise<void> {
    this.asking ??= this.askOnce(signal).finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  private async askOnce(signal: AbortSignal): Promise<void> {
    try {
      this.take(await this.deps.server.show(this.job.sessionId as string, signal));
    } catch (error) {
      if (!tryAgain(error, 0)) throw error; // else the chunk itself will find out
    }
  }

  private sentOf(index: number, bytes: number): void {
    if (bytes === 0) this.inFlight.delete(index);
    else this.inFlight.set(index, bytes);
    this.account();
  }

  /** Brings the job's numbers in line with what is held and in flight. */
  private account(): void {
    const { job } = this;
    const confirmed = bytesOf(this.plan, job.held);
    let sent = confirmed;
    for (const [index, bytes] of this.inFlight) if (!job.held.has(index)) sent += bytes;
    const moved = sent - job.sent;
    const settled = confirmed - job.confirmed;
    job.sent = sent;
    job.confirmed = confirmed;
    if (moved !== 0 || settled !== 0) this.deps.moved(job, moved, settled);
  }

  private limit(allowed: number | undefined): void {
    const most = this.deps.chunksAtOnce;
    this.concurrency = Math.max(1, Math.min(most, allowed ?? most));
  }
}
