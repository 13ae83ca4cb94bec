import { Button } from '@mantine/core';
import { IconArrowBackUp, IconTrash } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileObject } from '@/api/model';
import { FileType } from '@/api/model';
import * as api from '@/api/operations';
import { listingQuery } from '@/api/queries';
import { wordsOf } from '@/api/words';
import { formatBytes } from '@/lib/bytes';
import { placeOf, trashUri } from '@/lib/path';
import { formatDay } from '@/lib/time';
import { Confirm } from '@/ui/confirm';
import { Failed } from '@/ui/failed';
import { iconOf } from '@/ui/file-icon';
import { FileName } from '@/ui/file-name';
import { Icon } from '@/ui/icon';
import classes from '@/ui/page.module.css';
import { toast } from '@/ui/toast';

/** What is to be deleted for good: one, or all. */
type Asking = FileObject | 'all' | undefined;

/** What was deleted and can still be brought back. */
export default function TrashPage({ account }: { account: ReactNode }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [asking, setAsking] = useState<Asking>();
  const query = useInfiniteQuery(
    listingQuery(trashUri, { orderBy: 'updated_at', direction: 'desc' }),
  );
  const files = (query.data?.pages ?? []).flatMap((page) => page.files);
  // Anything may be where it was again.
  const refresh = () =>
    Promise.all(
      [['listing'], ['info'], ['capacity']].map((queryKey) =>
        queries.invalidateQueries({ queryKey }),
      ),
    );
  const restore = useMutation({
    mutationFn: (file: FileObject) => api.restoreFiles([file.path]),
    onSuccess: (_, file) => {
      const where = placeOf(file.metadata?.['sys:restore_uri']).at(-2) ?? t('files.root');
      toast(t('trash.restored', { name: file.name, where }));
    },
    onSettled: refresh,
  });
  const remove = useMutation({
    mutationFn: (what: FileObject | 'all') =>
      what === 'all' ? api.emptyTrash() : api.deleteFiles([what.path], true),
    onSuccess: () => setAsking(undefined),
    onSettled: refresh,
  });
  const error = restore.error ?? query.error;
  return (
    <div className={classes.page}>
      <div className={classes.top}>
        <h1>{t('trash.title')}</h1>
        <Button
          variant="default"
          leftSection={<Icon of={IconTrash} />}
          disabled={files.length === 0}
          onClick={() => setAsking('all')}
        >
          {t('trash.empty')}
        </Button>
        {account}
      </div>
      <p className="muted">{t('trash.text')}</p>
      <Failed words={wordsOf(error)} />
      {!query.isPending && !query.error && files.length === 0 && (
        <p className={classes.nothing}>{t('trash.nothing')}</p>
      )}
      <ul className={classes.list} aria-busy={query.isPending}>
        {files.map((file) => (
          <Line
            key={file.path}
            file={file}
            busy={restore.isPending && restore.variables === file}
            onRestore={() => restore.mutate(file)}
            onRemove={() => setAsking(file)}
          />
        ))}
      </ul>
      {query.hasNextPage && (
        <Button
          variant="default"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {t('trash.more')}
        </Button>
      )}
      <Confirm
        open={asking !== undefined}
        title={
          asking === 'all'
            ? t('trash.emptyTitle')
            : t('trash.removeTitle', { name: asking?.name ?? '' })
        }
        verb={t('remove.submitForever')}
        busy={remove.isPending}
        onClose={() => setAsking(undefined)}
        onYes={() => asking && remove.mutate(asking)}
      >
        <p>{t('trash.removeText')}</p>
        <Failed words={wordsOf(remove.error)} />
      </Confirm>
    </div>
  );
}

interface LineProps {
  file: FileObject;
  busy: boolean;
  onRestore(): void;
  onRemove(): void;
}

function Line({ file, busy, onRestore, onRemove }: LineProps) {
  const { t } = useTranslation();
  const folder = file.type === FileType.folder;
  const from = [t('files.root'), ...placeOf(file.metadata?.['sys:restore_uri']).slice(0, -1)];
  const until = Number(file.metadata?.['sys:expected_collect_time'] ?? 0) * 1000;
  return (
    <li className={classes.line}>
      <Icon of={iconOf(file.name, folder)} size={20} />
      <div className={classes.what}>
        <FileName name={file.name} />
        <span className="muted num">
          {t('trash.from', { folder: from.join(' / ') })}
          {!folder && ` · ${formatBytes(file.size)}`}
          {until > 0 && ` · ${t('trash.until', { when: formatDay(until) })}`}
        </span>
      </div>
      <Button
        size="compact-sm"
        variant="default"
        loading={busy}
        leftSection={<Icon of={IconArrowBackUp} size={16} />}
        onClick={onRestore}
      >
        {t('trash.restore')}
      </Button>
      <Button size="compact-sm" variant="subtle" color="red" c="var(--red)" onClick={onRemove}>
        {t('trash.remove')}
      </Button>
    </li>
  );
}
