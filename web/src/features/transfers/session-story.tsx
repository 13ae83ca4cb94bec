import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { useEngine, useSummary } from './engine';
import { useUnfinished } from './use-unfinished';

const Timeline = lazy(() => import('./timeline'));

/** The story of an unfinished upload, wherever it is sent from. */
export function SessionStory({ sessionId }: { sessionId: string }) {
  const { t } = useTranslation();
  const engine = useEngine();
  useSummary();
  const mine = [...engine.board.all()].find((j) => j.sessionId === sessionId);
  const upload = useUnfinished().find((u) => u.sessionId === sessionId);
  return (
    <Suspense>
      <h3>{t('timeline.title')}</h3>
      <Timeline
        sessionId={sessionId}
        story={mine?.story ?? []}
        durability={mine?.durability ?? upload?.durability}
        live
      />
    </Suspense>
  );
}
