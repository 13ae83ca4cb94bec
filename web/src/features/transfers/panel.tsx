import { Button } from '@mantine/core';
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { lazy, type ReactNode, Suspense, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { formatBytes, formatCount, formatSpeed } from '@/lib/bytes';
import { formatLeft } from '@/lib/time';
import { Icon } from '@/ui/icon';
import { TwoToneProgress } from '@/ui/progress';
import type { Summary } from '@/upload/engine';
import type { Job } from '@/upload/job';
import type { Upload } from '@/upload/server';
import { useEngine, useSummary } from './engine';
import { JobRow } from './job-row';
import classes from './panel.module.css';
import { Questions } from './questions';
import { ContinueButton, UnfinishedRow } from './unfinished';
import { useUnfinished } from './use-unfinished';

const WorkList = lazy(() => import('./work'));

interface Props {
  open: boolean;
  onOpen(open: boolean): void;
  /** Files found so far in a folder that is still being read. */
  reading: number | undefined;
}

/** All transfers of this page, folded to one line or open. */
export default function TransferPanel({ open, onOpen, reading }: Props) {
  const { t } = useTranslation();
  const summary = useSummary();
  const unfinished = useUnfinished();
  const [chosen, setChosen] = useState<Job>();
  const [postponed, setPostponed] = useState<ReadonlySet<number>>(new Set());
  const postpone = (job: Job) => {
    setChosen(undefined);
    setPostponed((ids) => new Set(ids).add(job.id));
  };
  const questions = <Questions chosen={chosen} postponed={postponed} onPostpone={postpone} />;
  if (summary.files === 0 && unfinished.length === 0 && !open) return questions;
  const needs = summary.groups.needsYou + unfinished.length;
  return (
    <>
      <section className={classes.panel} aria-label={t('transfers.title')}>
        <button
          type="button"
          className={classes.fold}
          aria-expanded={open}
          onClick={() => onOpen(!open)}
        >
          <span className="quiet">{open ? t('transfers.fold') : t('transfers.unfold')}: </span>
          <span className={`${classes.summary} num`}>
            {reading === undefined
              ? lineOf(t, summary, open)
              : t('transfers.reading', { count: reading })}
          </span>
          {needs > 0 && <span className={classes.dot}>{formatCount(needs)}</span>}
          <Icon of={open ? IconChevronDown : IconChevronUp} />
        </button>
        {open && <Overall summary={summary} />}
        {open && (
          <Suspense fallback={null}>
            <WorkList />
          </Suspense>
        )}
        {open && <Entries unfinished={unfinished} onDecide={setChosen} />}
      </section>
      <Announcer summary={summary} />
      {questions}
    </>
  );
}

type T = ReturnType<typeof useTranslation>['t'];

/** "3 of 210 · 1.2 GB of 4 GB confirmed · 84 MB/s · 40 s" */
function lineOf(t: T, s: Summary, short: boolean): string {
  if (s.files === 0) return t('transfers.title');
  const bytes = formatBytes(s.bytes);
  const ended = s.groups.running + s.groups.waiting === 0;
  if (ended && s.groups.needsYou === 0)
    return t('transfers.lineDone', { count: s.done, bytes: formatBytes(s.confirmed) });
  const numbers = { done: formatCount(s.done), files: formatCount(s.files) };
  const line = t('transfers.line', { ...numbers, confirmed: formatBytes(s.confirmed), bytes });
  return short || s.hold || ended ? line : [line, ...paceOf(s)].join(' · ');
}

/** Speed and time left, as far as they are known. */
function paceOf(s: Summary): string[] {
  const left = s.secondsLeft === undefined ? '' : formatLeft(s.secondsLeft);
  return [formatSpeed(s.bytesPerSecond), left].filter(Boolean);
}

function Overall({ summary: s }: { summary: Summary }) {
  const { t } = useTranslation();
  const engine = useEngine();
  const active = s.groups.running + s.groups.waiting > 0;
  const holds = {
    offline: t('transfers.offline'),
    signedOut: t('transfers.signedOut'),
    paused: t('transfers.allPaused'),
  };
  if (s.files === 0) return null;
  const failed = [...engine.board.group('needsYou')].filter((j) => j.state === 'failed').length;
  return (
    <div className={classes.overall}>
      <TwoToneProgress
        label={t('transfers.overall')}
        sent={s.sent}
        confirmed={s.confirmed}
        total={s.bytes}
        still={s.hold !== undefined}
      />
      {s.hold && <div className={`${classes.facts} ${classes.hold}`}>{holds[s.hold]}</div>}
      {s.allowed !== undefined && (
        <p className={classes.facts}>{t('transfers.limited', { bytes: formatBytes(s.allowed) })}</p>
      )}
      <div className={classes.tools}>
        {active && !s.hold && (
          <span className={`${classes.pace} num`}>{paceOf(s).join(' · ')}</span>
        )}
        {active && s.hold === 'paused' && (
          <Tool act={() => engine.release('paused')}>{t('transfers.resumeAll')}</Tool>
        )}
        {active && s.hold !== 'paused' && (
          <Tool act={() => engine.hold('paused')}>{t('transfers.pauseAll')}</Tool>
        )}
        {active && <Tool act={() => engine.cancelAll()}>{t('transfers.cancelAll')}</Tool>}
        {failed > 1 && <Tool act={() => engine.retryFailed()}>{t('transfers.retryAll')}</Tool>}
        {s.groups.done > 0 && (
          <Tool act={() => engine.clearDone()}>{t('transfers.clearDone')}</Tool>
        )}
      </div>
    </div>
  );
}

function Tool({ act, children }: { act(): void; children: ReactNode }) {
  return (
    <Button size="compact-sm" variant="subtle" color="gray" onClick={act}>
      {children}
    </Button>
  );
}

type Entry =
  | { key: string; head: string; amber: boolean; tool?: ReactNode }
  | { key: string; job: Job }
  | { key: string; upload: Upload };

interface EntriesProps {
  unfinished: Upload[];
  onDecide(job: Job): void;
}

function useEntries(unfinished: Upload[]): Entry[] {
  const { t } = useTranslation();
  const engine = useEngine();
  const groups = [
    ['needsYou', t('transfers.needsYou')],
    ['running', t('transfers.running')],
    ['waiting', t('transfers.waiting')],
    ['done', t('transfers.done')],
  ] as const;
  const entries: Entry[] = [];
  for (const [group, title] of groups) {
    const jobs = [...engine.board.group(group)];
    if (group === 'done') jobs.reverse(); // the latest first
    if (jobs.length > 0) {
      const head = `${title} · ${formatCount(jobs.length)}`;
      entries.push({ key: group, head, amber: group === 'needsYou' });
    }
    for (const job of jobs) entries.push({ key: `job ${job.id}`, job });
    if (group !== 'needsYou' || unfinished.length === 0) continue;
    const head = `${t('transfers.unfinished')} · ${formatCount(unfinished.length)}`;
    entries.push({ key: 'unfinished', head, amber: jobs.length === 0 });
    for (const upload of unfinished) entries.push({ key: upload.sessionId, upload });
  }
  return entries;
}

function Entries({ unfinished, onDecide }: EntriesProps) {
  const { t } = useTranslation();
  const list = useRef<HTMLDivElement>(null);
  const entries = useEntries(unfinished);
  const lines = useVirtualizer({
    count: entries.length,
    getScrollElement: () => list.current,
    getItemKey: (i) => entries[i]?.key ?? i,
    estimateSize: (i) => estimate(entries[i]),
    overscan: 6,
    initialRect: { width: 440, height: 400 },
  });
  return (
    <div
      ref={list}
      className={classes.list}
      tabIndex={0}
      role="group"
      aria-label={t('transfers.title')}
    >
      {entries.length === 0 && <p className={classes.group}>{t('transfers.nothing')}</p>}
      {unfinished.length > 1 && (
        <div className={classes.entry} style={{ position: 'static' }}>
          <div className={classes.buttons}>
            <ContinueButton uploads={unfinished} text={t('unfinished.continueAll')} />
          </div>
        </div>
      )}
      <div className={classes.inner} style={{ height: lines.getTotalSize() }}>
        {lines.getVirtualItems().map((line) => {
          const entry = entries[line.index];
          if (!entry) return null;
          return (
            <div
              key={line.key}
              ref={lines.measureElement}
              data-index={line.index}
              className={'head' in entry ? '' : classes.entry}
              style={{
                position: 'absolute',
                top: 0,
                left: 0,
                right: 0,
                transform: `translateY(${line.start}px)`,
              }}
            >
              {'head' in entry && (
                <h3 className={classes.group} data-amber={entry.amber || undefined}>
                  {entry.head}
                </h3>
              )}
              {'job' in entry && <JobRow job={entry.job} onDecide={onDecide} />}
              {'upload' in entry && <UnfinishedRow upload={entry.upload} />}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function estimate(entry: Entry | undefined): number {
  if (!entry || 'head' in entry) return 30;
  if ('upload' in entry) return 130;
  return entry.job.state === 'running' ? 50 : 40;
}

/** Tells a screen reader about milestones, not about every percent. */
function Announcer({ summary: s }: { summary: Summary }) {
  const { t } = useTranslation();
  const step = s.files > 20 ? Math.floor((10 * s.done) / s.files) : s.done;
  const key = `${step} ${s.groups.needsYou}`;
  const said = useRef({ key: '', text: '' });
  if (said.current.key !== key && s.files > 0) {
    const text = t('transfers.announce', {
      done: s.done,
      files: s.files,
      needsYou: s.groups.needsYou,
    });
    said.current = { key, text };
  }
  return (
    <div className="quiet" aria-live="polite">
      {said.current.text}
    </div>
  );
}
