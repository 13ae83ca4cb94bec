import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { formatBytes } from '@/lib/bytes';
import { type Path, pathOf, samePath } from '@/lib/path';
import { pathOfJob } from '@/upload/job';
import { useEngine, useSummary } from './engine';
import classes from './panel.module.css';
import { isLively, useUnfinished } from './use-unfinished';

const Buttons = lazy(() => import('./buttons'));

/** In the list of files: how far this file is, or how to go on with it. */
export function PendingCell({ path }: { path: Path }) {
  const { t } = useTranslation();
  const engine = useEngine();
  useSummary();
  const upload = useUnfinished().find((u) => samePath(pathOf(u.uri), path));
  for (const group of ['running', 'needsYou'] as const)
    for (const job of engine.board.group(group)) {
      if (job.size === 0 || !samePath(pathOfJob(job), path)) continue;
      const sizes = { confirmed: formatBytes(job.confirmed), size: formatBytes(job.size) };
      return <span className={`${classes.cell} num`}>{t('transfers.confirmed', sizes)}</span>;
    }
  if (!upload) return <span className={classes.cell}>{t('files.notThereYet')}</span>;
  if (isLively(upload)) return <span className={classes.cell}>{t('unfinished.elsewhere')}</span>;
  return (
    <span className={classes.cell}>
      <span className="num">
        {t(upload.straight ? 'unfinished.open' : 'transfers.confirmed', {
          confirmed: formatBytes(upload.receivedBytes),
          size: formatBytes(upload.size),
        })}
      </span>
      <Suspense>
        <Buttons upload={upload} />
      </Suspense>
    </span>
  );
}
