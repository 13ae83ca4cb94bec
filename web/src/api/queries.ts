// Keys and fetchers of everything the page keeps of the server's state.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import * as account from './account';
import * as api from './operations';

export type Sort = Pick<api.ListRequest, 'orderBy' | 'direction'>;

export const listingKey = (uri: string) => ['listing', uri] as const;

export const listingQuery = (uri: string, sort: Sort) =>
  infiniteQueryOptions({
    queryKey: [...listingKey(uri), sort.orderBy, sort.direction] as const,
    queryFn: ({ pageParam, signal }) =>
      api.listFiles({ uri, ...sort, token: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.pagination.next_token || undefined,
  });

export const infoQuery = (uri: string) =>
  queryOptions({
    queryKey: ['info', uri] as const,
    queryFn: ({ signal }) => api.fileInfo(uri, { signal }),
  });

export const capacityQuery = queryOptions({
  queryKey: ['capacity'] as const,
  queryFn: ({ signal }) => api.capacity({ signal }),
});

export const settingQuery = queryOptions({
  queryKey: ['setting'] as const,
  staleTime: 0, // passkeys say when they were used
  queryFn: ({ signal }) => account.setting({ signal }),
});

export const devicesQuery = queryOptions({
  queryKey: ['devices'] as const,
  staleTime: 0, // others come and go
  queryFn: async ({ signal }) => (await account.devices({ signal })).devices,
});

export const uploadsQuery = queryOptions({
  queryKey: ['uploads'] as const,
  queryFn: async ({ signal }) => (await api.listUploads({ signal })).uploads,
});

export const timelineQuery = (id: string) =>
  queryOptions({
    queryKey: ['timeline', id] as const,
    staleTime: 0, // its end is what one looks for
    queryFn: async ({ signal }) => (await api.uploadTimeline(id, { signal })).events,
  });

export const siteLoginQuery = queryOptions({
  queryKey: ['site', 'login'] as const,
  queryFn: ({ signal }) => api.siteLogin({ signal }),
  staleTime: 60_000,
});

export const siteBasicQuery = queryOptions({
  queryKey: ['site', 'basic'] as const,
  queryFn: ({ signal }) => api.siteBasic({ signal }),
  staleTime: 600_000,
});
