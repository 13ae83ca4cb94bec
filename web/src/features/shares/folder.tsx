import { ActionIcon, Button } from '@mantine/core';
import { IconChevronRight, IconDownload } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Fragment, type MouseEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { type FileObject, FileType } from '@/api/model';
import { listingQuery } from '@/api/queries';
import type { Share } from '@/api/shares';
import { wordsOf } from '@/api/words';
import { formatBytes } from '@/lib/bytes';
import { go } from '@/lib/location';
import { type SharePlace, shareHref, shareUri } from '@/lib/share';
import { formatWhen } from '@/lib/time';
import { Failed } from '@/ui/failed';
import { iconOf } from '@/ui/file-icon';
import { FileName } from '@/ui/file-name';
import { Icon } from '@/ui/icon';
import classes from './visit.module.css';

interface Props {
  share: Share;
  place: SharePlace;
  busy: boolean;
  onDownload(file: FileObject): void;
}

/** One folder of what is shared. */
export function Folder({ share, place, busy, onDownload }: Props) {
  const { t } = useTranslation();
  const query = useInfiniteQuery(
    listingQuery(shareUri(place), { orderBy: 'name', direction: 'asc' }),
  );
  const files = (query.data?.pages ?? []).flatMap((page) => page.files);
  const steps = [share.name, ...place.path];
  return (
    <>
      <nav aria-label={t('files.path')} className={classes.path} hidden={steps.length === 1}>
        {steps.map((name, depth) => {
          const path = place.path.slice(0, depth);
          return (
            <Fragment key={path.join('/')}>
              {depth > 0 && <Icon of={IconChevronRight} size={14} />}
              {depth === place.path.length ? (
                <strong>
                  <bdi>{name}</bdi>
                </strong>
              ) : (
                <Step place={{ ...place, path }} name={name} />
              )}
            </Fragment>
          );
        })}
      </nav>
      <Failed words={wordsOf(query.error)} />
      <ul className={classes.list} aria-busy={query.isPending}>
        {files.map((file) => (
          <Line
            key={file.path}
            file={file}
            place={{ ...place, path: [...place.path, file.name] }}
            busy={busy}
            onDownload={() => onDownload(file)}
          />
        ))}
      </ul>
      {query.data && files.length === 0 && <p className="muted">{t('visit.empty')}</p>}
      {query.hasNextPage && (
        <Button
          variant="default"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {t('shares.more')}
        </Button>
      )}
    </>
  );
}

function Step({ place, name }: { place: SharePlace; name: string }) {
  const open = (e: MouseEvent) => {
    if (e.metaKey || e.ctrlKey) return;
    e.preventDefault();
    go(shareHref(place));
  };
  return (
    <a href={shareHref(place)} onClick={open}>
      <bdi>{name}</bdi>
    </a>
  );
}

interface LineProps {
  file: FileObject;
  place: SharePlace;
  busy: boolean;
  onDownload(): void;
}

function Line({ file, place, busy, onDownload }: LineProps) {
  const { t } = useTranslation();
  const folder = file.type === FileType.folder;
  const when = formatWhen(Date.parse(file.updated_at), Date.now());
  return (
    <li className={classes.line}>
      <Icon of={iconOf(file.name, folder)} size={20} />
      <div className={classes.what}>
        {folder ? <Step place={place} name={file.name} /> : <FileName name={file.name} />}
        <span className="muted num">{folder ? when : `${formatBytes(file.size)} · ${when}`}</span>
      </div>
      {!folder && (
        <ActionIcon
          aria-label={t('visit.download', { name: file.name })}
          data-tip={t('files.download')}
          disabled={busy}
          onClick={onDownload}
        >
          <Icon of={IconDownload} />
        </ActionIcon>
      )}
    </li>
  );
}
