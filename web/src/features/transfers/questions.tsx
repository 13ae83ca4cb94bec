import { Button, Checkbox } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { exactBytes, formatBytes } from '@/lib/bytes';
import { formatMoment } from '@/lib/time';
import { Dialog } from '@/ui/dialog';
import type { ConflictChoice, Job } from '@/upload/job';
import { useEngine, useSummary } from './engine';
import classes from './questions.module.css';

interface Props {
  /** The job to ask about; the first that waits with a question if none. */
  chosen: Job | undefined;
  /** Jobs whose question was put off. */
  postponed: ReadonlySet<number>;
  onPostpone(job: Job): void;
}

/** Asks what only a person can decide, one question at a time. */
export function Questions({ chosen, postponed, onPostpone }: Props) {
  const engine = useEngine();
  useSummary();
  const asks = (job: Job) => job.state === 'conflict' || job.state === 'locked';
  const waiting = [...engine.board.group('needsYou')].filter(asks);
  const job = chosen && asks(chosen) ? chosen : waiting.find((j) => !postponed.has(j.id));
  if (!job) return null;
  const props = { key: job.id, job, onClose: () => onPostpone(job) };
  return job.state === 'conflict' ? <ConflictDialog {...props} /> : <LockedDialog {...props} />;
}

interface DialogProps {
  job: Job;
  onClose(): void;
}

function ConflictDialog({ job, onClose }: DialogProps) {
  const { t } = useTranslation();
  const engine = useEngine();
  const [all, setAll] = useState(false);
  const peers = [...engine.board.group('needsYou')].filter(
    (j) => j.state === 'conflict' && j.batch === job.batch,
  ).length;
  const { unfinished } = job.conflict ?? {};
  const decide = (choice: ConflictChoice) => engine.decide(job, choice, all);
  return (
    <Dialog
      open
      title={t(unfinished ? 'conflict.titleUnfinished' : 'conflict.title', { name: job.name })}
      onClose={onClose}
      closeLabel={t('app.close')}
      actions={
        <>
          <Button variant="default" onClick={() => decide('skip')}>
            {t('conflict.skip')}
          </Button>
          <Button variant="default" onClick={() => decide('replace')}>
            {t('conflict.replace')}
          </Button>
          {/* The one choice by which nothing is lost. */}
          <Button data-autofocus onClick={() => decide('keep')}>
            {t('conflict.keep')}
          </Button>
        </>
      }
    >
      {unfinished ? (
        <p>
          {unfinished.straight
            ? t('conflict.parts')
            : t('conflict.unfinished', { received: formatBytes(unfinished.receivedBytes) })}
        </p>
      ) : (
        <Compare job={job} />
      )}
      <Checkbox
        size="sm"
        checked={all}
        label={peers > 1 ? t('conflict.allCount', { count: peers }) : t('conflict.all')}
        onChange={(e) => setAll(e.currentTarget.checked)}
      />
    </Dialog>
  );
}

function Compare({ job }: { job: Job }) {
  const { t } = useTranslation();
  const existing = job.conflict?.existing;
  const yours = job.file?.lastModified ?? 0;
  if (!existing) return null;
  const same = existing.size === job.size && existing.updatedAt === yours;
  return (
    <>
      <div className={classes.sides}>
        <Side title={t('conflict.theirs')} size={existing.size} at={existing.updatedAt} />
        <Side title={t('conflict.yours')} size={job.size} at={yours} />
      </div>
      {same && <p className="muted">{t('conflict.same')}</p>}
    </>
  );
}

function Side({ title, size, at }: { title: string; size: number; at: number }) {
  return (
    <div className={classes.side}>
      <h3>{title}</h3>
      <div className="num" title={exactBytes(size)}>
        {formatBytes(size)}
      </div>
      <div className="muted num">{formatMoment(at)}</div>
    </div>
  );
}

function LockedDialog({ job, onClose }: DialogProps) {
  const { t } = useTranslation();
  const engine = useEngine();
  const by = job.lock?.by;
  return (
    <Dialog
      open
      title={t('locked.title', { name: job.name })}
      onClose={onClose}
      closeLabel={t('app.close')}
      actions={
        <>
          <Button variant="default" data-autofocus onClick={onClose}>
            {t('locked.wait')}
          </Button>
          <Button onClick={() => void engine.unlock(job)}>{t('locked.unlock')}</Button>
        </>
      }
    >
      <p>{by ? t('locked.by', { by }) : t('locked.unknown')}</p>
      <p className="muted">{t('locked.text')}</p>
    </Dialog>
  );
}
