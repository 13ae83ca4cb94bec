// The stream of changes of the drive: an occasion to look again, never the truth itself.
import { uuid } from '@/lib/random';
import { request, withToken } from './call';
import { ApiError, readReply } from './error';
import type { components } from './schema.gen';

export type FileEvent = components['schemas']['FileEvent'];

export interface Hearer {
  /** The stream has begun: what changed before was not heard. */
  begun(): void;
  changed(events: readonly FileEvent[]): void;
}

/** Identifies this window to the server. */
const clientId = uuid();

/** Listens to the whole drive until the server or `signal` ends it. Throws ApiError. */
export async function listen(hearer: Hearer, signal: AbortSignal): Promise<void> {
  const body = await withToken((token) => open(token, signal));
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const parse = parser((name, data) => {
    if (name === 'subscribed') hearer.begun();
    else if (name === 'event') hearer.changed(JSON.parse(data) as FileEvent[]);
  });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parse(value);
  }
}

async function open(
  token: string | undefined,
  signal: AbortSignal,
): Promise<ReadableStream<BufferSource>> {
  const path = `/file/events?uri=${encodeURIComponent('cloudreve://my')}`;
  const { url, headers, correlationId } = request(path, token);
  headers['X-Cr-Client-Id'] = clientId;
  const reply = await fetch(url, { headers, cache: 'no-store', signal });
  if (reply.body && reply.headers.get('Content-Type')?.startsWith('text/event-stream'))
    return reply.body as ReadableStream<BufferSource>;
  readReply({
    status: reply.status,
    text: await reply.text(),
    retryAfter: reply.headers.get('Retry-After'),
    correlationId,
  });
  throw new ApiError({ kind: 'network', message: 'not a stream of events', correlationId });
}

/** Cuts the text of a stream into events, wherever its pieces end. */
export function parser(onEvent: (name: string, data: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (key: string) =>
        block
          .split('\n')
          .filter((line) => line.startsWith(`${key}:`))
          .map((line) => line.slice(key.length + 1).trimStart())
          .join('\n');
      onEvent(field('event'), field('data'));
    }
  };
}
