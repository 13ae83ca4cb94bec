import { useMutation, useQueryClient } from '@tanstack/react-query';
import { session } from '@/api/call';
import { ApiError, Code } from '@/api/error';
import * as api from '@/api/operations';
import { GroupBit, may } from '@/api/permission';
import { capacityQuery, listingKey } from '@/api/queries';
import { type Path, trashUri, uriOf } from '@/lib/path';
import { save } from '@/lib/save';
import type { Item } from './listing';

/** Browsers drop downloads that are begun in the same moment. */
const gap = 400;

/** Many files, or a folder, as one zip where the account may. */
export async function download(items: readonly Item[]): Promise<void> {
  if (mayArchive() && (items.length > 1 || items.some((i) => i.folder))) {
    save(await api.archiveUrl(items.map((i) => i.uri)), 'archive.zip');
    return;
  }
  for (const [i, item] of items.entries()) {
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, gap));
    const href = await api.downloadUrl(item.uri);
    await api.checkDownload(href);
    save(href, item.name);
  }
}

export function mayArchive(): boolean {
  return may(session.current()?.user.group?.permission, GroupBit.archive);
}

/** What changes a folder, with the listing brought up to date after it. */
export function useActions(folder: Path) {
  const queries = useQueryClient();
  const refresh = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: listingKey(uriOf(folder)) }),
      queries.invalidateQueries({ queryKey: capacityQuery.queryKey }),
    ]);
  return {
    createFolder: useMutation({
      mutationFn: (name: string) => api.createFolder(uriOf([...folder, name]), true),
      onSuccess: refresh,
    }),
    rename: useMutation({
      mutationFn: ({ item, name }: { item: Item; name: string }) => api.renameFile(item.uri, name),
      onSuccess: refresh,
    }),
    remove: useMutation({
      mutationFn: (items: readonly Item[]) => part(items, (uris) => api.deleteFiles(uris)),
      onSettled: () =>
        Promise.all([refresh(), queries.invalidateQueries({ queryKey: listingKey(trashUri) })]),
    }),
    move: useMutation({
      mutationFn: ({ items, to, copy }: { items: readonly Item[]; to: Path; copy: boolean }) =>
        part(items, (uris) => api.moveFiles(uris, uriOf(to), copy)),
      onSettled: (_, __, { to }) =>
        Promise.all([refresh(), queries.invalidateQueries({ queryKey: listingKey(uriOf(to)) })]),
    }),
    download: useMutation({ mutationFn: download }),
  };
}

/** For how many it failed; throws only if for all. */
export async function part(
  items: readonly { uri: string }[],
  act: (uris: string[]) => Promise<void>,
): Promise<number> {
  try {
    await act(items.map((i) => i.uri));
    return 0;
  } catch (error) {
    if (!(error instanceof ApiError) || !error.is(Code.partly)) throw error;
    const failed = Object.values(error.parts);
    const inner = failed[0];
    if (failed.length < items.length || !inner) return failed.length;
    throw new ApiError({
      kind: 'refused',
      code: inner.code,
      message: inner.msg ?? '',
      correlationId: inner.correlation_id ?? error.correlationId,
    });
  }
}
