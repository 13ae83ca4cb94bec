import type { QueryClient } from '@tanstack/react-query';
import { session } from '@/api/call';
import { capacityQuery, listingKey, uploadsQuery } from '@/api/queries';
import { pathKey, uriOf } from '@/lib/path';
import type { Engine } from '@/upload/engine';
import { WorkerHasher } from '@/upload/hash';
import type { Hasher } from '@/upload/server';

/** A folder into which thousands of files arrive is read again this often at most. */
const refreshEvery = 2_000;

/**
 * Over HTTP/1 a browser opens six connections to a host. If chunks took them
 * all, opening a folder would wait until one of them is through.
 */
export function sendsAtOnce(): number {
  const [page] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  return page && /^h[23]/.test(page.nextHopProtocol) ? 9 : 4;
}

export function startHasher(): Hasher {
  const cores = navigator.hardwareConcurrency ?? 2;
  return new WorkerHasher(
    () => new Worker(new URL('../upload/hash.worker.ts', import.meta.url), { type: 'module' }),
    Math.max(1, Math.min(3, cores - 1)),
  );
}

/** Ties the page's one engine to what happens around the page. */
export function connectEngine(engine: Engine, queries: QueryClient): void {
  if (!navigator.onLine) engine.hold('offline');
  window.addEventListener('offline', () => engine.hold('offline'));
  window.addEventListener('online', () => {
    engine.release('offline');
    engine.tryNow();
  });
  session.subscribe(() => {
    if (session.current()) engine.release('signedOut');
  });
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
