import { ApiError, Code } from '@/api/error';
import { uuid } from '@/lib/random';
import { sessionLost } from '../backoff';
import type { Plan } from '../plan';
import type { Same, Upload } from '../server';
import { kindOf, type Policy } from './stores';
import type { Way } from './straight';

/** The uploads of this page that go past the server, as long as they are open. */
const ways = new Map<string, Way>();

/** Few pages ever need it; one that cannot be loaded now can later. */
async function load(): Promise<typeof import('./straight')> {
  try {
    return await import('./straight');
  } catch (cause) {
    throw new ApiError({ kind: 'network', message: String(cause), correlationId: uuid() });
  }
}

export async function begin(
  id: string,
  policy: Policy | undefined,
  plan: Plan,
  uri: string,
): Promise<void> {
  const kind = kindOf(policy);
  if (!kind) return;
  const { Way } = await load();
  ways.set(id, new Way(id, kind, plan, uri));
}

export const wayOf = (id: string) => ways.get(id);

export const forget = (id: string) => ways.delete(id);

/** What the server says of an upload, with what the store has of it. */
export async function seen(
  upload: Upload,
  policy: Policy | undefined,
  signal: AbortSignal,
  same?: Same,
): Promise<Upload> {
  const { sessionId: id, state, size, chunkSize, uri } = upload;
  if (state !== 'open' && state !== 'sealing') forget(id);
  if (state !== 'open' || !kindOf(policy)) return upload;
  if (!ways.has(id)) await begin(id, policy, { size, chunkSize }, uri);
  try {
    return (await ways.get(id)?.show(upload, signal, same)) ?? upload;
  } catch (error) {
    const relayed = error instanceof ApiError && error.is(Code.policy);
    if (relayed || sessionLost(error)) forget(id);
    if (!relayed) throw error;
    return { ...upload, straight: false }; // it goes through the server
  }
}
