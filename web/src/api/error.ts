/** Codes of the envelope that the page tells apart. The rest are only messages. */
export const Code = {
  moreNeeded: 203,
  loginRequired: 401,
  forbidden: 403,
  notFound: 404,
  changedMeanwhile: 409,
  badRequest: 40001,
  exists: 40004,
  policy: 40006,
  sessionGone: 40011,
  chunkIndex: 40012,
  chunkLength: 40013,
  pathGone: 40016,
  badCredential: 40020,
  factor: 40022,
  ticket: 40023,
  noPasskeys: 40024,
  passkey: 40025,
  tooLarge: 40049,
  picture: 40050,
  quota: 40051,
  name: 40052,
  presentPassword: 40069,
  locked: 40073,
  stale: 40076,
  wrongPassword: 40080,
  partly: 40081,
  owner: 40082,
  database: 50001,
  io: 50004,
  uncoded: -1,
} as const;

/**
 * How a call failed:
 *  - `refused`: the server answered with a code that is not 0;
 *  - `network`: no answer came; whether the server acted is unknown;
 *  - `status`: something answered with a status and no envelope, mostly a proxy;
 *  - `strange`: a good status but not our envelope: a proxy's page, a captive portal.
 */
export type FailureKind = 'refused' | 'network' | 'status' | 'strange';

interface Failure {
  kind: FailureKind;
  code?: number;
  status?: number;
  message?: string;
  data?: unknown;
  /** Per item, when a batch failed in part (40081). */
  parts?: Record<string, Envelope>;
  /** What to quote when asking the operator. */
  correlationId: string;
  retryAfterMs?: number | undefined;
  store?: StoreFault | undefined;
}

/** What a storage that the page sends to by itself has said, or why it said nothing. */
export interface StoreFault {
  host: string;
  /** Its own word, or the status. */
  code: string;
  /**
   *  - `rules`: it answers, but does not let this site in (CORS);
   *  - `away`: it does not answer from here;
   *  - `busy`: it, or the line, cannot now;
   *  - `keys`: it does not believe what the server signs;
   *  - `refused`: it does not want what was sent.
   */
  why: 'rules' | 'away' | 'busy' | 'keys' | 'refused';
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly kind: FailureKind;
  readonly code: number;
  readonly status: number;
  readonly data: unknown;
  readonly parts: Record<string, Envelope>;
  readonly correlationId: string;
  readonly retryAfterMs: number | undefined;
  readonly store: StoreFault | undefined;

  constructor(failure: Failure) {
    super(failure.message || `${failure.kind} ${failure.code ?? failure.status ?? ''}`.trim());
    this.kind = failure.kind;
    this.code = failure.code ?? Code.uncoded;
    this.status = failure.status ?? 0;
    this.data = failure.data;
    this.parts = failure.parts ?? {};
    this.correlationId = failure.correlationId;
    this.retryAfterMs = failure.retryAfterMs;
    this.store = failure.store;
  }

  is(code: number): boolean {
    return this.kind === 'refused' && this.code === code;
  }

  /** The sign-in is over, or was never there. */
  get signedOut(): boolean {
    return this.is(Code.loginRequired) || this.is(Code.badCredential);
  }
}

export interface Envelope {
  code: number;
  data?: unknown;
  msg?: string;
  aggregated_error?: Record<string, Envelope>;
  correlation_id?: string;
}

export interface RawReply {
  status: number;
  text: string;
  retryAfter: string | null;
  /** The id this page sent along; the server's own wins. */
  correlationId: string;
}

/**
 * The data of a reply, or an ApiError. A reply counts as success only if it is
 * an envelope with code 0: a proxy's "200 OK" page must not pass for one.
 */
export function readReply(reply: RawReply): unknown {
  const envelope = parseEnvelope(reply.text);
  const retryAfterMs = parseRetryAfter(reply.retryAfter, Date.now());
  const { status, correlationId } = reply;
  if (envelope && envelope.code !== 0) {
    throw new ApiError({
      kind: 'refused',
      code: envelope.code,
      status,
      message: envelope.msg ?? '',
      data: envelope.data,
      parts: envelope.aggregated_error ?? {},
      correlationId: envelope.correlation_id ?? correlationId,
      retryAfterMs,
    });
  }
  if (status < 200 || status > 299)
    throw new ApiError({ kind: 'status', status, correlationId, retryAfterMs });
  if (!envelope) throw new ApiError({ kind: 'strange', status, correlationId });
  return envelope.data;
}

function parseEnvelope(text: string): Envelope | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'code' in value)
      return typeof value.code === 'number' ? (value as Envelope) : undefined;
  } catch {
    // not JSON: undefined says it
  }
  return undefined;
}

/** RFC 9110 §10.2.3: seconds or a date. */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (!value) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
