import { ApiError, Code } from '@/api/error';
import { uriOf } from '@/lib/path';
import { sessionLost, tryAgain } from './backoff';
import { type Job, pathOfJob, tell } from './job';
import { holds, sameAs } from './resume';
import { LocalError, Waiter } from './retry';
import { Sender, type SenderDeps } from './sender';
import type { Upload } from './server';
import { type TakenDeps, whenTaken } from './taken';

export interface TransferDeps extends TakenDeps, SenderDeps {
  random(): number;
  claimed: Set<string>;
}

export type Outcome = 'sent' | 'conflict' | 'locked' | 'skipped';
type Opened = Outcome | 'open' | 'lost';

/** A session that vanishes more often than this will vanish again. */
const mostRestarts = 3;

/** One run of one job, from taking a slot to giving it back. */
export class Transfer {
  readonly waiter: Waiter;
  private readonly sender: Sender;

  constructor(
    private readonly job: Job,
    private readonly deps: TransferDeps,
    private readonly signal: AbortSignal,
  ) {
    this.waiter = new Waiter(job, deps.clock, deps.random, () => deps.changed(job));
    this.sender = new Sender(job, deps, this.waiter);
  }

  /** Throws what stopped it: the signal's reason, an ApiError or a LocalError. */
  async run(): Promise<Outcome> {
    if (!this.job.file) {
      await this.persist(() =>
        this.deps.server.makeFolder(uriOf(pathOfJob(this.job)), this.signal),
      );
      return 'sent';
    }
    for (let restarts = 0; restarts <= mostRestarts; restarts++) {
      const opened = this.job.sessionId ? await this.rejoin() : await this.open();
      if (opened === 'lost') continue;
      if (opened !== 'open') return opened;
      try {
        await this.sender.sendAll(this.signal);
        return 'sent';
      } catch (error) {
        // rejoin() finds out: a chunk whose answer was lost may have finished it.
        if (!sessionLost(error)) throw error;
      }
    }
    throw new LocalError('lost');
  }

  /** Begins a session, or takes up one that this file already has. */
  private open(): Promise<Opened> {
    const { job, deps, signal } = this;
    return this.persist(async () => {
      for (;;) {
        // A request that got no answer may have begun a session all the same.
        const fresh = job.unanswered;
        try {
          job.unanswered = true;
          return await this.create();
        } catch (error) {
          if (!(error instanceof ApiError) || signal.aborted) throw error;
          if (error.kind === 'refused') job.unanswered = false;
          if (!error.is(Code.exists) && !error.is(Code.locked)) throw error;
          const next = await whenTaken(job, error, deps, { fresh, signal });
          if (next === 'again') continue;
          if (typeof next === 'string') return next;
          if (!next.adopt.straight) return this.adopt(next.adopt);
          this.claim(next.adopt.sessionId);
          return 'lost'; // the store is asked by rejoin()
        }
      }
    });
  }

  private async create(): Promise<'open'> {
    const { job, deps } = this;
    const request = {
      uri: uriOf(pathOfJob(job)),
      size: job.size,
      lastModified: job.file?.lastModified ?? 0,
      mimeType: job.file?.type ?? '',
      replace: job.onConflict === 'replace',
    };
    const ticket = await deps.server.create(request, this.signal);
    job.unanswered = false;
    this.claim(ticket.sessionId);
    job.keptUntil = ticket.expires;
    job.durability = ticket.durability;
    tell(job, { at: deps.clock.now(), what: 'began' });
    if (!ticket.relayed) throw new LocalError('unsupported');
    if (ticket.straight) job.resumed = true; // the whole is compared at the end
    if (ticket.detour) tell(job, { at: deps.clock.now(), what: 'detour', error: ticket.detour });
    this.sender.begin(ticket);
    return 'open';
  }

  private adopt(upload: Upload): 'open' {
    this.claim(upload.sessionId);
    this.sender.retake(upload);
    const { job, deps } = this;
    if (upload.straight) job.resumed = true; // the whole is compared at the end
    tell(job, { at: deps.clock.now(), what: 'continued', bytes: job.confirmed });
    return 'open';
  }

  /** Asks the server what it holds of a session that was begun before. */
  private async rejoin(): Promise<Opened> {
    const { server, hasher } = this.deps;
    const id = this.job.sessionId as string;
    const same = sameAs(this.job.file, hasher);
    try {
      const upload = await this.persist(() => server.show(id, this.signal, same));
      if (upload.state === 'done' || upload.state === 'sealing') {
        this.sender.take(upload);
        return 'sent';
      }
      if (upload.state === 'open') {
        await this.compare(upload);
        return this.adopt(upload);
      }
    } catch (error) {
      if (!sessionLost(error)) throw error;
    }
    return this.persist(() => this.afterLoss(id));
  }

  /** Bytes of two contents are never mixed. */
  private async compare(upload: Upload): Promise<void> {
    const { job, deps, signal } = this;
    if (!job.foreign || !job.file) return;
    if (!(await holds(upload, job.file, deps.hasher, signal))) throw new LocalError('mismatch');
    job.foreign = false;
  }

  /** The session is gone: was it finished, or must the file be sent anew? */
  private async afterLoss(id: string): Promise<'sent' | 'lost'> {
    const { job, deps } = this;
    const uri = uriOf(pathOfJob(job));
    const stored = await deps.server.stat(uri, this.signal);
    const finished =
      stored?.size === job.size &&
      !stored.pending &&
      !stored.folder &&
      stored.updatedAt === job.file?.lastModified;
    if (finished) return 'sent';
    // Refused: the name is now held by another upload, which open() deals with.
    if (stored?.pending) await deps.server.discard(id, uri).catch(ignoreRefusal);
    deps.claimed.delete(id);
    job.sessionId = undefined;
    this.sender.forget();
    return 'lost';
  }

  private claim(sessionId: string): void {
    this.job.sessionId = sessionId;
    this.deps.claimed.add(sessionId);
  }

  private async persist<T>(work: () => Promise<T>): Promise<T> {
    for (let failures = 0; ; failures++) {
      try {
        this.signal.throwIfAborted();
        const value = await work();
        this.waiter.clear();
        return value;
      } catch (error) {
        this.signal.throwIfAborted();
        if (!tryAgain(error, failures)) throw error;
        await this.waiter.wait(error, failures, this.signal);
      }
    }
  }
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof ApiError && error.kind === 'refused')) throw error;
}
