// A server that obeys the contract, with faults to order. Only for tests.
import { ApiError, Code, type FailureKind } from '@/api/error';
import { pathKey, pathOf } from '@/lib/path';
import { combine } from '@/upload/combine';
import { compute } from '@/upload/compute';
import { base64, Crc64Nvme } from '@/upload/digest';
import { allChunks, chunkCount, chunkRange, gaps, mergeRanges, type Range } from '@/upload/plan';
import type {
  CreateRequest,
  Hasher,
  Part,
  Sample,
  SmallAnswer,
  SmallFile,
  Ticket,
  Upload,
  UploadServer,
} from '@/upload/server';
import type { TestClock } from './clock';

/** What happens to one request. `late`: the server acts, but its answer is lost. */
export type Fault =
  | 'none'
  | 'cut' // no answer, nothing done
  | 'late'
  | 'gateway' // 502 without an envelope, nothing done
  | 'io' // 50004
  | 'flip' // a bit changes on the way
  | 'half' // of a batch: the second half is not read, and the answer is cut
  | { status: number; retryAfterMs?: number }
  | { code: number; data?: unknown };

interface Session {
  id: string;
  key: string;
  request: CreateRequest;
  bytes: Uint8Array;
  chunkSize: number;
  held: Set<number>;
  /** Pieces of chunks. */
  pieces: Range[];
  state: Upload['state'];
  updatedAt: number;
}

interface Stored {
  bytes: Uint8Array;
  updatedAt: number;
}

export class FakeServer implements UploadServer {
  readonly files = new Map<string, Stored>();
  readonly folders = new Set<string>();
  readonly sessions = new Map<string, Session>();
  readonly calls: { op: string; at: number; index?: number }[] = [];
  /** Chunks sent again although the page had been told that they arrived. */
  readonly wasted: string[] = [];
  readonly told = new Set<string>();
  mostChunksAtOnce = 0;
  mostFilesAtOnce = 0;
  mostSendsAtOnce = 0;
  fault: (op: string, part?: Part) => Fault = () => 'none';
  signedIn = true;
  concurrency: number | undefined;
  /** Takes chunks in pieces that lie at multiples of it. */
  pieceAlign: number | undefined;
  /** Chunks go past it: what is there is known when one upload is looked at. */
  straight = false;
  /** Keeps finished sessions, as ours does; the reference forgets them. */
  remembers = true;
  private readonly sending = new Map<string, number>();
  private ids = 0;

  constructor(
    private readonly clock: TestClock,
    readonly chunkSize: number,
    /** Time one request takes. */
    private readonly latency: () => number = () => 10,
  ) {}

  create(request: CreateRequest, signal: AbortSignal): Promise<Ticket> {
    return this.answer('create', signal, () => {
      const key = pathKey(pathOf(request.uri));
      if (this.folders.has(key)) throw refusal(Code.exists);
      if (this.openAt(key)) throw this.refusalFor(key, request.replace);
      if (this.files.has(key) && !request.replace) throw refusal(Code.exists);
      const id = `s${++this.ids}`;
      const { chunkSize } = this;
      this.sessions.set(id, {
        id,
        key,
        request,
        bytes: new Uint8Array(request.size),
        chunkSize,
        held: new Set(),
        pieces: [],
        state: 'open',
        updatedAt: this.clock.now(),
      });
      const expires = this.clock.now() + 86_400_000;
      const { concurrency, pieceAlign, straight } = this;
      return {
        sessionId: id,
        chunkSize,
        pieceAlign,
        expires,
        concurrency,
        straight,
        relayed: true,
      };
    });
  }

  async send(part: Part): Promise<void> {
    const { sessionId, index, body, signal } = part;
    const mark = `${sessionId}/${index}/${part.range?.join() ?? ''}`;
    if (this.told.has(mark)) this.wasted.push(mark);
    const now = (this.sending.get(sessionId) ?? 0) + 1;
    this.sending.set(sessionId, now);
    this.mostChunksAtOnce = Math.max(this.mostChunksAtOnce, now);
    this.mostFilesAtOnce = Math.max(this.mostFilesAtOnce, this.sending.size);
    const sends = [...this.sending.values()].reduce((a, b) => a + b, 0);
    this.mostSendsAtOnce = Math.max(this.mostSendsAtOnce, sends);
    try {
      part.onSent(Math.floor(body.size / 2));
      let bytes = new Uint8Array(await this.clock.real(body.arrayBuffer()));
      let digest = await this.clock.real(chunkDigest(body));
      signal.throwIfAborted();
      await this.answer(
        'send',
        signal,
        (fault) => {
          part.onSent(body.size);
          if (fault === 'flip' && bytes.length > 0) {
            bytes = bytes.slice();
            bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
            digest = 'sha-256=:changed:';
          }
          this.store(part, bytes, this.straight || digest === part.digest);
        },
        part,
      );
      this.told.add(mark);
    } finally {
      const left = (this.sending.get(sessionId) ?? 1) - 1;
      if (left === 0) this.sending.delete(sessionId);
      else this.sending.set(sessionId, left);
    }
  }

