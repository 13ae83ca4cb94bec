import { Button } from '@mantine/core';
import { IconChevronRight, IconFolder } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Fragment, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { FileType } from '@/api/model';
import { listingQuery } from '@/api/queries';
import { wordsOf } from '@/api/words';
import { type Path, samePath, uriOf } from '@/lib/path';
import { Dialog } from '@/ui/dialog';
import { Failed } from '@/ui/failed';
import { Icon } from '@/ui/icon';
import type { Item } from './listing';
import classes from './move.module.css';

interface Props {
  items: Item[];
  /** Where they are. */
  from: Path;
  busy: boolean;
  error: unknown;
  onClose(): void;
  onPlace(to: Path, copy: boolean): void;
}

/** Asks where some items should go. */
export function MoveDialog({ items, from, busy, error, onClose, onPlace }: Props) {
  const { t } = useTranslation();
  const [at, setAt] = useState<Path>(from);
  const [first] = items;
  return (
    <Dialog
      open={items.length > 0}
      title={
        items.length === 1 && first
          ? t('move.title', { name: first.name })
          : t('move.titleMany', { count: items.length })
      }
      onClose={onClose}
      closeLabel={t('app.close')}
      actions={
        <>
          <Button variant="default" onClick={onClose}>
            {t('app.cancel')}
          </Button>
          <Button variant="default" loading={busy} onClick={() => onPlace(at, true)}>
            {t('move.copy')}
          </Button>
          <Button
            data-autofocus
            loading={busy}
            disabled={samePath(at, from)}
            onClick={() => onPlace(at, false)}
          >
            {t('move.submit')}
          </Button>
        </>
      }
    >
      <Steps at={at} onStep={setAt} />
      <Folders at={at} items={items} onEnter={setAt} />
      <Failed words={wordsOf(error)} />
    </Dialog>
  );
}

function Steps({ at, onStep }: { at: Path; onStep(to: Path): void }) {
  const { t } = useTranslation();
  return (
    <nav aria-label={t('move.where')} className={classes.steps}>
      {[t('files.root'), ...at].map((name, depth) => {
        const to = at.slice(0, depth);
        return (
          <Fragment key={to.join('/')}>
            {depth > 0 && <Icon of={IconChevronRight} size={14} />}
            <button type="button" className={classes.step} onClick={() => onStep(to)}>
              <bdi>{name}</bdi>
            </button>
          </Fragment>
        );
      })}
    </nav>
  );
}

function Folders({ at, items, onEnter }: { at: Path; items: Item[]; onEnter(to: Path): void }) {
  const { t } = useTranslation();
  const query = useInfiniteQuery(listingQuery(uriOf(at), { orderBy: 'name', direction: 'asc' }));
  const files = (query.data?.pages ?? []).flatMap((page) => page.files);
  const folders = files.filter((f) => f.type === FileType.folder);
  // Folders come first: one file is their end.
  const more = query.hasNextPage && folders.length === files.length;
  const { fetchNextPage, isFetchingNextPage } = query;
  useEffect(() => {
    if (more && !isFetchingNextPage) void fetchNextPage();
  }, [more, isFetchingNextPage, fetchNextPage]);
  return (
    <ul className={classes.folders} aria-busy={query.isPending || more}>
      {folders.map((folder) => {
        const to = [...at, folder.name];
        // A folder cannot go into itself.
        const itself = items.some((i) => samePath(i.path, to));
        return (
          <li key={folder.id}>
            <button
              type="button"
              className={classes.folder}
              disabled={itself}
              onClick={() => onEnter(to)}
            >
              <Icon of={IconFolder} size={20} />
              <bdi>{folder.name}</bdi>
            </button>
          </li>
        );
      })}
      {!query.isPending && !more && folders.length === 0 && (
        <li className={classes.none}>{t('move.none')}</li>
      )}
      {query.error && (
        <li>
          <Failed words={wordsOf(query.error)} />
        </li>
      )}
    </ul>
  );
}
