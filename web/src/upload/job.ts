import type { ApiError } from '@/api/error';
import type { Durability } from '@/api/model';
import type { Path } from '@/lib/path';
import type { StoredFile, Upload } from './server';

/**
 * waiting → running ⇄ retrying → confirming → done
 * Aside: paused (by a person), and the three that need one: conflict, locked, failed.
 */
export type JobState =
  | 'waiting'
  | 'paused'
  | 'running'
  | 'retrying'
  | 'confirming'
  | 'done'
  | 'skipped'
  | 'conflict'
  | 'locked'
  | 'failed';

/** Failures this page finds by itself, beside what the server answers. */
export type LocalProblem =
  | 'unreadable' // the file was moved or changed on this machine
  | 'mismatch' // what is stored is not this file
  | 'folder' // a folder has this name
  | 'unsupported' // a storage this page cannot send to
  | 'lost'; // the session vanished again and again

export interface Problem {
  local?: LocalProblem;
  error?: ApiError;
  /** When the next try is due; none: a person must act. */
  retryAt?: number;
}

export interface Conflict {
  existing: StoredFile | undefined;
  /** The name is held by an upload that was never finished. */
  unfinished: Upload | undefined;
}

export interface Lock {
  tokens: string[];
  /** What holds it, in the server's words: "upload", "rename", "dav"… */
  by: string;
}

export type ConflictChoice = 'replace' | 'keep' | 'skip';

/** What this page saw of an upload; the server keeps its own side of the story. */
export interface Moment {
  at: number;
  what:
    | 'began'
    | 'detour'
    | 'continued'
    | 'retried'
    | 'failed'
    | 'smaller'
    | 'verified'
    | 'arrived';
  error?: ApiError | undefined;
  local?: LocalProblem | undefined;
  bytes?: number;
}

/** One file, or one empty folder, on its way. Changed in place by the engine. */
export interface Job {
  readonly id: number;
  readonly batch: number;
  /** Undefined for an empty folder. */
  readonly file: File | undefined;
  readonly folder: Path;
  /** Changes when both files are kept. */
  name: string;
  readonly size: number;
  state: JobState;
  /** Handed to the network, confirmed ones included. */
  sent: number;
  /** The server has said that it holds them. */
  confirmed: number;
  problem: Problem | undefined;
  conflict: Conflict | undefined;
  lock: Lock | undefined;
  /** What to do if the name is taken, once decided. */
  onConflict: ConflictChoice | undefined;
  /** A session was asked for, and no answer came: there may be one. */
  unanswered: boolean;
  sessionId: string | undefined;
  /** Not in a batch with others: that did not go well, or cannot. */
  alone: boolean;
  /** Chunks of that session which the server has. */
  held: Set<number>;
  /** CRCs of the chunks that this page sent past the server, which compares the whole alone. */
  sums: { chunkSize: number; crcs: Map<number, string> } | undefined;
  /** When the server forgets the session, Unix milliseconds. */
  keptUntil: number | undefined;
  /** That session was begun elsewhere, and what it holds was not compared with the file yet. */
  foreign: boolean;
  /** Some of it arrived without this page seeing the server's yes for it. */
  resumed: boolean;
  /** Every byte was compared with the server's: by chunk, or as a whole. */
  verified: boolean;
  /** Repr-Digest of the finished file. */
  digest: string | undefined;
  /** What the storage promises, if the server said. */
  durability: Durability | undefined;
  readonly story: Moment[];
}

/** A line that goes up and down for hours must not fill the memory. */
const longestStory = 100;

export function tell(job: Job, moment: Moment): void {
  job.story.push(moment);
  if (job.story.length > longestStory) job.story.splice(1, 1); // the beginning stays
}

export function pathOfJob(job: Job): Path {
  return [...job.folder, job.name];
}

export type Group = 'needsYou' | 'running' | 'waiting' | 'done';

export function groupOf(state: JobState): Group {
  switch (state) {
    case 'conflict':
    case 'locked':
    case 'failed':
      return 'needsYou';
    case 'running':
    case 'retrying':
    case 'confirming':
      return 'running';
    case 'waiting':
    case 'paused':
      return 'waiting';
    case 'done':
    case 'skipped':
      return 'done';
  }
}
