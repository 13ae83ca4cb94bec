import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { type FileObject, FileType, pendingKey } from '@/api/model';
import { listingQuery, type Sort } from '@/api/queries';
import { type Path, pathOf, uriOf } from '@/lib/path';

/** One line of the list. */
export interface Item {
  /** Key and address in one. */
  uri: string;
  path: Path;
  name: string;
  folder: boolean;
  size: number;
  changedAt: number;
  /** An upload for it is not finished; without content, nothing of it can be had yet. */
  pending: boolean;
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

  const all = useMemo(() => (data?.pages ?? []).flatMap((p) => p.files.map(itemOf)), [data]);
  const items = useMemo(() => {
    const wanted = filter.trim().toLocaleLowerCase();
    return wanted === '' ? all : all.filter((i) => i.name.toLocaleLowerCase().includes(wanted));
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

function itemOf(file: FileObject): Item {
  const path = pathOf(file.path);
  return {
    uri: uriOf(path),
    path,
    name: file.name,
    folder: file.type === FileType.folder,
    size: file.size,
    changedAt: Date.parse(file.updated_at),
    pending: file.metadata?.[pendingKey] !== undefined,
  };
}
