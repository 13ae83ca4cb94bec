import type { ApiError } from '@/api/error';
import { Code } from '@/api/error';
import { numberedName, pathOf, samePath, uriOf } from '@/lib/path';
import { type Job, pathOfJob } from './job';
import { locksIn } from './locks';
import { holds } from './resume';
import { LocalError } from './retry';
import type { Hasher, Upload, UploadServer } from './server';

/** What to do after a create was refused because the name is taken or locked. */
export type Taken = { adopt: Upload } | 'again' | 'conflict' | 'locked' | 'skipped';

/** No folder holds this many files of one name by accident. */
const mostNames = 500;

export interface TakenDeps {
  server: UploadServer;
  hasher: Hasher;
  /** The account's unfinished uploads, perhaps some seconds old. */
  unfinished(fresh?: boolean): Promise<Upload[]>;
  /** Sessions that jobs of this page already work on. */
  claimed: ReadonlySet<string>;
}

/**
 * Finds the way on. An unfinished upload of the same file is always continued,
 * without a question: that is what makes "drop the folder again" resume.
 */
export async function whenTaken(
  job: Job,
  error: ApiError,
  deps: TakenDeps,
  { fresh, signal }: { fresh: boolean; signal: AbortSignal },
): Promise<Taken> {
  const here = await uploadsAt(job, deps, fresh);
  for (const upload of here.filter((u) => continues(job, u))) {
    const same = !job.file || (await holds(upload, job.file, deps.hasher, signal));
    if (same) return { adopt: upload };
  }

  if (job.onConflict === 'skip') return 'skipped';
  if (job.onConflict === 'keep') {
    nextName(job);
    return 'again';
  }
  const unfinished = here[0];
  if (job.onConflict === 'replace') {
    if (unfinished) {
      await deps.server.discard(unfinished.sessionId, unfinished.uri);
      return 'again';
    }
    if (error.is(Code.exists)) throw new LocalError('folder');
  } else if (error.is(Code.exists) || unfinished) {
    const existing = unfinished ? undefined : await stat(job, deps.server, signal);
    if (existing?.folder) throw new LocalError('folder');
    job.conflict = { existing, unfinished };
    return 'conflict';
  }
  job.lock = locksIn(error);
  return 'locked';
}

/** The upload may be of this very file, as far as name, size and date can tell. */
export function continues(job: Pick<Job, 'size' | 'file'>, upload: Upload): boolean {
  if (upload.state !== 'open' || upload.encrypted || upload.size !== job.size) return false;
  return upload.lastModified === 0 || upload.lastModified === job.file?.lastModified;
}

/** Did the server begin a session for a request that got no answer? */
export async function begunUnseen(job: Job, deps: TakenDeps): Promise<Upload | undefined> {
  const here = await uploadsAt(job, deps, true);
  return here.find((u) => continues(job, u));
}

async function uploadsAt(job: Job, deps: TakenDeps, fresh = false): Promise<Upload[]> {
  const path = pathOfJob(job);
  const all = await deps.unfinished(fresh).catch(() => []);
  return all.filter(
    (u) =>
      !deps.claimed.has(u.sessionId) &&
      (u.state === 'open' || u.state === 'sealing') &&
      samePath(pathOf(u.uri), path),
  );
}

function stat(job: Job, server: UploadServer, signal: AbortSignal) {
  return server.stat(uriOf(pathOfJob(job)), signal).catch(() => undefined);
}

function nextName(job: Job): void {
  const n = Number(/ \((\d+)\)(?:\.[^()]*)?$/.exec(job.name)?.[1] ?? 1);
  if (n >= mostNames) throw new LocalError('lost');
  job.name = numberedName(job.name, n + 1);
}
