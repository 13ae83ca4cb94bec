import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import type { User } from '@/api/model';
import { type Sort, siteBasicQuery } from '@/api/queries';
import { AccountMenu, CapacityBar } from '@/features/account';
import { FilesPage } from '@/features/files';
import { PendingCell, useEngine } from '@/features/transfers';
import { i18next } from '@/lib/i18n';
import { folderHref, go, type Place, titleOf } from '@/lib/location';
import type { Path } from '@/lib/path';
import { fromDrop, fromPicker, type Lots } from '@/upload/intake';
import { Frame } from './frame';

// Fetched after the first screen stands.
const TransferPanel = lazy(() => import('@/features/transfers/panel'));

interface Props {
  user: User;
  place: Place;
}

const columns = ['name', 'size', 'updated_at'] as const;

function sortOf(query: URLSearchParams): Sort {
  const orderBy = columns.find((c) => c === query.get('sort')) ?? 'name';
  return { orderBy, direction: query.get('dir') === 'desc' ? 'desc' : 'asc' };
}

export function SignedIn({ user, place }: Props) {
  const { data: site } = useQuery(siteBasicQuery);
  const narrow = useMediaQuery('(max-width: 767px)');
  const [open, setOpen] = useState(false);
  const intake = useIntake(() => setOpen(true));
  const title = site?.title || i18next.t('app.name');
  const path = place.segments.slice(1);
  useEffect(() => {
    document.title = titleOf(path, title);
  });
  const sort = sortOf(place.query);
  const onSort = (next: Sort) =>
    go(`${folderHref(path)}?sort=${next.orderBy}&dir=${next.direction}`, 'replace');
  return (
    <Frame title={title} transfersOpen={open} onTransfers={() => setOpen(!open)}>
      <FilesPage
        key={folderHref(path)}
        path={path}
        sort={sort}
        onSort={onSort}
        account={<AccountMenu user={user} capacity={narrow ? <CapacityBar /> : null} />}
        onPick={intake.pick}
        onDrop={intake.drop}
        pending={(p) => <PendingCell path={p} />}
      />
      {intake.inputs}
      <Suspense>
        <TransferPanel open={open} onOpen={setOpen} reading={intake.reading} />
      </Suspense>
    </Frame>
  );
}

/** The way from picked or dropped files to the engine. */
export function useIntake(onFiles: () => void) {
  const engine = useEngine();
  const [reading, setReading] = useState<number>();
  const files = useRef<HTMLInputElement>(null);
  const tree = useRef<HTMLInputElement>(null);
  const target = useRef<Path>([]);

  const take = useCallback(
    async (lots: Lots) => {
      const batch = engine.newBatch();
      let count = 0;
      for await (const lot of lots) {
        if (lot.length === 0) continue;
        engine.add(lot, batch);
        count += lot.length;
        setReading(count);
        if (count === lot.length) onFiles();
      }
      setReading(undefined);
    },
    [engine, onFiles],
  );
  const onChange = (input: HTMLInputElement) => {
    void take(fromPicker([...(input.files ?? [])], target.current));
    input.value = ''; // the same file may be chosen again
  };
  const pick = (what: 'files' | 'folder', folder: Path) => {
    target.current = folder;
    (what === 'files' ? files : tree).current?.click();
  };
  const inputs = (
    <>
      <input
        ref={files}
        type="file"
        hidden
        multiple
        data-testid="pick-files"
        onChange={(e) => onChange(e.currentTarget)}
      />
      <input
        ref={tree}
        type="file"
        hidden
        {...{ webkitdirectory: '' }}
        data-testid="pick-folder"
        onChange={(e) => onChange(e.currentTarget)}
      />
    </>
  );
  return {
    inputs,
    reading,
    pick,
    drop: (data: DataTransfer, folder: Path) => void take(fromDrop(data, folder)),
  };
}
