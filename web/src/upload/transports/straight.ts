// Sends parts straight to the store behind the server, to addresses that the server
// signs. The store gets nothing that is meant for the server.
import { ApiError, Code } from '@/api/error';
import * as api from '@/api/operations';
import { uuid } from '@/lib/random';
import { chunkCount, chunkRange, type Plan } from '../plan';
import type { Part, Same, Upload } from '../server';
import { sendBody } from './body';

const kinds = ['s3', 'ks3', 'cos', 'obs', 'oss'] as const;
type Kind = (typeof kinds)[number];

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
type Stored = NonNullable<Page['stored']>[number];

const ways = new Map<string, Way>();

export function begin(id: string, policy: Policy | undefined, plan: Plan, uri: string): void {
  const kind = kindOf(policy);
  if (kind) ways.set(id, new Way(id, kind, plan, uri));
}

export const known = (id: string) => ways.get(id);

/** What the server says of an upload, with what the store has of it. */
export async function seen(
  upload: Upload,
  policy: Policy | undefined,
  signal: AbortSignal,
  same?: Same,
): Promise<Upload> {
  if (upload.state !== 'open' || !kindOf(policy)) return upload;
  if (!ways.has(upload.sessionId)) begin(upload.sessionId, policy, upload, upload.uri);
  const way = ways.get(upload.sessionId) as Way;
  let page: Page;
  try {
    page = await way.look(signal, same);
  } catch (error) {
    if (error instanceof ApiError && error.is(Code.policy)) ways.delete(upload.sessionId);
    else throw error;
    return { ...upload, straight: false }; // it goes through the server
  }
  if (way.whole(page)) {
    await way.finish(signal).catch(() => {}); // the server finds out by itself too
    return { ...upload, received: [[0, upload.size]], state: 'sealing' };
  }
  const received = way.held(page).map(({ index }) => chunkRange(upload, index));
  return { ...upload, pieceAlign: undefined, received };
}

/** Without quotes, and as MD5 is written here. */
const bare = (etag: string) => etag.replaceAll('"', '').toLowerCase();

/** Addresses are taken for ended this long before they are. */
const slack = 2 * 60_000;

class Way {
  private readonly addresses = new Map<number, string>();
  private last: Page | undefined;
  /** ETags of the parts that have the bytes of the file at hand; "" if it may not be read. */
  private readonly known = new Map<number, string>();
  private took = false;

  constructor(
    private readonly id: string,
    private readonly kind: Kind,
    private readonly plan: Plan,
    private readonly uri: string,
  ) {}

  private get parts(): number {
    return chunkCount(this.plan);
  }

  whole(page: Page): boolean {
    return page.complete === true || this.held(page).length === this.parts;
  }

  /** Of what the store has: what is of the file at hand. */
  held(page: Page): Stored[] {
    return (page.stored ?? []).filter((part) => {
      const etag = this.known.get(part.index);
      return this.fits(part) && (etag === '' || etag === bare(part.etag));
    });
  }

  /**
   * Asks what the store has. A part that this page did not see arrive is compared: it may
   * be of another file, or have broken off, which some stores do not tell by its length.
   */
  async look(signal: AbortSignal, same?: Same): Promise<Page> {
    const page = await this.page(0, true, signal);
    const stored = page.stored ?? [];
    if (stored.length > 0) this.took = true;
    const held = new Set(this.held(page));
    for (const part of same ? stored : []) {
      if (held.has(part) || !this.fits(part)) continue;
      const etag = bare(part.etag);
      if (await same?.(chunkRange(this.plan, part.index), etag)) this.known.set(part.index, etag);
      signal.throwIfAborted();
    }
    return page;
  }

  private fits({ index, size }: Stored): boolean {
    const [from, to] = chunkRange(this.plan, index);
    return size === to - from;
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
    if (this.known.size >= this.parts) await this.finish(part.signal);
  }

  private async put(part: Part): Promise<void> {
    for (let again = false; ; again = true) {
      const url = await this.where(part.index, part.signal);
      const correlationId = uuid();
      const xhr = await sendBody('PUT', url, this.last?.headers ?? {}, part, correlationId);
      if (xhr.status >= 200 && xhr.status < 300) {
        this.known.set(part.index, bare(xhr.getResponseHeader('ETag') ?? ''));
        return;
      }
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
        const held = new Set(this.held(page).map(({ index }) => index));
        for (const index of this.known.keys()) if (!held.has(index)) this.known.delete(index);
        throw new ApiError({ kind: 'network', correlationId: uuid() }); // it is asked again
      }
      await this.complete(page, signal);
    }
    // Also where the store calls by itself: it may not reach a server that we do.
    await api
      .finishUpload(this.kind, this.id, page.callback_secret ?? '', signal)
      .catch((error) => {
        signal.throwIfAborted();
        // Refused: it was heard before. No answer: the server finds out by itself.
        if (!(error instanceof ApiError)) throw error;
      });
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
