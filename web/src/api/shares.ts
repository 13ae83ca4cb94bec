// The operations on share links. What lies in a share is listed and downloaded by
// those on files, at its URI.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { call } from './call';
import { ApiError, Code } from './error';
import type { Body, Data } from './model';
import { downloadUrl } from './operations';

export type Share = Data<'getShareInfo'>;

/** Answers the link, for people. */
export function createShare(body: Body<'createShare'>) {
  return call<string>('PUT', '/share', { body });
}

/** Gives a link other terms, all of them; answers the link. */
export function editShare(id: string, body: Body<'editShare'>) {
  return call<string>('POST', `/share/${encodeURIComponent(id)}`, { body });
}

export function endShare(id: string) {
  return call<void>('DELETE', `/share/${encodeURIComponent(id)}`);
}

const counted = new Set<string>();

export const shareQuery = (id: string, password: string) =>
  queryOptions({
    queryKey: ['share', id, password] as const,
    queryFn: ({ signal }) => {
      const first = !counted.has(id); // looking twice is one visit
      counted.add(id);
      return call<Share>('GET', `/share/info/${encodeURIComponent(id)}`, {
        query: { password: password || undefined, count_views: first ? 'true' : undefined },
        signal,
      });
    },
    staleTime: 60_000,
  });

export const mySharesKey = ['shares'] as const;

export const mySharesQuery = infiniteQueryOptions({
  queryKey: mySharesKey,
  queryFn: ({ pageParam, signal }) =>
    call<Data<'listShares'>>('GET', '/share', {
      query: { page_size: 100, order_direction: 'desc', next_page_token: pageParam },
      signal,
    }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last) => last.pagination.next_token || undefined,
});

/** As downloadUrl; a refusal is that of the one file. */
export async function shareDownloadUrl(uri: string): Promise<string> {
  try {
    return await downloadUrl(uri);
  } catch (error) {
    const [inner] = error instanceof ApiError ? Object.values(error.parts) : [];
    if (!(error instanceof ApiError && error.is(Code.partly)) || !inner) throw error;
    throw new ApiError({
      kind: 'refused',
      code: inner.code,
      message: inner.msg ?? '',
      correlationId: inner.correlation_id ?? error.correlationId,
    });
  }
}
