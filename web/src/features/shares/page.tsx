import { Button } from '@mantine/core';
import { IconCopy } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { FileType } from '@/api/model';
import { endShare, mySharesKey, mySharesQuery, type Share } from '@/api/shares';
import { wordsOf } from '@/api/words';
import { uriOf } from '@/lib/path';
import { formatDay } from '@/lib/time';
import { Confirm } from '@/ui/confirm';
import { Failed } from '@/ui/failed';
import { iconOf } from '@/ui/file-icon';
import { FileName } from '@/ui/file-name';
import { Icon } from '@/ui/icon';
import classes from '@/ui/page.module.css';
import { toast } from '@/ui/toast';
import { copyLink } from './copy';

const ShareDialog = lazy(() => import('./dialog'));

/** All links that one has given out, and how to change and end them. */
export default function SharesPage({ account }: { account: ReactNode }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [asking, setAsking] = useState<Share>();
  const [editing, setEditing] = useState<Share>();
  const query = useInfiniteQuery(mySharesQuery);
  const shares = (query.data?.pages ?? []).flatMap((page) => page.shares);
  const end = useMutation({
    mutationFn: (share: Share) => endShare(share.id),
    onSuccess: (_, share) => {
      toast(t('shares.ended', { name: share.name }));
      setAsking(undefined);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: mySharesKey }),
  });
  const close = () => {
    end.reset();
    setAsking(undefined);
  };
  return (
    <div className={classes.page}>
      <div className={classes.top}>
        <h1>{t('shares.heading')}</h1>
        {account}
      </div>
      <Failed words={wordsOf(query.error)} />
      {query.data && shares.length === 0 && (
        <p className={classes.nothing}>{t('shares.nothing')}</p>
      )}
      <ul className={classes.list} aria-busy={query.isPending}>
        {shares.map((share) => (
          <Line
            key={share.id}
            share={share}
            onEdit={() => setEditing(share)}
            onEnd={() => setAsking(share)}
          />
        ))}
      </ul>
      {query.hasNextPage && (
        <Button
          variant="default"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {t('shares.more')}
        </Button>
      )}
      <Suspense>
        {editing && (
          <ShareDialog
            item={{ uri: editing.source_uri ?? uriOf([]), name: editing.name }}
            share={editing}
            onClose={() => setEditing(undefined)}
          />
        )}
      </Suspense>
      <Confirm
        open={asking !== undefined}
        title={t('shares.endTitle', { name: asking?.name ?? '' })}
        verb={t('shares.end')}
        busy={end.isPending}
        onClose={close}
        onYes={() => asking && end.mutate(asking)}
      >
        <p>{t('shares.endText')}</p>
        <Failed words={wordsOf(end.error)} />
      </Confirm>
    </div>
  );
}

interface LineProps {
  share: Share;
  onEdit(): void;
  onEnd(): void;
}

function Line({ share, onEdit, onEnd }: LineProps) {
  const { t } = useTranslation();
  const left = share.remain_downloads;
  const facts = [
    share.expired && t('shares.over'),
    share.is_private && t('shares.isSecret'),
    share.expires && t('visit.until', { when: formatDay(Date.parse(share.expires)) }),
    left !== undefined && t('visit.left', { count: left }),
    t('shares.visits', { count: share.visited }),
    t('shares.taken', { count: share.downloaded ?? 0 }),
  ].filter(Boolean);
  return (
    <li className={classes.line} data-over={share.expired || undefined}>
      <Icon of={iconOf(share.name, share.source_type === FileType.folder)} size={20} />
      <div className={classes.what}>
        <FileName name={share.name} />
        <span className="muted num">{facts.join(' · ')}</span>
      </div>
      {!share.expired && (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<Icon of={IconCopy} size={16} />}
          aria-label={t('shares.copyOf', { name: share.name })}
          onClick={() => void copyLink(share.url)}
        >
          {t('shares.copy')}
        </Button>
      )}
      <Button
        size="compact-sm"
        variant="default"
        aria-label={t('shares.editOf', { name: share.name })}
        onClick={onEdit}
      >
        {t('shares.edit')}
      </Button>
      <Button
        size="compact-sm"
        variant="subtle"
        color="red"
        c="var(--red)"
        aria-label={t('shares.endOf', { name: share.name })}
        onClick={onEnd}
      >
        {t('shares.end')}
      </Button>
    </li>
  );
}
