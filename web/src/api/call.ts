import { uuid } from '@/lib/random';
import { ApiError, readReply } from './error';
import type { Token, User } from './model';
import { Session, type SignIn } from './session';

const base = '/api/v4';

export interface CallOptions {
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** Send no token, and do not take a refusal for the end of the sign-in. */
  anonymous?: boolean;
}

export const session = new Session(globalThis.localStorage, renewTokens);

/**
 * One call of the API: envelope opened, token attached and renewed when needed.
 * Throws ApiError; a call that was aborted throws the signal's reason.
 */
export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  if (options.anonymous) return (await send(method, path, options)) as T;
  return withToken(async (token) => (await send(method, path, options, token)) as T);
}

/**
 * Runs `work` with a token; when the server no longer takes it, once more with a
 * new one. If that fails too, the sign-in is over for all windows.
 */
export async function withToken<T>(work: (token: string | undefined) => Promise<T>): Promise<T> {
  const token = await session.token();
  try {
    return await work(token);
  } catch (error) {
    if (!(error instanceof ApiError && error.signedOut)) throw error;
    const renewed = token === undefined ? undefined : await session.replace(token);
    if (!renewed || renewed.accessToken === token) {
      session.end();
      throw error;
    }
    return await work(renewed.accessToken);
  }
}

/** Address and headers of a call, for senders other than fetch. */
export function request(path: string, token: string | undefined): RequestParts {
  const correlationId = uuid();
  const headers: Record<string, string> = { 'X-Cr-Correlation-Id': correlationId };
  if (token) headers['Authorization'] = `Bearer ${token}`;
  return { url: base + path, headers, correlationId };
}

interface RequestParts {
  url: string;
  headers: Record<string, string>;
  correlationId: string;
}

async function send(
  method: string,
  path: string,
  { query, body, signal }: CallOptions,
  token?: string,
): Promise<unknown> {
  const { url, headers, correlationId } = request(path, token);
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const init: RequestInit = { method, headers, cache: 'no-store' };
  if (body !== undefined) init.body = JSON.stringify(body);
  if (signal) init.signal = signal;

  let reply: Response;
  let text: string;
  try {
    reply = await fetch(url + queryText(query), init);
    text = await reply.text();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ApiError({ kind: 'network', message: String(cause), correlationId });
  }
  noteServerTime(reply.headers.get('Date'));
  return readReply({
    status: reply.status,
    text,
    retryAfter: reply.headers.get('Retry-After'),
    correlationId,
  });
}

function queryText(query: CallOptions['query']): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {}))
    if (value !== undefined) params.set(key, String(value));
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

// A machine whose clock is an hour off must not renew its token at every call.
let clockSkew = 0;

function noteServerTime(date: string | null): void {
  const at = Date.parse(date ?? '');
  if (!Number.isNaN(at)) clockSkew = at - Date.now();
}

/** What the time is for the server. */
export function serverNow(): number {
  return Date.now() + clockSkew;
}

export function signInFrom(user: User, token: Token): SignIn {
  return {
    user,
    accessToken: token.access_token,
    refreshToken: token.refresh_token,
    accessUntil: Date.parse(token.access_expires) - clockSkew,
    refreshUntil: Date.parse(token.refresh_expires) - clockSkew,
  };
}

/** Banned, not active, or no longer there. */
const refusedForGood = new Set([40017, 40018, 40021]);

async function renewTokens(signIn: SignIn): Promise<SignIn | undefined> {
  try {
    const token = await call<Token>('POST', '/session/token/refresh', {
      body: { refresh_token: signIn.refreshToken },
      anonymous: true,
    });
    return signInFrom(signIn.user, token);
  } catch (error) {
    if (error instanceof ApiError && (error.signedOut || refusedForGood.has(error.code)))
      return undefined;
    throw error; // no answer, or a server in trouble, is not a "no"
  }
}
