// Sends parts straight to the store behind the server, to addresses that the server
// signs. The store gets nothing that is meant for the server.
import { ApiError, Code } from '@/api/error';
import * as api from '@/api/operations';
import { uuid } from '@/lib/random';
import type { Part, Upload } from '../server';
import { sendBody } from './body';

const kinds = ['s3', 'ks3', 'cos', 'obs', 'oss'] as const;
type Kind = (typeof kinds)[number];

/** Who says that the upload is complete: we, or the store itself. */
const weCall: readonly Kind[] = ['s3', 'ks3', 'cos'];

/** What stores have signed into the address of the end. */
const endings: Partial<Record<Kind, Record<string, string>>> = {
  cos: { 'x-cos-forbid-overwrite': 'true' },
  oss: { 'x-oss-complete-all': 'yes', 'x-oss-forbid-overwrite': 'true' },
};

interface Policy {
  type: string;
  relay?: boolean | undefined;
}

/** Undefined where the bytes go through the server, or the store is not known here. */
export function kindOf(policy: Policy | undefined): Kind | undefined {
  return policy?.relay ? undefined : kinds.find((kind) => kind === policy?.type);
}

/** This window has learned that its network or the bucket's rules forbid it. */
const mark = 'wharf.relay';

export const detour = () => sessionStorage.getItem(mark) !== null;

type Page = Awaited<ReturnType<typeof api.uploadAddresses>>;

const ways = new Map<string, Way>();

export function begin(
  id: string,
  policy: Policy | undefined,
  size: number,
  chunkSize: number,
  uri: string,
): void {
  const kind = kindOf(policy);
  if (kind) ways.set(id, new Way(id, kind, Math.max(1, Math.ceil(size / chunkSize)), uri));
}

export const known = (id: string) => ways.get(id);

/** What the server says of an upload, with what the store has of it. */
export async function seen(
  upload: Upload,
  policy: Policy | undefined,
  signal: AbortSignal,
): Promise<Upload> {
  if (upload.state !== 'open' || !kindOf(policy)) return upload;
  if (!ways.has(upload.sessionId))
    begin(upload.sessionId, policy, upload.size, upload.chunkSize, upload.uri);
  const way = ways.get(upload.sessionId) as Way;
  let page: Page;
  try {
    page = await way.look(signal);
  } catch (error) {
    if (error instanceof ApiError && error.is(Code.policy)) ways.delete(upload.sessionId);
    else throw error;
    return upload; // it goes through the server
  }
  if (way.whole(page)) {
    await way.finish(signal).catch(() => {}); // the server finds out by itself too
    return { ...upload, received: [[0, upload.size]], state: 'sealing' };
  }
  const received = (page.stored ?? []).map(({ index, size }): [number, number] => [
    index * upload.chunkSize,
    index * upload.chunkSize + size,
  ]);
  return { ...upload, pieceAlign: undefined, received };
}

/** Addresses are taken for ended this long before they are. */
const slack = 2 * 60_000;

class Way {
  private readonly addresses = new Map<number, string>();
  private last: Page | undefined;
  private readonly sent = new Set<number>();
  private took = false;

  constructor(
    private readonly id: string,
    private readonly kind: Kind,
    private readonly parts: number,
    private readonly uri: string,
  ) {}

  whole(page: Page): boolean {
    return page.complete === true || (page.stored ?? []).length >= this.parts;
  }

  async look(signal: AbortSignal): Promise<Page> {
    const page = await this.page(0, true, signal);
    this.sent.clear();
    for (const { index } of page.stored ?? []) this.sent.add(index);
    if (this.sent.size > 0) this.took = true;
    return page;
  }

  async send(part: Part): Promise<void> {
    try {
      await this.put(part);
    } catch (error) {
      part.signal.throwIfAborted();
      if (this.took || !(error instanceof ApiError) || !forbidden(error)) throw error;
      // Is it the store alone that does not let us in? This throws where nothing answers.
      await this.look(part.signal);
      if (this.took) throw error;
      sessionStorage.setItem(mark, error.message);
      await api.discardUpload(this.id, this.uri).catch(() => {});
      ways.delete(this.id);
      throw new ApiError({
        kind: 'refused',
        code: Code.sessionGone,
        correlationId: error.correlationId,
      });
    }
    this.took = true;
    this.sent.add(part.index);
    if (this.sent.size >= this.parts) await this.finish(part.signal);
  }

  private async put(part: Part): Promise<void> {
    for (let again = false; ; again = true) {
      const url = await this.where(part.index, part.signal);
      const correlationId = uuid();
      const xhr = await sendBody('PUT', url, this.last?.headers ?? {}, part, correlationId);
      if (xhr.status >= 200 && xhr.status < 300) return;
      if (xhr.status === 403 && !again) {
        this.addresses.clear();
        continue;
      }
      const wait = Number(xhr.getResponseHeader('Retry-After') ?? Number.NaN);
      throw new ApiError({
        kind: 'status',
        status: xhr.status,
        correlationId,
        retryAfterMs: wait > 0 ? wait * 1000 : undefined,
      });
    }
  }

  /** Completes the upload at the store and says so. What the store has is asked first. */
  async finish(signal: AbortSignal): Promise<void> {
    const page = await this.page(0, true, signal);
    if (!page.complete) {
      if (!this.whole(page)) {
        this.sent.clear();
        throw new ApiError({ kind: 'network', correlationId: uuid() }); // it is asked again
      }
      await this.complete(page, signal);
    }
    if (weCall.includes(this.kind)) {
      await api
        .finishUpload(this.kind, this.id, page.callback_secret ?? '', signal)
        .catch((error) => {
          signal.throwIfAborted();
          // Refused: it was heard before. No answer: the server finds out by itself.
          if (!(error instanceof ApiError)) throw error;
        });
    }
  }

  private async complete(page: Page, signal: AbortSignal): Promise<void> {
    const list = (page.stored ?? []).map(
      ({ index, etag }) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
    // Whatever comes of it, the server asks the store.
    await fetch(page.completeURL ?? '', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/octet-stream',
        ...page.headers,
        ...endings[this.kind],
      },
      body: this.kind === 'oss' ? '' : body,
      credentials: 'omit',
      signal,
    }).catch(() => signal.throwIfAborted());
  }

  private async where(index: number, signal: AbortSignal): Promise<string> {
    const ends = Date.parse(this.last?.expires ?? '');
    if (ends - Date.now() < slack) this.addresses.clear();
    const url = this.addresses.get(index) ?? (await this.page(index, false, signal)).upload_urls[0];
    if (!url) throw new ApiError({ kind: 'strange', correlationId: uuid() });
    return url;
  }

  private async page(from: number, stored: boolean, signal: AbortSignal): Promise<Page> {
    const page = await api.uploadAddresses(this.id, from, stored, signal);
    page.upload_urls.forEach((url, i) => {
      this.addresses.set(page.from + i, url);
    });
    this.last = page;
    return page;
  }
}

/** Stores say so when they are asked too often, or too early. */
const passing = [408, 425, 429];

/** The network, the bucket's rules or its keys do not let this page in at all. */
function forbidden({ kind, status }: ApiError): boolean {
  return kind === 'network' || (kind === 'status' && status < 500 && !passing.includes(status));
}
