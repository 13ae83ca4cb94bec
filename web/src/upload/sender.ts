import { ApiError, Code } from '@/api/error';
import type { Clock } from '@/lib/clock';
import { tryAgain } from './backoff';
import { type Job, tell } from './job';
import type { Pace } from './pace';
import { Parts, type Piece } from './parts';
import { allChunks, receivedChunks } from './plan';
import { sameAs } from './resume';
import { LocalError, type Waiter } from './retry';
import type { Hasher, Part, Ticket, Upload, UploadServer } from './server';

export interface SenderDeps {
  server: UploadServer;
  hasher: Hasher;
  /** Sends a chunk when its turn comes among those of all files. */
  send(part: Part): Promise<void>;
  clock: Clock;
  pace: Pace;
  /** Chunks of one file at a time, unless the storage says less. */
  chunksAtOnce: number;
  /** Bytes went out or came to be confirmed; negative when they are to be sent again. */
  moved(job: Job, sent: number, confirmed: number): void;
  changed(job: Job): void;
}

/** How often a piece that crosses others is cut anew. */
const mostCuts = 8;

/** Sends the chunks that one session lacks, and keeps the account of bytes. */
export class Sender {
  private parts: Parts;
  private concurrency = 1;
  private readonly inFlight = new Map<number, number>();
  private asking: Promise<void> | undefined;

  constructor(
    private readonly job: Job,
    private readonly deps: SenderDeps,
    private readonly waiter: Waiter,
  ) {
    this.parts = new Parts({ size: 0, chunkSize: 0 }, 0, job.held);
  }

  /** A session that holds nothing yet. */
  begin({ chunkSize, concurrency, pieceAlign = 0, straight }: Ticket): void {
    this.limit(concurrency);
    this.restart(chunkSize, pieceAlign);
    this.goStraight(straight, chunkSize);
  }

  /** Takes over what the server says it holds. */
  take(upload: Upload): void {
    const { job } = this;
    this.goStraight(upload.straight, upload.chunkSize);
    const plan = { size: job.size, chunkSize: upload.chunkSize };
    this.limit(upload.concurrency);
    job.keptUntil = upload.expires;
    job.durability = upload.durability;
    this.parts = this.parts.under(plan, upload.pieceAlign ?? 0, job.held);
    const whole = upload.state === 'done' || upload.state === 'sealing';
    const received = whole ? allChunks(plan) : receivedChunks(plan, upload.received);
    for (const index of received) {
      if (job.held.has(index)) continue;
      job.held.add(index);
      job.resumed = true;
    }
    if (!whole && this.parts.takePieces(upload.received)) job.resumed = true;
    this.account();
  }

  /** Begins again with what the server says, also where that is less than it was. */
  retake(upload: Upload): void {
    if (upload.straight) this.empty(upload.chunkSize, 0);
    this.take(upload);
  }

  /** The session is gone, and what it held. */
  forget(): void {
    this.restart(0, 0);
  }

  /** Resolves when the server has confirmed every chunk; throws what stopped it. */
  async sendAll(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const forward = () => stop.abort(signal.reason);
    signal.addEventListener('abort', forward, { once: true });
    if (signal.aborted) forward();

    // The lanes share one cursor; the first that fails for good stops the others.
    this.parts.rewind();
    const lane = async () => {
      for (let next = this.claim(); next; next = this.claim()) {
        await this.sendRange(next, stop.signal);
        this.parts.release(next);
      }
    };
    const lanes = Array.from({ length: this.concurrency }, () => lane);
    this.waiter.lanes = lanes.length;
    await Promise.all(
      lanes.map((run) =>
        run()
          .catch((error) => stop.abort(error))
          .finally(() => {
            this.waiter.lanes--;
          }),
      ),
    );
    this.waiter.lanes = 1;
    signal.removeEventListener('abort', forward);
    stop.signal.throwIfAborted();
  }

