import type { Clock } from '@/lib/clock';
import { Listeners } from '@/lib/observable';
import type { Path } from '@/lib/path';
import { Board, type Totals } from './board';
import type { ConflictChoice, Group, Job } from './job';
import { Pace } from './pace';
import { Runner } from './runner';
import type { Hasher, Upload, UploadServer } from './server';

export interface EngineOptions {
  server: UploadServer;
  hasher: Hasher;
  clock: Clock;
  random?: () => number;
  /** What is known of the way to the server. */
  pace?: Pace;
  filesAtOnce?: number;
  chunksAtOnce?: number;
  /** Chunks of all files at a time. */
  sendsAtOnce?: number;
}

/** Why nothing moves at all. */
export type Hold = 'signedOut' | 'offline' | 'paused';

export interface NewFile {
  /** Undefined for an empty folder. */
  file: File | undefined;
  /** The folder it goes into. */
  folder: Path;
  name: string;
}

export interface Summary extends Totals {
  groups: Record<Group, number>;
  hold: Hold | undefined;
  bytesPerSecond: number;
  secondsLeft: number | undefined;
  /** The largest request that a proxy lets through, if it was found to refuse larger ones. */
  allowed: number | undefined;
}

/** The page is told at most this often, however many chunks come and go. */
const quiet = 200;

/**
 * Takes files and brings them to the server. Knows nothing of the page: it is
 * watched through `subscribe` and steered through the methods below.
 */
export class Engine {
  readonly board = new Board();
  private readonly runner: Runner;
  private readonly pace: Pace;
  private readonly listeners = new Listeners();
  private readonly settled = new Set<(job: Job) => void>();
  private readonly holds = new Set<Hold>();
  private readonly choices = new Map<number, ConflictChoice>();
  private lastId = 0;
  private lastBatch = 0;
  private publishing = false;
  private publications = 0;

  constructor(private readonly options: EngineOptions) {
    this.pace = options.pace ?? new Pace(() => options.clock.now());
    const { pace } = this;
    this.runner = new Runner(
      this.board,
      { random: Math.random, filesAtOnce: 3, chunksAtOnce: 3, sendsAtOnce: 9, ...options, pace },
      {
        held: () => this.holds.size > 0,
        choice: (batch) => this.choices.get(batch),
        changed: () => this.changed(),
        settled: (job) => {
          for (const listener of this.settled) listener(job);
        },
        signedOut: () => this.hold('signedOut'),
      },
    );
  }

  readonly subscribe = this.listeners.subscribe;
  /** Grows with each publication; jobs are changed in place. */
  readonly version = (): number => this.publications;

  /** Told of each file that has arrived. */
  onSettled(listener: (job: Job) => void): () => void {
    this.settled.add(listener);
    return () => this.settled.delete(listener);
  }

  summary(): Summary {
    const { totals } = this.board;
    const bytesPerSecond = this.runner.meter.rate(this.options.clock.now());
    const left = totals.bytes - totals.sent;
    const count = (group: Group) => this.board.group(group).size;
    return {
      ...totals,
      groups: {
        needsYou: count('needsYou'),
        running: count('running'),
        waiting: count('waiting'),
        done: count('done'),
      },
      hold: (['signedOut', 'offline', 'paused'] as const).find((h) => this.holds.has(h)),
      bytesPerSecond,
      allowed: this.pace.allowed,
      secondsLeft: bytesPerSecond > 1 && left > 0 ? left / bytesPerSecond : undefined,
    };
  }

  /** Leaving the page now would break something off. */
  get busy(): boolean {
    return this.board.group('running').size + this.board.group('waiting').size > 0;
  }

  /** Sessions this page works on: to it they are not "unfinished". */
  get sessions(): ReadonlySet<string> {
    return this.runner.claimed;
  }

  /** Files that come in several lots, but share one answer to "do this for all". */
  newBatch(): number {
    return ++this.lastBatch;
  }

  add(files: Iterable<NewFile>, batch = this.newBatch()): Job[] {
    const jobs = Array.from(files, (file) => this.newJob(file, batch));
    for (const job of jobs) this.board.add(job);
    this.runner.fill();
    this.changed();
    return jobs;
  }

