import type { QueryClient } from '@tanstack/react-query';
import { session } from '@/api/call';
import { capacityQuery, listingKey, uploadsQuery } from '@/api/queries';
import { wallClock } from '@/lib/clock';
import { pathKey, uriOf } from '@/lib/path';
import { Engine } from '@/upload/engine';
import { WorkerHasher } from '@/upload/hash';
import { type Memory, Pace } from '@/upload/pace';
import type { Hasher } from '@/upload/server';
import { relay } from '@/upload/transports/relay';
import { countWaiting } from './waiting';

/** A folder into which thousands of files arrive is read again this often at most. */
const refreshEvery = 2_000;

/**
 * Over HTTP/1 a browser opens six connections to a host. If chunks took them
 * all, opening a folder would wait until one of them is through.
 */
function sendsAtOnce(): number {
  const [page] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  return page && /^h[23]/.test(page.nextHopProtocol) ? 9 : 4;
}

const paceKey = 'wharfinger.pace';

/** Storage is of one origin, and so is what lies between it and this browser. */
const paceMemory: Memory = {
  load: () => localStorage.getItem(paceKey),
  save: (text) => localStorage.setItem(paceKey, text),
};

function startHasher(): Hasher {
  const cores = navigator.hardwareConcurrency ?? 2;
  return new WorkerHasher(
    () => new Worker(new URL('../upload/hash.worker.ts', import.meta.url), { type: 'module' }),
    Math.max(1, Math.min(3, cores - 1)),
  );
}

let made: Engine | undefined;

/** The page's one engine, made for the first screen that needs it. */
export function engineOf(queries: QueryClient): Engine {
  if (made) return made;
  made = new Engine({
    server: relay,
    hasher: startHasher(),
    clock: wallClock,
    pace: new Pace(Date.now, paceMemory),
    sendsAtOnce: sendsAtOnce(),
  });
  connectEngine(made, queries);
  return made;
}

/** Ties the engine to what happens around the page. */
function connectEngine(engine: Engine, queries: QueryClient): void {
  if (!navigator.onLine) engine.hold('offline');
  window.addEventListener('offline', () => engine.hold('offline'));
  window.addEventListener('online', () => {
    engine.release('offline');
    engine.tryNow();
  });
  let user = session.current()?.user.id;
  session.subscribe(() => {
    const next = session.current()?.user.id;
    if (next === undefined) return;
    // Nothing of one account goes to the next.
    if (user !== undefined && next !== user) engine.abandon();
    user = next;
    engine.release('signedOut');
  });
  countWaiting(() => engine.summary().groups.waiting + engine.summary().groups.running);
  window.addEventListener('beforeunload', (e) => {
    if (engine.busy) e.preventDefault();
  });

  const touched = new Map<string, string>();
  let waiting = false;
  engine.onSettled((job) => {
    // The folder itself and each above it, where new folders may have appeared.
    for (let depth = 0; depth <= job.folder.length; depth++) {
      const folder = job.folder.slice(0, depth);
      touched.set(pathKey(folder), uriOf(folder));
    }
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      for (const uri of touched.values())
        void queries.invalidateQueries({ queryKey: listingKey(uri) });
      touched.clear();
      for (const { queryKey } of [capacityQuery, uploadsQuery])
        void queries.invalidateQueries({ queryKey });
    }, refreshEvery);
  });
}
