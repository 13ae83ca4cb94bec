import { Button } from '@mantine/core';
import { lazy, Suspense, useEffect, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { session } from '@/api/call';
import { go, place, safeNext, subscribePlace } from '@/lib/location';
import { sharePlace } from '@/lib/share';
import { Brand } from '@/ui/brand';
import classes from './app.module.css';
import { isRoom } from './rooms';
import { waitingUploads } from './waiting';

const SignIn = lazy(() => import('@/features/account/sign-in'));
const FirstRun = lazy(() => import('./first-run'));
const Visit = lazy(() => import('@/features/shares/visit'));
const SignedIn = lazy(() => import('./signed-in'));

/** Each screen is fetched when it is wanted. */
export function App() {
  return (
    <Suspense fallback={<Coming />}>
      <Screen />
    </Suspense>
  );
}

/** The same as index.html shows before there is any of this. */
function Coming() {
  const { t } = useTranslation();
  return (
    <main className="coming" aria-busy="true">
      <Brand size={40} />
      <p>{t('files.loading')}</p>
    </main>
  );
}

/** Which screen: the address and the sign-in decide. */
function Screen() {
  const here = useSyncExternalStore(subscribePlace, place);
  const signIn = useSyncExternalStore(session.subscribe, session.current);
  const { t } = useTranslation();
  const [room] = here.segments;

  // Signing in or out moves the address along; a place asked for is kept.
  const signedIn = signIn !== undefined;
  // Where short links lead: for everybody.
  const visit = room === 'home' ? sharePlace(here.query.get('path')) : undefined;
  const away = !signedIn && !visit && room !== 'signin' && room !== 'setup';
  const home = signedIn && (room === undefined || room === 'signin');
  useEffect(() => {
    if (away) go(room ? `/signin?next=${encodeURIComponent(here.href)}` : '/signin', 'replace');
    else if (home) go(safeNext(here.query.get('next')), 'replace');
  }, [away, home, room, here]);

  if (room === 'setup') return <FirstRun token={here.query.get('token') ?? ''} />;
  if (visit) return <Visit key={visit.id} place={visit} />;
  if (!signIn)
    return room === 'signin' ? (
      <SignIn ended={here.query.has('next')} waiting={waitingUploads()} />
    ) : null;
  if (isRoom(room)) return <SignedIn user={signIn.user} place={here} room={room} />;
  if (home) return null;
  return (
    <main className={classes.lost}>
      <p>{t('app.lost')}</p>
      <Button onClick={() => go('/files')}>{t('app.toFiles')}</Button>
    </main>
  );
}
