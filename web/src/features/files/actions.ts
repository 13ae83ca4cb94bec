import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ApiError, Code } from '@/api/error';
import * as api from '@/api/operations';
import { capacityQuery, listingKey } from '@/api/queries';
import { type Path, uriOf } from '@/lib/path';
import type { Item } from './listing';

/** Browsers drop downloads that are begun in the same moment. */
const gap = 400;

export async function download(items: readonly Item[]): Promise<void> {
  for (const [i, item] of items.entries()) {
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, gap));
    const href = await api.downloadUrl(item.uri);
    await api.checkDownload(href);
    const link = document.createElement('a');
    link.href = href;
    link.download = item.name;
    document.body.append(link);
    link.click();
    link.remove();
  }
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
    remove: useMutation({ mutationFn: removeAll, onSettled: refresh }),
    download: useMutation({ mutationFn: download }),
  };
}

/** How many could not be deleted; throws only if none could. */
async function removeAll(items: readonly Item[]): Promise<number> {
  try {
    await api.deleteFiles(items.map((i) => i.uri));
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
