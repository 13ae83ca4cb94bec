import { ActionIcon, Button } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { exactBytes, formatBytes } from '@/lib/bytes';
import { iconOf } from '@/ui/file-icon';
import { FileName } from '@/ui/file-name';
import { Icon } from '@/ui/icon';
import { TwoToneProgress } from '@/ui/progress';
import { RequestId } from '@/ui/request-id';
import type { Job } from '@/upload/job';
import { useEngine } from './engine';
import classes from './panel.module.css';
import { JobStory, StoryButton, useOpened } from './story';
import { problemSentence, type Sentence } from './words';

interface Props {
  job: Job;
  /** Opens the question that this file waits with. */
  onDecide(job: Job): void;
}

export function JobRow({ job, onDecide }: Props) {
  const { t } = useTranslation();
  const [open, setOpen] = useOpened(`job ${job.id}`);
  const moving = ['running', 'retrying', 'confirming'].includes(job.state);
  const asks = job.state === 'conflict' || job.state === 'locked';
  const begun = job.sent > 0 && job.state !== 'done' && job.state !== 'skipped';
  return (
    <>
      <div className={classes.line}>
        <Icon of={iconOf(job.name, job.file === undefined)} />
        <span className={classes.name}>
          <FileName name={job.name} title={[...job.folder, job.name].join(' / ')} />
        </span>
        {asks ? (
          <Button size="compact-xs" variant="default" onClick={() => onDecide(job)}>
            {t('transfers.decide')}
          </Button>
        ) : (
          <StateText job={job} />
        )}
        {job.story.length > 0 && <StoryButton open={open} onOpen={setOpen} />}
        <Controls job={job} />
      </div>
      {(moving || begun) && job.file && (
        <TwoToneProgress
          thin
          label={t('transfers.ofFile', { name: job.name })}
          sent={job.sent}
          confirmed={job.confirmed}
          total={job.size}
          still={!moving || job.state === 'retrying'}
        />
      )}
      <Trouble job={job} />
      {open && <JobStory job={job} />}
    </>
  );
}

function StateText({ job }: { job: Job }) {
  const { t } = useTranslation();
  const sizes = { confirmed: formatBytes(job.confirmed), size: formatBytes(job.size) };
  const className = `${classes.state} num`;
  switch (job.state) {
    case 'done':
      return <DoneText job={job} />;
    case 'skipped':
      return <span className={className}>{t('transfers.skipped')}</span>;
    case 'confirming':
      return <span className={className}>{t('transfers.checking')}</span>;
    case 'paused':
      return <span className={className}>{t('transfers.paused')}</span>;
    case 'failed':
      if (job.confirmed > 0) break;
      return <span className={className}>{formatBytes(job.size)}</span>;
    case 'waiting':
      return <span className={className}>{formatBytes(job.size)}</span>;
    case 'running':
      if (!job.sessionId) return <span className={className}>{t('transfers.begins')}</span>;
      break;
  }
  return (
    <span className={className} data-tip={`${exactBytes(job.confirmed)} / ${exactBytes(job.size)}`}>
      {t('transfers.confirmed', sizes)}
    </span>
  );
}

function DoneText({ job }: { job: Job }) {
  const { t } = useTranslation();
  if (!job.file) return <span className={classes.state}>{t('transfers.folder')}</span>;
  const label = job.verified
    ? t('transfers.digest', { digest: job.digest ?? '' })
    : t('transfers.unverifiedWhy');
  const className = `${classes.state} ${job.verified ? classes.verified : ''}`;
  return (
    <span className={className} data-tip={label}>
      {job.verified ? `${t('transfers.verified')} ✓` : t('transfers.arrived')}
    </span>
  );
}

function Controls({ job }: { job: Job }) {
  const { t } = useTranslation();
  const engine = useEngine();
  const running = job.state === 'running' || job.state === 'retrying' || job.state === 'waiting';
  const ended = job.state === 'done' || job.state === 'skipped';
  return (
    <span className={classes.controls}>
      {running && (
        <SmallButton
          label={t('transfers.pause')}
          icon={IconPlayerPause}
          act={() => engine.pause(job)}
        />
      )}
      {job.state === 'paused' && (
        <SmallButton
          label={t('transfers.resume')}
          icon={IconPlayerPlay}
          act={() => engine.proceed(job)}
        />
      )}
      <SmallButton
        label={ended ? t('transfers.remove') : t('transfers.cancel')}
        icon={IconX}
        act={() => void engine.cancel(job)}
      />
    </span>
  );
}

interface SmallProps {
  label: string;
  icon: typeof IconX;
  act(): void;
}

function SmallButton({ label, icon, act }: SmallProps) {
  return (
    <ActionIcon size={24} aria-label={label} data-tip={label} onClick={act}>
      <Icon of={icon} size={16} />
    </ActionIcon>
  );
}

function Trouble({ job }: { job: Job }) {
  const { t } = useTranslation();
  const engine = useEngine();
  if (!job.problem || job.state === 'paused') return null;
  const sentence = problemSentence(t, job, job.problem);
  const failed = job.state === 'failed';
  return (
    <div className={`${classes.trouble} ${failed ? classes.failed : ''}`}>
      <SentenceText {...sentence} />
      <Button
        size="compact-sm"
        variant="default"
        onClick={() => (failed ? engine.proceed(job) : engine.tryNow())}
      >
        {failed ? t('transfers.retry') : t('transfers.tryNow')}
      </Button>
    </div>
  );
}

function SentenceText({ what, safe, todo, fault, id }: Sentence) {
  return (
    <div>
      <p>
        <strong>{what}</strong> {safe} {todo} {fault}
      </p>
      {id && <RequestId id={id} />}
    </div>
  );
}
