import { ApiError, Code } from '@/api/error';

const cap = 30_000;

/** 1, 2, 4, 8 … 30 s, a fifth more or less so that many clients do not come at once. */
export function backoff(attempt: number, random: () => number, retryAfterMs = 0): number {
  const base = Math.min(cap, 1000 * 2 ** attempt);
  return Math.max(Math.min(cap, base * (0.8 + 0.4 * random())), retryAfterMs);
}

/** How often a failure that may be lasting is tried before a person is asked. */
const patience = 8;

const passing = new Set([408, 425, 429, 502, 503, 504]);
const worthAnother = new Set<number>([
  Code.uncoded,
  Code.changedMeanwhile,
  Code.database,
  50002,
  Code.io,
  50005,
  50006,
]);

/**
 * Whether to try again after `failures` failures in a row. A line that is down
 * comes back some day, so it is waited for without end; a disk that is full may
 * not, so that becomes a question.
 */
export function tryAgain(error: unknown, failures: number): boolean {
  if (!(error instanceof ApiError)) return false;
  switch (error.kind) {
    case 'network':
      return true;
    case 'status':
      if (passing.has(error.status)) return true;
      return (error.status >= 500 || error.store?.why === 'busy') && failures < patience;
    case 'strange':
      return failures < patience;
    case 'refused':
      return worthAnother.has(error.code) && failures < patience;
  }
}

/** The session behind an upload is no more; a new one is needed. */
export function sessionLost(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    error.kind === 'refused' &&
    [Code.sessionGone, Code.notFound, Code.pathGone, Code.locked].some((c) => c === error.code)
  );
}
