import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { trailQuery } from '@/api/admin';
import { wordsOf } from '@/api/words';
import { formatMoment, formatWhen } from '@/lib/time';
import { Failed } from '@/ui/failed';
import { RequestId } from '@/ui/request-id';
import classes from './page.module.css';

/** Who changed what? */
export function Changes() {
  const { t } = useTranslation();
  const query = useInfiniteQuery(trailQuery);
  const changes = (query.data?.pages ?? []).flatMap((page) => page.changes);
  return (
    <>
      <div className={classes.bar}>
        <p className="muted">{t('admin.changesText')}</p>
      </div>
      <Failed words={wordsOf(query.error)} />
      <ul className={classes.list}>
        {changes.map((change) => {
          const at = Date.parse(change.at);
          return (
            <li key={change.id} className={classes.line}>
              <div className={classes.what}>
                <strong>{t(`admin.did.${change.action}`)}</strong> {t(`admin.kind.${change.kind}`)}{' '}
                {change.subject}
                {change.note && `: ${change.note}`}
                <div className="muted num">
                  <span data-tip={formatMoment(at)}>{formatWhen(at, Date.now())}</span>
                  {' · '}
                  {change.who === 0 ? t('admin.byServer') : t('admin.byUser', { id: change.who })}
                </div>
              </div>
              <RequestId id={change.request} />
            </li>
          );
        })}
      </ul>
      {query.data && changes.length === 0 && <p className="muted">{t('admin.noChange')}</p>}
      {query.hasNextPage && (
        <Button variant="default" onClick={() => void query.fetchNextPage()}>
          {t('trash.more')}
        </Button>
      )}
    </>
  );
}
