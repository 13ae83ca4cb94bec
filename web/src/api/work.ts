// Work that goes on behind the answers: copies and deletions of large folders.
import { queryOptions } from '@tanstack/react-query';
import { call } from './call';
import type { Data } from './model';

export type Work = Data<'listWorkflows'>['tasks'][number];

export const workQuery = queryOptions({
  queryKey: ['work'] as const,
  staleTime: 0, // it moves
  queryFn: async ({ signal }) =>
    (await call<Data<'listWorkflows'>>('GET', '/workflow?page_size=50', { signal })).tasks,
});

export function cancelWork(id: string) {
  return call<void>('DELETE', `/workflow/${encodeURIComponent(id)}`);
}
