import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { useEngine, useSummary } from './engine';
import classes from './panel.module.css';

const Timeline = lazy(() => import('./timeline'));

/** The story of an unfinished upload, wherever it is sent from. */
export function SessionStory({ sessionId }: { sessionId: string }) {
  const { t } = useTranslation();
  const engine = useEngine();
  useSummary();
  const mine = [...engine.board.all()].find((j) => j.sessionId === sessionId);
  return (
    <Suspense>
      <h3 className={classes.storyTitle}>{t('timeline.title')}</h3>
      <Timeline
        sessionId={sessionId}
        story={mine?.story ?? []}
        durability={undefined} // the details say it
        live
      />
    </Suspense>
  );
}
