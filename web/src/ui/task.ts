// The words for work that goes on behind the answers.
import type { useTranslation } from 'react-i18next';
import { pathOf } from '@/lib/path';

type T = ReturnType<typeof useTranslation>['t'];

interface Task {
  type: string;
  summary: { props: { src?: string; dst?: string } };
}

/** "Copying “docs”": what is done, with the last name of what it is done to. */
export function taskName(t: T, { type, summary }: Task): string {
  const { src } = summary.props;
  const name = src === undefined ? undefined : pathOf(src).at(-1);
  if (type === 'copy') return t('work.copy', { name: name ?? '…' });
  if (type === 'delete') return name ? t('work.delete', { name }) : t('work.emptyTrash');
  return type;
}

const states = ['queued', 'processing', 'suspending', 'error', 'canceled', 'completed'] as const;

export function stateName(t: T, status: string, stopping = false): string {
  if (stopping) return t('work.stopping');
  const known = states.find((state) => state === status);
  return known ? t(`work.${known}`) : status;
}