  /** Set to `takeBatch` for a server that takes many files at once. */
  batch?: NonNullable<UploadServer['batch']>;
  mostInBatch = 0;

  readonly takeBatch: NonNullable<UploadServer['batch']> = async (files, told, signal) => {
    this.mostInBatch = Math.max(this.mostInBatch, files.length);
    const bodies = await this.clock.real(Promise.all(files.map((f) => f.body.arrayBuffer())));
    const lines: SmallAnswer[] = [];
    let end = true;
    await this.answer(
      'batch',
      signal,
      (fault) => {
        end = fault !== 'half';
        const read = end ? files : files.slice(0, files.length >> 1);
        for (const [index, file] of read.entries())
          lines.push({ index, code: this.keep(file, new Uint8Array(bodies[index] ?? [])) });
      },
      { body: new Blob(bodies) } as Part,
    );
    for (const line of lines) told(line);
    if (!end) throw failure('network');
    return true;
  };

  private keep({ uri, lastModified, digest }: SmallFile, bytes: Uint8Array): number {
    const key = pathKey(pathOf(uri));
    const there = this.files.get(key);
    if (there && text(there.bytes) === text(bytes)) return 0;
    if (there || this.folders.has(key) || this.openAt(key)) return Code.exists;
    if (digest !== `crc64nvme=:${crcOf(bytes)}:`) return Code.io;
    this.files.set(key, { bytes, updatedAt: lastModified });
    return 0;
  }

  show(sessionId: string, signal: AbortSignal): Promise<Upload> {
    return this.answer('show', signal, () => this.upload(this.session(sessionId)));
  }

  list(): Promise<Upload[]> {
    return this.answer('list', undefined, () =>
      [...this.sessions.values()]
        .filter((s) => s.state === 'open')
        .map((s) => ({ ...this.upload(s), ...(this.straight && { received: [] }) })),
    );
  }

  discard(sessionId: string, _uri: string): Promise<void> {
    return this.answer('discard', undefined, () => {
      this.session(sessionId).state = 'aborted';
    });
  }

  stat(uri: string, signal: AbortSignal) {
    return this.answer('stat', signal, () => {
      const key = pathKey(pathOf(uri));
      const file = this.files.get(key);
      const pending = this.openAt(key) !== undefined;
      if (this.folders.has(key)) return { size: 0, updatedAt: 0, pending: false, folder: true };
      if (!file && !pending) return undefined;
      const size = file?.bytes.length ?? 0;
      return { size, updatedAt: file?.updatedAt ?? 0, pending, folder: false };
    });
  }

  makeFolder(uri: string, signal: AbortSignal): Promise<void> {
    return this.answer('makeFolder', signal, () => {
      this.folders.add(pathKey(pathOf(uri)));
    });
  }

  readonly unlocked: string[] = [];
  unlock(tokens: string[]): Promise<void> {
    return this.answer('unlock', undefined, () => {
      this.unlocked.push(...tokens);
    });
  }

  countOf(op: string): number {
    return this.calls.filter((c) => c.op === op).length;
  }

  private async answer<T>(
    op: string,
    signal: AbortSignal | undefined,
    act: (fault: Fault) => T,
    part?: Part,
  ): Promise<T> {
    this.calls.push({ op, at: this.clock.now(), ...(part && { index: part.index }) });
    const fault = this.fault(op, part);
    await this.clock.sleep(this.latency() / 2, signal);
    if (fault === 'cut') throw failure('network');
    if (fault === 'gateway') throw failure('status', { status: 502 });
    if (typeof fault === 'object' && 'status' in fault) throw failure('status', fault);
    if (typeof fault === 'object') throw failure('refused', fault);
    if (fault === 'io') throw refusal(Code.io);
    if (!this.signedIn) throw refusal(Code.loginRequired);
    // From here on the server has the request: it acts even if nobody waits.
    const result = act(fault);
    await this.clock.sleep(this.latency() / 2, signal);
    if (fault === 'late') throw failure('network');
    return result;
  }

