import { uuid } from '@/lib/random';

const lease = 10_000;
const settle = 50;

/**
 * Runs `work` in one window at a time. Web Locks exist only in secure contexts;
 * elsewhere a lease in localStorage does it: not strict, but two windows would
 * have to write within the same few milliseconds, and the server forgives a
 * refresh token used twice in short order.
 */
export async function underLock<T>(
  name: string,
  storage: Storage,
  work: () => Promise<T>,
): Promise<T> {
  const locks = globalThis.navigator?.locks;
  if (locks) return locks.request(name, work) as Promise<T>;

  const me = uuid();
  for (;;) {
    const held = readLease(storage, name);
    if (!held || held.until < Date.now()) {
      storage.setItem(name, JSON.stringify({ owner: me, until: Date.now() + lease }));
      await pause(settle);
      if (readLease(storage, name)?.owner === me) break;
    } else {
      await pause(settle * 2);
    }
  }
  try {
    return await work();
  } finally {
    if (readLease(storage, name)?.owner === me) storage.removeItem(name);
  }
}

function readLease(storage: Storage, name: string): { owner: string; until: number } | undefined {
  try {
    return JSON.parse(storage.getItem(name) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
