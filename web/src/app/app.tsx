import { Button } from '@mantine/core';
import { lazy, Suspense, useEffect, useRef, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { session } from '@/api/call';
import { useSummary } from '@/features/transfers';
import { go, place, safeNext, subscribePlace } from '@/lib/location';
import classes from './app.module.css';
import { SignedIn, useIntake } from './signed-in';

const SignIn = lazy(() => import('@/features/account/sign-in'));
const SetUp = lazy(() => import('@/features/account/set-up'));

/** Which screen: the address and the sign-in decide. */
export function App() {
  const here = useSyncExternalStore(subscribePlace, place);
  const signIn = useSyncExternalStore(session.subscribe, session.current);
  const { t } = useTranslation();
  const [room] = here.segments;

  // Signing in or out moves the address along; a place asked for is kept.
  const signedIn = signIn !== undefined;
  const away = !signedIn && room !== 'signin' && room !== 'setup';
  const home = signedIn && (room === undefined || room === 'signin');
  useEffect(() => {
    if (away) go(room ? `/signin?next=${encodeURIComponent(here.href)}` : '/signin', 'replace');
    else if (home) go(safeNext(here.query.get('next')), 'replace');
  }, [away, home, room, here]);

  if (room === 'setup') return <FirstRun token={here.query.get('token') ?? ''} />;
  if (!signIn) return room === 'signin' ? <SignInScreen ended={here.query.has('next')} /> : null;
  if (room === 'files') return <SignedIn user={signIn.user} place={here} />;
  if (home) return null;
  return (
    <main className={classes.lost}>
      <p>{t('app.lost')}</p>
      <Button onClick={() => go('/files')}>{t('app.toFiles')}</Button>
    </main>
  );
}

function SignInScreen({ ended }: { ended: boolean }) {
  const { groups } = useSummary();
  return (
    <Suspense>
      <SignIn ended={ended} waiting={groups.waiting + groups.running} />
    </Suspense>
  );
}

function FirstRun({ token }: { token: string }) {
  const leave = () => go('/files', 'replace');
  const intake = useIntake(leave);
  // Used once: the address is not kept, the token is.
  const kept = useRef(token);
  return (
    <>
      <Suspense>
        <SetUp
          token={kept.current}
          onChoose={() => intake.pick('files', [])}
          onDrop={(data) => intake.drop(data, [])}
          onLater={leave}
        />
      </Suspense>
      {intake.inputs}
    </>
  );
}
