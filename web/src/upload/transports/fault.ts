import { ApiError, parseRetryAfter, type StoreFault } from '@/api/error';

const passing = [408, 425, 429];
/** Said with 400, and true of the line more than of what was sent. */
const broken = ['BadDigest', 'IncompleteBody', 'RequestTimeout'];

/** What a store has answered in place of yes. */
export function refusalOf(xhr: XMLHttpRequest, url: string, correlationId: string): ApiError {
  const { status } = xhr;
  const said = /<Code>([\w.-]{1,64})<\/Code>/.exec(xhr.responseText)?.[1];
  let why: StoreFault['why'] = 'refused';
  if (status >= 500 || passing.includes(status) || broken.includes(said ?? '')) why = 'busy';
  else if (status === 401 || status === 403) why = 'keys';
  return new ApiError({
    kind: 'status',
    status,
    correlationId,
    retryAfterMs: parseRetryAfter(xhr.getResponseHeader('Retry-After'), Date.now()),
    store: { host: new URL(url).host, code: said ?? `HTTP ${status}`, why },
  });
}

/** No answer that may be read: browsers do not tell a line that is cut from rules that forbid. */
export function silenceOf(url: string, correlationId: string): ApiError {
  const store = { host: new URL(url).host, code: '', why: 'away' } as const;
  return new ApiError({ kind: 'network', correlationId, store });
}

/** How long a store may take to show that it is there. */
const patience = 10_000;

/** Whether anything answers there, readable or not. */
export async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    await fetch(new URL('/', url), {
      method: 'HEAD',
      mode: 'no-cors',
      credentials: 'omit',
      cache: 'no-store',
      signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
    });
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
