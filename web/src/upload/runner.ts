import { ApiError } from '@/api/error';
import type { Clock } from '@/lib/clock';
import { uriOf } from '@/lib/path';
import { Batch, pickSmall } from './batch';
import type { Board } from './board';
import { confirm } from './confirm';
import { type ConflictChoice, type Job, pathOfJob, tell } from './job';
import { Meter } from './meter';
import type { Pace } from './pace';
import { LocalError } from './retry';
import type { Hasher, Part, Upload, UploadServer } from './server';
import { Streams } from './streams';
import { begunUnseen } from './taken';
import { type Outcome, Transfer } from './transfer';

export interface RunnerOptions {
  server: UploadServer;
  hasher: Hasher;
  clock: Clock;
  random: () => number;
  pace: Pace;
  filesAtOnce: number;
  chunksAtOnce: number;
  sendsAtOnce: number;
}

export interface RunnerHooks {
  /** Nothing may start now. */
  held(): boolean;
  /** What the person chose for all of a batch. */
  choice(batch: number): ConflictChoice | undefined;
  changed(): void;
  settled(job: Job): void;
  signedOut(): void;
}

export type Stop = 'hold' | 'pause' | 'cancel';

interface Run {
  abort: AbortController;
  transfer: Transfer;
  ended: Promise<void>;
}

const listAge = 3_000;
const confirmsAtOnce = 4;

/** Gives slots to jobs, and takes what becomes of them. */
export class Runner {
  readonly meter = new Meter();
  /** Sessions this page works on. */
  readonly claimed = new Set<string>();
  private readonly runs = new Map<Job, Run>();
  private readonly confirming = new Map<Job, AbortController>();
  private readonly toConfirm: Job[] = [];
  private readonly batches = new Map<Batch, { abort: AbortController }>();
  private batchDoor: boolean;
  private listed: { at: number; uploads: Promise<Upload[]> } | undefined;

  private readonly streams: Streams;

  constructor(
    private readonly board: Board,
    private readonly options: RunnerOptions,
    private readonly hooks: RunnerHooks,
  ) {
    this.batchDoor = options.server.batch !== undefined;
    this.streams = new Streams(options.sendsAtOnce, () => options.clock.now());
  }

  /** Starts as many jobs as there are free slots. */
  fill(): void {
    while (!this.hooks.held() && this.runs.size + this.batches.size < this.options.filesAtOnce) {
      if (this.startBatch()) continue;
      const job = this.board.next();
      if (!job) break;
      this.start(job);
    }
    while (!this.hooks.held() && this.confirming.size < confirmsAtOnce) {
      const job = this.toConfirm.shift();
      if (!job) break;
      if (job.state === 'confirming') void this.startConfirm(job);
    }
  }

  /** Resolves when the job's run, if it has one, has ended. */
  async stop(job: Job, why: Stop): Promise<void> {
    const run = this.runs.get(job);
    run?.abort.abort(why);
    if (why === 'cancel') this.confirming.get(job)?.abort(why);
    await run?.ended;
  }

  /** Stops all runs; their jobs wait in front. */
  stopAll(): void {
    for (const { abort } of [...this.runs.values(), ...this.batches.values()])
      abort.abort('hold' satisfies Stop);
    this.meter.reset();
  }

  /** Ends the waits between tries: of one job, or of all. */
  poke(job?: Job): void {
    for (const [j, run] of this.runs) if (!job || j === job) run.transfer.waiter.poke();
    for (const batch of this.batches.keys()) batch.poke();
  }

  unfinished(fresh = false): Promise<Upload[]> {
    const now = this.options.clock.now();
    if (fresh || !this.listed || now - this.listed.at > listAge)
      this.listed = { at: now, uploads: this.options.server.list() };
    return this.listed.uploads;
  }

  /** Tells the server that a cancelled job's session is not wanted. */
  async discard(job: Job): Promise<void> {
    let { sessionId } = job;
    if (!sessionId && job.unanswered) {
      const { server, hasher } = this.options;
      const deps = {
        server,
        hasher,
        claimed: this.claimed,
        unfinished: () => this.unfinished(true),
      };
      sessionId = (await begunUnseen(job, deps))?.sessionId;
    }
    if (!sessionId) return;
    await this.options.server.discard(sessionId, uriOf(pathOfJob(job))).catch(() => {});
    this.claimed.delete(sessionId);
    this.listed = undefined;
  }

  private start(job: Job): void {
    const { server, hasher, clock, random, pace, chunksAtOnce } = this.options;
    const abort = new AbortController();
    const deps = {
      server,
      hasher,
      clock,
      random,
      pace,
      chunksAtOnce,
      claimed: this.claimed,
      send: (part: Part) => this.send(part),
      unfinished: (fresh?: boolean) => this.unfinished(fresh),
      moved: (_: Job, sent: number, confirmed: number) => this.moved(job, sent, confirmed),
      changed: () => this.hooks.changed(),
    };
    const transfer = new Transfer(job, deps, abort.signal);
    this.board.move(job, 'running');
    job.onConflict ??= this.hooks.choice(job.batch);
    const ended = transfer
      .run()
      .then(
        (outcome) => this.finished(job, outcome),
        (error) => this.failed(job, error, abort.signal),
      )
      .finally(() => {
        this.runs.delete(job);
        this.fill();
        this.hooks.changed();
      });
    this.runs.set(job, { abort, transfer, ended });
  }

