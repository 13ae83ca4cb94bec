import { useHotkeys } from '@mantine/hooks';
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Sort } from '@/api/queries';
import { wordsOf } from '@/api/words';
import { formatCount } from '@/lib/bytes';
import { folderHref, go } from '@/lib/location';
import type { Path } from '@/lib/path';
import { Failed } from '@/ui/failed';
import { useActions } from './actions';
import { ChosenBar, PlaceBar, TopBar } from './bars';
import { Breadcrumb } from './breadcrumb';
import { useDrop } from './drop';
import { EmptyFolder, ListFailure, LoadingRows, NothingFound } from './empty';
import { FileList } from './list';
import { type Item, type Listing, useListing } from './listing';
import classes from './page.module.css';
import type { Asking } from './questions';
import { useSelection } from './selection';
import { type ItemActions, verbsFor } from './verbs';
import { useView } from './view';

// Not needed to see the files; the frame fetches them when it has time.
const Details = lazy(() => import('./details'));
const Questions = lazy(() => import('./questions'));

export interface FilesPageProps {
  path: Path;
  sort: Sort;
  onSort(sort: Sort): void;
  account: ReactNode;
  /** Opens the browser's picker. */
  onPick(what: 'files' | 'folder', folder: Path): void;
  onDrop(data: DataTransfer, folder: Path): void;
  /** Asks how to share something; not for those who may not. */
  onShare: ((item: Item) => void) | undefined;
  /** What a file shows that has not arrived. */
  pending(path: Path): ReactNode;
  /** What happened to an upload that is not finished. */
  story(sessionId: string): ReactNode;
}

const focusList = () => document.getElementById('files')?.focus({ preventScroll: true });

export function FilesPage(p: FilesPageProps) {
  const { t } = useTranslation();
  const { path, sort } = p;
  const [filter, setFilter] = useState('');
  const [asking, setAsking] = useState<Asking>();
  const [looking, setLooking] = useState<Item>();
  const [view, setView] = useView(path);
  const filterRef = useRef<HTMLInputElement>(null);
  const listing = useListing(path, sort, filter);
  const selection = useSelection(listing.items);
  const actions = useActions(path);
  const drop = useDrop({ path, onDrop: p.onDrop });
  const here = path.at(-1) ?? t('files.root');

  useHotkeys([['/', () => filterRef.current?.focus()]]);
  const ready = !listing.loading;
  useEffect(() => {
    if (ready && document.activeElement === document.body) focusList();
  }, [ready]);

  const itemActions: ItemActions = {
    download: (items) => actions.download.mutate(items),
    rename: (item) => setAsking({ rename: item }),
    share: p.onShare,
    move: (items) => setAsking({ move: items }),
    remove: (items) => setAsking({ remove: items }),
    details: setLooking,
  };
  const onSort = (orderBy: Sort['orderBy']) => {
    const turn = sort.orderBy === orderBy && sort.direction === 'asc';
    p.onSort({ orderBy, direction: turn ? 'desc' : 'asc' });
  };

  // The drawer, once open, follows the selection.
  const [only] = selection.items;
  const shown = looking && selection.items.length === 1 && only ? only : looking;
  const closeDetails = () => {
    setLooking(undefined);
    focusList();
  };
  const countText = useCountText(listing, filter);
  let body: ReactNode;
  if (listing.loading) body = <LoadingRows />;
  else if (listing.error && listing.seen === 0)
    body = <ListFailure error={listing.error} onAgain={listing.again} />;
  else if (listing.complete && listing.seen === 0)
    body = <EmptyFolder path={path} onUpload={() => p.onPick('files', path)} />;
  else if (listing.complete && listing.items.length === 0)
    body = <NothingFound query={filter} onClear={() => setFilter('')} />;
  else
    body = (
      <FileList
        listing={listing}
        selection={selection}
        view={view}
        sort={sort}
        label={t('files.list', { folder: here })}
        onSort={onSort}
        isOver={drop.isOver}
        pending={(item) => p.pending(item.path)}
        menu={(item) => verbsFor(t, [item], itemActions)}
        actions={{
          ...itemActions,
          open: (item) => (item.folder ? go(folderHref(item.path)) : setLooking(item)),
          up: () => path.length > 0 && go(folderHref(path.slice(0, -1))),
        }}
      />
    );

  return (
    <div className={classes.page} {...drop.handlers}>
      <TopBar
        filter={filter}
        filterRef={filterRef}
        account={p.account}
        onFilter={setFilter}
        onLeaveFilter={focusList}
        onNewFolder={() => setAsking({ newFolder: true })}
        onUpload={(what) => p.onPick(what, path)}
      />
      {selection.items.length > 0 ? (
        <ChosenBar items={selection.items} actions={itemActions} onClear={selection.clear} />
      ) : (
        <PlaceBar
          breadcrumb={<Breadcrumb path={path} isOver={drop.isOver} />}
          count={countText}
          view={view}
          onView={setView}
        />
      )}
      <Failed words={wordsOf(actions.download.error)} />
      <div className={classes.middle}>
        <div className={`${classes.panel} ${drop.isOver(path) ? classes.over : ''}`}>{body}</div>
        {shown && (
          <Suspense>
            <Details item={shown} story={p.story} onClose={closeDetails} />
          </Suspense>
        )}
      </div>
      {drop.over && (
        <div className={classes.hint}>
          {t('files.dropHere', { folder: drop.over.at(-1) ?? t('files.root') })}
        </div>
      )}
      <Suspense>
        <Questions
          asking={asking}
          path={path}
          actions={actions}
          onDone={() => setAsking(undefined)}
        />
      </Suspense>
    </div>
  );
}

function useCountText(listing: Listing, filter: string): string {
  const { t } = useTranslation();
  if (listing.loading || (listing.error && listing.seen === 0)) return '';
  const count = listing.items.length;
  if (filter !== '')
    return listing.complete
      ? t('files.found', { count })
      : t('files.looking', { count: formatCount(listing.seen) as unknown as number });
  return listing.complete
    ? t('files.count', { count })
    : t('files.countMore', { count: formatCount(count) as unknown as number });
}