  private claim(): Piece | undefined {
    return this.parts.claim(this.deps.pace.limit);
  }

  /** Sends what the server lacks of a range, in as many bodies as it takes. */
  private async sendRange(range: Piece, signal: AbortSignal): Promise<void> {
    const { job, deps } = this;
    let failures = 0;
    for (;;) {
      const piece = this.parts.within(range, deps.pace.limit);
      if (!piece) return;
      const [from, to] = piece.range;
      try {
        await this.sendOnce(piece, signal);
        failures = 0;
      } catch (error) {
        const sent = this.inFlight.get(from) ?? 0;
        this.sentOf(from, 0);
        signal.throwIfAborted();
        const known = error instanceof ApiError ? error : undefined;
        if (known?.is(Code.changedMeanwhile)) throw new LocalError('mismatch');
        const limit = deps.pace.limit;
        const smaller = this.parts.align > 0 && deps.pace.failed(to - from, sent, error);
        if (deps.pace.limit < limit)
          tell(job, {
            at: deps.clock.now(),
            what: 'smaller',
            bytes: deps.pace.limit,
            error: known,
          });
        failures++;
        if (smaller && known?.status === 413) continue; // known at once, and nothing arrived
        if (!this.crossed(known, failures)) {
          if (!tryAgain(error, failures - 1)) throw error;
          deps.changed(job);
          await this.waiter.wait(error, failures - 1, signal);
        }
        await this.ask(signal);
      }
    }
  }

  /** Someone else cut the chunk in another way: what is missing is known after asking. */
  private crossed(error: ApiError | undefined, failures: number): boolean {
    const length = error?.is(Code.chunkLength) ?? false;
    return length && this.parts.align > 0 && failures <= mostCuts;
  }

  private async sendOnce(piece: Piece, signal: AbortSignal): Promise<void> {
    const { job, deps } = this;
    const [from, to] = piece.range;
    signal.throwIfAborted();
    const body = (job.file as File).slice(from, to);
    // Past the server nobody compares chunks; of the whole there is one sum of sums.
    const crc = job.sums && (await deps.hasher.crc(body));
    const digest = crc === undefined ? await deps.hasher.chunk(body) : '';
    signal.throwIfAborted();
    await deps.send({
      sessionId: job.sessionId as string,
      index: piece.index,
      ...(!piece.whole && { range: piece.range, size: job.size }),
      body,
      digest,
      signal,
      onSent: (bytes) => this.sentOf(from, bytes),
    });
    this.inFlight.delete(from);
    if (crc !== undefined) job.sums?.crcs.set(piece.index, crc);
    this.parts.add(piece);
    deps.pace.passed(to - from);
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
      const { server, hasher } = this.deps;
      const { sessionId, file } = this.job;
      this.take(await server.show(sessionId as string, signal, sameAs(file, hasher)));
    } catch (error) {
      if (!tryAgain(error, 0)) throw error; // else the chunk itself will find out
    }
  }

  private restart(chunkSize: number, align: number): void {
    this.empty(chunkSize, align);
    this.account();
  }

  private empty(chunkSize: number, align: number): void {
    this.job.held = new Set();
    this.parts = new Parts({ size: this.job.size, chunkSize }, align, this.job.held);
  }

  private goStraight(straight: boolean | undefined, chunkSize: number): void {
    const { job } = this;
    if (!straight) job.sums = undefined;
    else if (job.sums?.chunkSize !== chunkSize) job.sums = { chunkSize, crcs: new Map() };
  }

  private sentOf(from: number, bytes: number): void {
    if (bytes === 0) this.inFlight.delete(from);
    else this.inFlight.set(from, bytes);
    this.account();
  }

  /** Brings the job's numbers in line with what is held and in flight. */
  private account(): void {
    const { job } = this;
    const confirmed = this.parts.bytes();
    let sent = confirmed;
    for (const [from, bytes] of this.inFlight) if (!this.parts.has(from)) sent += bytes;
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
