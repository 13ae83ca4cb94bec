import { ApiError } from '@/api/error';
import type { Clock } from '@/lib/clock';
import { backoff } from './backoff';
import { type Job, type LocalProblem, tell } from './job';

/** A failure found on this side of the line; no retry mends it. */
export class LocalError extends Error {
  override readonly name = 'LocalError';

  constructor(readonly problem: LocalProblem) {
    super(problem);
  }
}

/**
 * The waits of one job. Several lanes of a job may wait at once; the job shows
 * as retrying only when none of them is moving.
 */
export class Waiter {
  private readonly sleepers = new Set<AbortController>();

  constructor(
    private readonly job: Job,
    private readonly clock: Clock,
    private readonly random: () => number,
    private readonly changed: () => void,
  ) {}

  /** How many lanes work on the job now. */
  lanes = 1;

  /** Waits before the next try, and says why on the job. */
  async wait(error: unknown, failures: number, signal: AbortSignal): Promise<void> {
    const known = error instanceof ApiError ? error : undefined;
    const ms = backoff(failures, this.random, known?.retryAfterMs);
    this.job.problem = { ...(known && { error: known }), retryAt: this.clock.now() + ms };

    tell(this.job, { at: this.clock.now(), what: 'retried', error: known });

    const sleeper = new AbortController();
    const stop = () => sleeper.abort();
    signal.addEventListener('abort', stop, { once: true });
    this.sleepers.add(sleeper);
    this.show();
    try {
      await this.clock.sleep(ms, sleeper.signal);
    } catch {
      signal.throwIfAborted(); // else: poked
    } finally {
      signal.removeEventListener('abort', stop);
      this.sleepers.delete(sleeper);
      this.show();
    }
  }

  /** Try now: ends all waits. */
  poke(): void {
    for (const sleeper of this.sleepers) sleeper.abort();
  }

  /** Something arrived: whatever was wrong is over. */
  clear(): void {
    this.job.problem = undefined;
  }

  private show(): void {
    if (this.job.state === 'running' || this.job.state === 'retrying')
      this.job.state = this.sleepers.size >= this.lanes ? 'retrying' : 'running';
    this.changed();
  }
}
