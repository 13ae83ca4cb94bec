import { type Group, groupOf, type Job, type JobState } from './job';

/** Sums over all jobs; kept up to date with each step, never recounted. */
export interface Totals {
  files: number;
  done: number;
  verified: number;
  bytes: number;
  sent: number;
  confirmed: number;
}

/**
 * All jobs of the page, in groups. A hundred thousand of them cost nothing while
 * they lie there: moving one between groups is two set operations.
 */
export class Board {
  private readonly jobs = new Map<number, Job>();
  private readonly groups: Record<Group, Set<Job>> = {
    needsYou: new Set(),
    running: new Set(),
    waiting: new Set(),
    done: new Set(),
  };
  /** Waiting jobs that had begun before; they go first. */
  private readonly front = new Set<Job>();
  private readonly back = new Set<Job>();
  readonly totals: Totals = { files: 0, done: 0, verified: 0, bytes: 0, sent: 0, confirmed: 0 };

  add(job: Job): void {
    this.jobs.set(job.id, job);
    this.groups[groupOf(job.state)].add(job);
    if (job.state === 'waiting') this.back.add(job);
    this.totals.files++;
    this.totals.bytes += job.size;
  }

  get(id: number): Job | undefined {
    return this.jobs.get(id);
  }

  has(job: Job): boolean {
    return this.jobs.has(job.id);
  }

  all(): Iterable<Job> {
    return this.jobs.values();
  }

  group(group: Group): ReadonlySet<Job> {
    return this.groups[group];
  }

  move(job: Job, state: JobState): void {
    const from = groupOf(job.state);
    const to = groupOf(state);
    if (job.state === 'done') this.countDone(job, -1);
    job.state = state;
    if (from !== to) {
      this.groups[from].delete(job);
      this.groups[to].add(job);
    }
    this.front.delete(job);
    this.back.delete(job);
    if (state === 'waiting') (job.sessionId ? this.front : this.back).add(job);
    if (state === 'done') this.countDone(job, 1);
  }

  /** The next job to run, if any waits. */
  next(): Job | undefined {
    for (const job of this.front) return job;
    for (const job of this.back) return job;
    return undefined;
  }

  /** The first of those that wait and have not begun. */
  *waitingNew(most: number): Iterable<Job> {
    let n = 0;
    for (const job of this.back) {
      if (n++ === most) return;
      if (job.state === 'waiting') yield job;
    }
  }

  moved(sent: number, confirmed: number): void {
    this.totals.sent += sent;
    this.totals.confirmed += confirmed;
  }

  remove(job: Job): void {
    if (!this.jobs.delete(job.id)) return;
    if (job.state === 'done') this.countDone(job, -1);
    this.groups[groupOf(job.state)].delete(job);
    this.front.delete(job);
    this.back.delete(job);
    this.totals.files--;
    this.totals.bytes -= job.size;
    this.moved(-job.sent, -job.confirmed);
  }

  private countDone(job: Job, by: 1 | -1): void {
    this.totals.done += by;
    if (job.verified) this.totals.verified += by;
  }
}