  /** Many small files in one request, if there are and the server takes it. */
  private startBatch(): boolean {
    const fits = (job: Job) => this.hooks.choice(job.batch) === undefined;
    const lot = this.batchDoor ? pickSmall(this.board, this.options.pace, fits) : [];
    if (lot.length === 0) return false;
    for (const job of lot) this.board.move(job, 'running');
    const here = (job: Job, act: () => void) => {
      if (this.board.has(job)) act();
      this.hooks.changed();
    };
    const abort = new AbortController();
    const deps = { ...this.options, changed: () => this.hooks.changed() };
    const batch = new Batch(lot, deps, {
      arrived: (job) => here(job, () => this.complete(job)),
      alone: (job) =>
        here(job, () => {
          job.alone = true;
          this.board.move(job, 'waiting');
        }),
      again: (job) => here(job, () => this.board.move(job, 'waiting')),
      wanted: (job) => this.board.has(job),
      failed: (job, error) => here(job, () => this.failed(job, error, abort.signal)),
      noDoor: () => {
        this.batchDoor = false;
      },
    });
    this.batches.set(batch, { abort });
    void batch
      .run(abort.signal)
      .catch((error) => {
        for (const job of lot)
          if (job.state === 'running' || job.state === 'retrying')
            here(job, () => this.failed(job, error, abort.signal));
      })
      .finally(() => {
        this.batches.delete(batch);
        this.fill();
        this.hooks.changed();
      });
    return true;
  }

  private async send(part: Part): Promise<void> {
    const { server } = this.options;
    try {
      await this.streams.through(part.signal, (onGone) => server.send({ ...part, onGone }));
      this.streams.passed(part.body.size);
    } catch (error) {
      if (overloaded(error)) this.streams.failed();
      throw error;
    }
  }

  private moved(job: Job, sent: number, confirmed: number): void {
    if (!this.board.has(job)) return; // cancelled: no longer counted
    this.board.moved(sent, confirmed);
    if (sent > 0) this.meter.add(sent, this.options.clock.now());
    this.hooks.changed();
  }

  private finished(job: Job, outcome: Outcome): void {
    if (!this.board.has(job)) return;
    if (outcome !== 'sent') {
      // Decided for all while this one was asking.
      const choice = outcome === 'conflict' ? this.hooks.choice(job.batch) : undefined;
      if (choice && choice !== job.onConflict) {
        job.onConflict = choice;
        this.board.move(job, choice === 'skip' ? 'skipped' : 'waiting');
      } else this.board.move(job, outcome);
      return;
    }
    this.board.move(job, 'confirming');
    this.toConfirm.push(job);
  }

  private failed(job: Job, error: unknown, signal: AbortSignal): void {
    if (!this.board.has(job)) return;
    if (signal.aborted) {
      const why = signal.reason as Stop;
      if (why === 'hold') this.board.move(job, 'waiting');
      else if (why === 'pause') this.board.move(job, 'paused');
      return;
    }
    if (error instanceof ApiError && error.signedOut) {
      this.board.move(job, 'waiting');
      this.hooks.signedOut();
      return;
    }
    this.board.move(job, 'failed');
    job.problem = problemOf(error);
    tell(job, { at: this.options.clock.now(), what: 'failed', ...job.problem });
  }

  private async startConfirm(job: Job): Promise<void> {
    const abort = new AbortController();
    this.confirming.set(job, abort);
    try {
      const there = await confirm(job, this.options, abort.signal);
      if (!this.board.has(job)) return;
      if (there) this.complete(job);
      else this.board.move(job, 'waiting');
    } catch (error) {
      this.failed(job, error, abort.signal);
    } finally {
      this.confirming.delete(job);
      this.fill();
      this.hooks.changed();
    }
  }

  private complete(job: Job): void {
    this.moved(job, job.size - job.sent, job.size - job.confirmed);
    job.sent = job.size;
    job.confirmed = job.size;
    job.problem = undefined;
    tell(job, { at: this.options.clock.now(), what: job.verified ? 'verified' : 'arrived' });
    this.board.move(job, 'done');
    this.hooks.settled(job);
  }
}

/** A refusal of this one request says nothing of how many there may be. */
function overloaded(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  const { kind, status, store } = error;
  if (store && store.why !== 'away' && store.why !== 'busy') return false;
  return kind === 'network' || (kind === 'status' && status !== 413);
}

function problemOf(error: unknown): Job['problem'] {
  if (error instanceof ApiError) return { error };
  if (error instanceof LocalError) return { local: error.problem };
  return { local: 'unreadable' }; // what remains are failures to read the file
}
