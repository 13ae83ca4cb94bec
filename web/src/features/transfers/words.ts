import type { TFunction } from 'i18next';
import { failureWords, faultText } from '@/api/words';
import { formatBytes } from '@/lib/bytes';
import { formatLeft } from '@/lib/time';
import type { Job, LocalProblem, Problem } from '@/upload/job';

export interface Sentence {
  what: string;
  safe: string | undefined;
  todo: string;
  fault: string;
  id: string | undefined;
}

const localFaults: Record<LocalProblem, Parameters<typeof faultText>> = {
  unreadable: ['device', 'changed'],
  mismatch: ['device', 'changed'],
  folder: ['yours', 'changed'],
  unsupported: ['server', 'no'],
  lost: ['server', 'later'],
};

const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long' });

/** What happened to a file, what is safe of it, and what to do. */
export function problemSentence(t: TFunction, job: Job, problem: Problem): Sentence {
  const { local, error, retryAt } = problem;
  const words = local
    ? {
        what: t(`local.${local}.what`),
        todo: t(`local.${local}.todo`),
        fault: faultText(...localFaults[local]),
        id: undefined,
      }
    : failureWords(error, formatBytes(Math.min(job.size, 32 * 1024 * 1024)));
  return {
    ...words,
    safe: safeSentence(t, job),
    todo: retryAt === undefined ? words.todo : retryText(t, retryAt),
  };
}

function safeSentence(t: TFunction, job: Job): string | undefined {
  if (job.size === 0) return undefined;
  if (job.confirmed === 0) return t('safe.none');
  const confirmed = formatBytes(job.confirmed);
  if (!job.keptUntil) return t('safe.someOpen', { confirmed });
  return t('safe.some', { confirmed, until: day.format(job.keptUntil) });
}

function retryText(t: TFunction, retryAt: number): string {
  const seconds = Math.ceil((retryAt - Date.now()) / 1000);
  return seconds > 0
    ? t('transfers.retryIn', { time: formatLeft(seconds) })
    : t('transfers.retryNow');
}

export function dayOf(at: number): string {
  return day.format(at);
}