  private store({ sessionId: id, index, range }: Part, bytes: Uint8Array, intact: boolean): void {
    const session = this.session(id);
    if (session.state === 'done') return; // a repeat by its owner is harmless
    const plan = { size: session.request.size, chunkSize: session.chunkSize };
    if (index >= chunkCount(plan)) throw refusal(Code.chunkIndex);
    const [from, to] = range ?? chunkRange(plan, index);
    const crosses = session.pieces.some((p) => p[0] < to && from < p[1]);
    if (crosses || (range && from % (this.pieceAlign as number) !== 0))
      throw refusal(Code.chunkLength);
    if (bytes.length !== to - from) throw refusal(Code.chunkLength);
    if (!intact) throw refusal(Code.io);
    session.bytes.set(bytes, from);
    if (range) session.pieces.push(range);
    if (gaps(chunkRange(plan, index), range ? session.pieces : [[from, to]]).length === 0)
      session.held.add(index);
    session.updatedAt = this.clock.now();
    if (session.held.size < chunkCount(plan)) return;
    this.files.set(session.key, {
      bytes: session.bytes,
      updatedAt: session.request.lastModified,
    });
    if (this.remembers) session.state = 'done';
    else this.sessions.delete(id);
  }

  private session(id: string): Session {
    const session = this.sessions.get(id);
    if (!session || session.state === 'aborted' || session.state === 'expired')
      throw refusal(Code.sessionGone);
    return session;
  }

  private openAt(key: string): Session | undefined {
    return [...this.sessions.values()].find((s) => s.key === key && s.state === 'open');
  }

  private refusalFor(key: string, replace: boolean): ApiError {
    const data = [{ path: key, token: 'tok', owner: { application: { type: 'upload' } }, type: 0 }];
    return replace ? failure('refused', { code: Code.locked, data }) : refusal(Code.exists);
  }

  private upload(s: Session): Upload {
    const plan = { size: s.request.size, chunkSize: s.chunkSize };
    const held = s.state === 'done' ? allChunks(plan) : s.held;
    const received: Range[] = mergeRanges([
      ...[...held].map((i) => chunkRange(plan, i)),
      ...s.pieces,
    ]);
    return {
      sessionId: s.id,
      uri: s.request.uri,
      size: s.request.size,
      chunkSize: s.chunkSize,
      pieceAlign: this.pieceAlign,
      received,
      receivedBytes: received.reduce((sum, [from, to]) => sum + to - from, 0),
      state: s.state,
      expires: this.clock.now() + 86_400_000,
      lastModified: s.request.lastModified,
      updatedAt: s.updatedAt,
      concurrency: this.concurrency,
      straight: this.straight,
      samples:
        s.state === 'open' && !this.straight
          ? received.slice(0, 3).map((r) => sample(r, s.bytes))
          : undefined,
      digest: s.state === 'done' ? `crc64nvme=:${crcOf(s.bytes)}:` : undefined,
      encrypted: false,
    };
  }
}

function sample(range: Range, bytes: Uint8Array): Sample {
  const crc = new Crc64Nvme();
  crc.update(bytes.subarray(...range));
  return { range, digest: `crc64nvme=:${base64(crc.digest())}:` };
}

/** What the server would compute; filled by tests through `testHasher`. */
const crcs = new Map<string, string>();

function crcOf(bytes: Uint8Array): string {
  return crcs.get(text(bytes)) ?? `other ${bytes.length}`;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** Announces a file's bytes, so that the fake knows their digest without waiting. */
export async function known(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  crcs.set(text(bytes), await compute({ id: 0, what: 'file', body: new Blob([bytes]) }));
  return bytes;
}

async function chunkDigest(body: Blob): Promise<string> {
  return `sha-256=:${await compute({ id: 0, what: 'chunk', body })}:`;
}

export function testHasher(clock: TestClock): Hasher {
  return {
    chunk: (body) => clock.real(chunkDigest(body)),
    crc: (body) => clock.real(compute({ id: 0, what: 'file', body })),
    join: (chunks) => clock.real(Promise.resolve(combine(chunks))),
    md5: (body) => clock.real(compute({ id: 0, what: 'md5', body })),
    file: (body) => clock.real(compute({ id: 0, what: 'file', body })),
  };
}

function refusal(code: number): ApiError {
  return failure('refused', { code });
}

function failure(
  kind: FailureKind,
  more: { code?: number; status?: number; retryAfterMs?: number; data?: unknown } = {},
): ApiError {
  return new ApiError({ kind, correlationId: 'test', ...more });
}