  /** Goes on with an upload that another page or device began. */
  resume(file: NewFile, upload: Upload): Job {
    const job = this.newJob(file, this.newBatch());
    job.sessionId = upload.sessionId;
    job.foreign = true;
    this.runner.claimed.add(upload.sessionId);
    this.board.add(job);
    this.board.move(job, 'waiting');
    this.runner.fill();
    this.changed();
    return job;
  }

  pause(job: Job): void {
    if (!['running', 'retrying', 'waiting'].includes(job.state)) return;
    if (job.state === 'waiting') this.board.move(job, 'paused');
    else void this.runner.stop(job, 'pause');
    this.changed();
  }

  /** Goes on with a job that stands: from where the server stands. */
  proceed(job: Job): void {
    if (!['paused', 'failed', 'conflict', 'locked'].includes(job.state)) {
      this.runner.poke(job);
      return;
    }
    job.problem = undefined;
    job.conflict = undefined;
    job.lock = undefined;
    this.board.move(job, 'waiting');
    this.runner.fill();
    this.changed();
  }

  /** Goes on with all that failed. */
  retryFailed(): void {
    for (const job of [...this.board.group('needsYou')])
      if (job.state === 'failed') this.proceed(job);
  }

  /** Stops the job and, unless it had arrived, takes back what was sent. */
  async cancel(job: Job): Promise<void> {
    const arrived = job.state === 'done' || job.state === 'skipped';
    this.board.remove(job);
    this.changed();
    await this.runner.stop(job, 'cancel');
    if (!arrived) await this.runner.discard(job);
  }

  cancelAll(): void {
    for (const group of ['needsYou', 'waiting', 'running'] as const)
      for (const job of [...this.board.group(group)]) void this.cancel(job);
  }

  /** Drops every job without a word to the server: another account signs in. */
  abandon(): void {
    for (const job of [...this.board.all()]) {
      this.board.remove(job);
      void this.runner.stop(job, 'cancel');
    }
    this.runner.claimed.clear();
    this.changed();
  }

  /** Answers the question of a taken name, for one file or for its whole batch. */
  decide(job: Job, choice: ConflictChoice, forAll: boolean): void {
    if (forAll) this.choices.set(job.batch, choice);
    const asked = forAll ? [...this.board.group('needsYou')] : [job];
    for (const j of asked) {
      if (j.state !== 'conflict' || j.batch !== job.batch) continue;
      j.onConflict = choice;
      if (choice === 'skip') this.board.move(j, 'skipped');
      else this.proceed(j);
    }
    this.changed();
  }

  /** Takes the lock away from whatever holds it, then goes on. */
  async unlock(job: Job): Promise<void> {
    const tokens = job.lock?.tokens ?? [];
    // Refused means that it is free by now; anything else shows at the next try.
    if (tokens.length > 0) await this.options.server.unlock(tokens).catch(() => {});
    this.proceed(job);
  }

  hold(why: Hold): void {
    this.holds.add(why);
    this.runner.stopAll();
    this.changed();
  }

  release(why: Hold): void {
    if (!this.holds.delete(why)) return;
    this.runner.fill();
    this.changed();
  }

  /** Ends all waits between tries. */
  tryNow(): void {
    this.runner.poke();
  }

  clearDone(): void {
    for (const job of [...this.board.group('done')]) this.board.remove(job);
    this.changed();
  }

  /** The account's unfinished uploads, as the server lists them. */
  unfinished(): Promise<Upload[]> {
    return this.runner.unfinished(true);
  }

  private newJob({ file, folder, name }: NewFile, batch: number): Job {
    return {
      id: ++this.lastId,
      batch,
      file,
      folder,
      name,
      size: file?.size ?? 0,
      state: 'waiting',
      sent: 0,
      confirmed: 0,
      problem: undefined,
      conflict: undefined,
      lock: undefined,
      onConflict: undefined,
      unanswered: false,
      sessionId: undefined,
      alone: false,
      held: new Set(),
      sums: undefined,
      keptUntil: undefined,
      foreign: false,
      resumed: false,
      verified: false,
      digest: undefined,
      durability: undefined,
      story: [],
    };
  }

  private changed(): void {
    if (this.publishing) return;
    this.publishing = true;
    void this.options.clock.sleep(quiet).then(() => {
      this.publishing = false;
      this.publications++;
      this.listeners.notify();
    });
  }
}
