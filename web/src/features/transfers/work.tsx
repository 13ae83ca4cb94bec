import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { wordsOf } from '@/api/words';
import { cancelWork, type Work, workQuery } from '@/api/work';
import { formatCount } from '@/lib/bytes';
import { Failed } from '@/ui/failed';
import { TwoToneProgress } from '@/ui/progress';
import { stateName, taskName } from '@/ui/task';
import classes from './panel.module.css';

const going = ['queued', 'processing', 'suspending'];

/** Copies and deletions of large folders that go on behind the answers. */
export default function WorkList() {
  const { t } = useTranslation();
  const { data, error } = useQuery({
    ...workQuery,
    refetchInterval: (query) =>
      query.state.data?.some((work) => going.includes(work.status)) ? 1_000 : 3_000,
  });
  const shown = data?.filter((work) => going.includes(work.status) || work.status === 'error');
  if (!error && !shown?.length) return null;
  return (
    <section className={classes.work} aria-label={t('work.title')}>
      <h3>{t('work.title')}</h3>
      <Failed words={wordsOf(error)} />
      <ul>
        {shown?.map((work) => (
          <Row key={work.id} work={work} />
        ))}
      </ul>
    </section>
  );
}

function Row({ work }: { work: Work }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => cancelWork(work.id),
    onSettled: () => queries.invalidateQueries({ queryKey: workQuery.queryKey }),
  });
  const { current, total } = work.progress;
  const name = taskName(t, work);
  return (
    <li>
      <div className={classes.line}>
        <span className={classes.name}>{name}</span>
        {work.cancelable && (
          <Button
            size="compact-sm"
            variant="subtle"
            color="gray"
            loading={cancel.isPending}
            aria-label={t('work.cancelOf', { name })}
            onClick={() => cancel.mutate()}
          >
            {t('app.cancel')}
          </Button>
        )}
      </div>
      {work.status === 'processing' && total > 0 && (
        <TwoToneProgress thin label={name} sent={current} confirmed={current} total={total} />
      )}
      <span className={`${classes.state} num`}>
        {stateName(t, work.status, work.stopping)}
        {total > 0 &&
          ` · ${t('work.progress', { done: formatCount(current), all: formatCount(total) })}`}
        {work.error && ` · ${work.error}`}
      </span>
      <Failed words={wordsOf(cancel.error)} />
    </li>
  );
}
