// Keeps what is on the screen true while other windows and devices change the drive.
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { type FileEvent, listen } from '@/api/live';
import { capacityQuery, listingKey } from '@/api/queries';
import { trashUri, uriOf } from '@/lib/path';

/** Between two looks at the same thing, however much is told of. */
const pause = 2_000;
/** What comes together is looked at together. */
const moment = 250;
const firstRetry = 2_000;
const lastRetry = 60_000;

/** The folders whose listings an event has changed. */
export function foldersOf(event: FileEvent): string[] {
  return [...new Set([folderOf(event.from), folderOf(event.to)])];
}

function folderOf(path: string): string {
  return uriOf(path.split('/').slice(1, -1));
}

/** Collects what to look at again, and looks at it once in a while. */
export class Again {
  private readonly waiting = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly look: (uris: readonly string[]) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  add(events: readonly FileEvent[]): void {
    for (const event of events) for (const uri of foldersOf(event)) this.waiting.add(uri);
    this.timer ??= setTimeout(this.run, Math.max(moment, this.last + pause - this.now()));
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.waiting.clear();
  }

  private readonly run = () => {
    const uris = [...this.waiting];
    this.stop();
    this.last = this.now();
    this.look(uris);
  };
}

/**
 * Listens while the window can be seen: browsers open few connections to one server,
 * and one that nobody looks at needs none. Whoever comes back looks at everything.
 */
export function useLive(): void {
  const queries = useQueryClient();
  useEffect(() => {
    let listening: AbortController | undefined;
    let seen = false;
    const follow = () => {
      listening?.abort();
      listening = undefined;
      if (document.visibilityState !== 'visible') return;
      listening = new AbortController();
      void stay(queries, listening.signal, seen);
      seen = true;
    };
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      listening?.abort();
    };
  }, [queries]);
}

async function stay(queries: QueryClient, signal: AbortSignal, away: boolean): Promise<void> {
  const again = new Again((uris) => {
    for (const queryKey of [...uris.map(listingKey), listingKey(trashUri), capacityQuery.queryKey])
      void queries.invalidateQueries({ queryKey });
  });
  signal.addEventListener('abort', () => again.stop());
  let missed = away; // something may have been
  let wait = firstRetry;
  const hearer = {
    begun: () => {
      if (missed) void queries.invalidateQueries();
      missed = true;
      wait = firstRetry;
    },
    changed: (events: readonly FileEvent[]) => again.add(events),
  };
  while (!signal.aborted) {
    try {
      await listen(hearer, signal);
    } catch {
      missed = true;
      // The page shows what it has; its own calls say what is wrong.
    }
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)));
    wait = Math.min(wait * 2, lastRetry);
  }
}
