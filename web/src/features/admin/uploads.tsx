import { Button } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { endUpload, type Upload, uploadsQuery } from '@/api/admin';
import { wordsOf } from '@/api/words';
import { formatBytes } from '@/lib/bytes';
import { formatMoment, formatWhen } from '@/lib/time';
import { Failed } from '@/ui/failed';
import classes from './page.module.css';
import { Remove } from './parts';

/** What is stuck? */
export function Uploads() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const query = useInfiniteQuery(uploadsQuery);
  const end = useMutation({
    mutationFn: endUpload,
    onSettled: () => queries.invalidateQueries({ queryKey: uploadsQuery.queryKey }),
  });
  const uploads = (query.data?.pages ?? []).flatMap((page) => page.uploads);
  return (
    <>
      <div className={classes.bar}>
        <p className="muted">{t('admin.uploadsText')}</p>
      </div>
      <Failed words={wordsOf(query.error ?? end.error)} />
      <ul className={classes.list}>
        {uploads.map((upload) => (
          <Line
            key={upload.id}
            upload={upload}
            busy={end.isPending && end.variables === upload.id}
            onEnd={() => end.mutate(upload.id)}
          />
        ))}
      </ul>
      {query.data && uploads.length === 0 && <p className="muted">{t('admin.noUpload')}</p>}
      {query.hasNextPage && (
        <Button variant="default" onClick={() => void query.fetchNextPage()}>
          {t('trash.more')}
        </Button>
      )}
    </>
  );
}

interface LineProps {
  upload: Upload;
  busy: boolean;
  onEnd(): void;
}

function Line({ upload, busy, onEnd }: LineProps) {
  const { t } = useTranslation();
  const seen = Date.parse(upload.touched_at);
  const name = nameOf(upload.uri);
  return (
    <li className={classes.line}>
      <div className={classes.what}>
        <strong>{name}</strong> <span className="muted">{upload.owner.email}</span>
        <div className="muted num">
          {t('capacity.of', {
            used: formatBytes(upload.received),
            total: formatBytes(upload.size),
          })}
          {' · '}
          <span data-tip={formatMoment(seen)}>
            {t('admin.moved', { when: formatWhen(seen, Date.now()) })}
          </span>
        </div>
      </div>
      <Remove
        title={t('admin.endUpload', { name })}
        text={t('admin.endUploadText', { name: upload.owner.email })}
        busy={busy}
        onRemove={onEnd}
      />
    </li>
  );
}

function nameOf(uri: string): string {
  const last = uri.slice(uri.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}
