import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { type FileList, type FileObject, FileType, pendingKey } from '@/api/model';
import { listingQuery, type Sort } from '@/api/queries';
import { type Path, pathOf, uriOf } from '@/lib/path';

/** One line of the list. */
export interface Item {
  /** Key and address in one. */
  uri: string;
  path: Path;
  name: string;
  /** What a filter is compared with. */
  folded: string;
  folder: boolean;
  size: number;
  changedAt: number;
  /** Its current version. */
  version: string;
  /** An upload for it is not finished; without content, nothing of it can be had yet. */
  pending: boolean;
  /** The session of that upload. */
  sessionId: string | undefined;
  /** Its stored bytes were found missing or changed. */
  damaged: boolean;
}

export interface Listing {
  items: Item[];
  /** How many have been looked at, with and without the filter. */
  seen: number;
  complete: boolean;
  loading: boolean;
  error: unknown;
  more(): void;
  again(): void;
}

export function useListing(path: Path, sort: Sort, filter: string): Listing {
  const query = useInfiniteQuery(listingQuery(uriOf(path), sort));
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage, isError } = query;

  const all = useMemo(() => (data?.pages ?? []).flatMap(itemsOf), [data]);
  const items = useMemo(() => {
    const wanted = fold(filter.trim());
    return wanted === '' ? all : all.filter((i) => i.folded.includes(wanted));
  }, [all, filter]);

  // A filter that has looked at a part of the folder only would lie.
  const hungry = filter !== '' && hasNextPage && !isFetchingNextPage && !isError;
  useEffect(() => {
    if (hungry) void fetchNextPage();
  }, [hungry, fetchNextPage]);

  return {
    items,
    seen: all.length,
    complete: data !== undefined && !hasNextPage,
    loading: query.isPending,
    error: query.error,
    more: () => {
      if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
    },
    again: () => void query.refetch(),
  };
}

const made = new WeakMap<FileList, Item[]>();

/** Each page is turned into items once, however many follow it. */
function itemsOf(page: FileList): Item[] {
  let items = made.get(page);
  if (!items) {
    items = page.files.map(itemOf);
    made.set(page, items);
  }
  return items;
}

/** Upper and lower case are the same, and so are both ways to write an accent. */
function fold(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

function itemOf(file: FileObject): Item {
  const path = pathOf(file.path);
  return {
    uri: uriOf(path),
    path,
    name: file.name,
    folded: fold(file.name),
    folder: file.type === FileType.folder,
    size: file.size,
    changedAt: Date.parse(file.updated_at),
    version: file.primary_entity,
    pending: file.metadata?.[pendingKey] !== undefined,
    sessionId: file.metadata?.[pendingKey],
    damaged: file.damaged === true,
  };
}
