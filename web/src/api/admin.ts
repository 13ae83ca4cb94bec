// The operations of the API for administrators, and their keys: fetched with the
// pages that need them.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { call } from './call';
import type { Body, Data } from './model';

export type Person = Data<'adminListUsers'>['users'][number];
export type Group = Data<'adminListGroups'>['groups'][number];
export type Policy = Data<'adminListPolicies'>['policies'][number];
export type Upload = Data<'adminListUploads'>['uploads'][number];

type UserBody = Body<'adminEditUser'>;
type GroupBody = Body<'adminEditGroup'>;
type PolicyBody = Body<'adminEditPolicy'>;

const size = 50;

/** Where a list goes on: another page of its window, or the next window. */
interface Step {
  page: number;
  next_token?: string;
}

interface Pagination {
  page: number;
  page_size: number;
  total_items: number;
  next_token?: string;
}

function after(at: Pagination, step: Step): Step | undefined {
  if ((at.page + 1) * at.page_size < at.total_items) return { ...step, page: step.page + 1 };
  return at.next_token ? { page: 1, next_token: at.next_token } : undefined;
}

const first: Step = { page: 1 };

const all = { page: 1, page_size: 200, order_direction: 'asc' };

export const usersQuery = (words: string) =>
  infiniteQueryOptions({
    queryKey: ['admin', 'users', words] as const,
    queryFn: ({ pageParam, signal }) => {
      const body: Body<'adminListUsers'> = { ...pageParam, page_size: size, conditions: { words } };
      return call<Data<'adminListUsers'>>('POST', '/admin/user', { body, signal });
    },
    initialPageParam: first,
    getNextPageParam: (last, _all, step) => after(last.pagination as Pagination, step),
  });

export const filesQuery = (words: string) =>
  infiniteQueryOptions({
    queryKey: ['admin', 'files', words] as const,
    queryFn: ({ pageParam, signal }) => {
      const body: Body<'adminListFiles'> = { ...pageParam, page_size: size, conditions: { words } };
      return call<Data<'adminListFiles'>>('POST', '/admin/file', { body, signal });
    },
    initialPageParam: first,
    getNextPageParam: (last, _all, step) => after(last.pagination as Pagination, step),
  });

/** Stored contents, or of them only those that are known to be damaged. */
export const blobsQuery = (damaged: boolean) =>
  infiniteQueryOptions({
    queryKey: ['admin', 'blobs', damaged] as const,
    queryFn: ({ pageParam, signal }) => {
      const body: Body<'adminListEntities'> = {
        ...pageParam,
        page_size: size,
        conditions: damaged ? { damaged: 'true' } : {},
      };
      return call<Data<'adminListEntities'>>('POST', '/admin/entity', { body, signal });
    },
    initialPageParam: first,
    getNextPageParam: (last, _all, step) => after(last.pagination as Pagination, step),
  });

export const nodesQuery = queryOptions({
  queryKey: ['admin', 'nodes'] as const,
  queryFn: async ({ signal }) =>
    (await call<Data<'adminListNodes'>>('POST', '/admin/node', { body: all, signal })).nodes,
});

export const tasksQuery = infiniteQueryOptions({
  queryKey: ['admin', 'tasks'] as const,
  staleTime: 0, // they move
  queryFn: ({ pageParam, signal }) => {
    const body: Body<'adminListTasks'> = { ...pageParam, page_size: size };
    return call<Data<'adminListTasks'>>('POST', '/admin/queue', { body, signal });
  },
  initialPageParam: first,
  getNextPageParam: (last, _all, step) => after(last.pagination as Pagination, step),
});

export const uploadsQuery = infiniteQueryOptions({
  queryKey: ['admin', 'uploads'] as const,
  staleTime: 0, // they move
  queryFn: ({ pageParam, signal }) => {
    const body: Body<'adminListUploads'> = { ...pageParam, page_size: size };
    return call<Data<'adminListUploads'>>('POST', '/admin/upload', { body, signal });
  },
  initialPageParam: first,
  getNextPageParam: (last, _all, step) => after(last.pagination as Pagination, step),
});

export const trailQuery = infiniteQueryOptions({
  queryKey: ['admin', 'trail'] as const,
  staleTime: 0,
  queryFn: ({ pageParam, signal }) => {
    const body: Body<'adminListTrail'> = { ...pageParam, page_size: size };
    return call<Data<'adminListTrail'>>('POST', '/admin/trail', { body, signal });
  },
  initialPageParam: first,
  getNextPageParam: (last, _all, step) => after(last.pagination as Pagination, step),
});

export const groupsQuery = queryOptions({
  queryKey: ['admin', 'groups'] as const,
  queryFn: async ({ signal }) =>
    (await call<Data<'adminListGroups'>>('POST', '/admin/group', { body: all, signal })).groups,
});

export const policiesQuery = queryOptions({
  queryKey: ['admin', 'policies'] as const,
  queryFn: async ({ signal }) =>
    (await call<Data<'adminListPolicies'>>('POST', '/admin/policy', { body: all, signal }))
      .policies,
});

export const siteKeys = ['siteName', 'siteURL', 'upload_session_timeout'] as const;
export type SiteKey = (typeof siteKeys)[number];

export const siteQuery = queryOptions({
  queryKey: ['admin', 'site'] as const,
  queryFn: ({ signal }) => {
    const body: Body<'adminShowSettings'> = { keys: [...siteKeys] };
    return call<Record<SiteKey, string>>('POST', '/admin/settings', { body, signal });
  },
});

export function saveSite(settings: Partial<Record<SiteKey, string>>) {
  return call<void>('PATCH', '/admin/settings', { body: { settings } });
}

/** Without a number, a new one is made. */
function save(kind: 'user' | 'group' | 'policy', id: number | undefined, body: object) {
  return call<void>('PUT', id === undefined ? `/admin/${kind}` : `/admin/${kind}/${id}`, { body });
}

export const saveUser = (id: number | undefined, body: UserBody) => save('user', id, body);
export const saveGroup = (id: number | undefined, body: GroupBody) => save('group', id, body);
export const savePolicy = (id: number | undefined, body: PolicyBody) => save('policy', id, body);

export function remove(kind: 'user' | 'group' | 'policy', id: number) {
  return call<void>('DELETE', `/admin/${kind}/${id}`);
}

export type Trial = Data<'adminTestPolicy'>;

/** Tries the real thing: it takes as long as the vendor does. */
export function testPolicy(id: number) {
  return call<Trial>('POST', `/admin/policy/${id}/test`);
}

export function allowOrigin(id: number) {
  return call<void>('POST', `/admin/policy/${id}/cors`);
}

export function endUpload(id: string) {
  return call<void>('DELETE', `/admin/upload/${encodeURIComponent(id)}`);
}
