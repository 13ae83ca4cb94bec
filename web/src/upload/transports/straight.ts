// Sends parts straight to the store behind the server, to addresses that the server
// signs. The store gets nothing that is meant for the server.
import { ApiError, Code, type StoreFault } from '@/api/error';
import * as api from '@/api/operations';
import { uuid } from '@/lib/random';
import { chunkCount, chunkRange, type Plan } from '../plan';
import type { Part, Same, Upload } from '../server';
import { Addresses, type Page, type Stored } from './addresses';
import { sendBody } from './body';
import { answers, refusalOf, silenceOf } from './fault';
import { bar, type Kind } from './stores';

/** Without quotes, and as MD5 is written here. */
const bare = (etag: string) => etag.replaceAll('"', '').toLowerCase();

/** How often that is asked, some seconds apart, before a person is told why it is not so. */
const mostRefusals = 10;

/** As many as there are workers to hash them. */
const comparedAtOnce = 3;

/** The way of one upload. */
export class Way {
  private readonly addresses: Addresses;
  /** ETags of the parts that have the bytes of the file at hand; "" if it may not be read. */
  private readonly known = new Map<number, string>();
  /** Why the server does not see that all is there. */
  private readonly refusals: ApiError[] = [];
  /** The store has taken a part from here. */
  private took = false;

  constructor(
    private readonly id: string,
    private readonly kind: Kind,
    private readonly plan: Plan,
    private readonly uri: string,
  ) {
    this.addresses = new Addresses(id);
  }

  /** What the server says of the upload, with what the store has of it. */
  async show(upload: Upload, signal: AbortSignal, same?: Same): Promise<Upload> {
    const page = await this.look(signal, same);
    if (this.whole(page)) {
      await this.finish(signal).catch(() => signal.throwIfAborted()); // it is asked for again
      if (this.refusals.length >= mostRefusals) throw this.refusals.splice(0).at(-1);
      return { ...upload, received: [[0, upload.size]], state: 'sealing' };
    }
    const received = this.held(page).map(({ index }) => chunkRange(this.plan, index));
    return { ...upload, pieceAlign: undefined, received };
  }

  async send(part: Part): Promise<void> {
    for (let again = false; ; again = true) {
      try {
        await this.put(part);
        break;
      } catch (error) {
        part.signal.throwIfAborted();
        if (!(error instanceof ApiError) || !error.store) throw error;
        const lasting = await this.lasting(error, error.store, again, part);
        if (!lasting) continue;
        await api.discardUpload(this.id, this.uri).catch(() => {});
        const { correlationId } = error;
        throw new ApiError({ kind: 'refused', code: Code.sessionGone, correlationId });
      }
    }
    this.took = true;
    this.addresses.done(part.index);
    if (this.known.size >= this.parts) await this.finish(part.signal);
  }

  /**
   * Whether this store is to be gone round from now on; false: once more. Throws where it
   * is not: it took parts from here before, it is busy, or more than the store is silent.
   */
  private async lasting(
    error: ApiError,
    fault: StoreFault,
    again: boolean,
    { index, signal }: Part,
  ): Promise<boolean> {
    if (fault.why === 'busy' || (this.took && fault.why !== 'refused')) throw error;
    const page = await this.look(signal); // it may say that the upload is gone
    if (this.took) throw error;
    const { url } = await this.addresses.of(index, signal);
    const mute = fault.why === 'away' && (await answers(url, signal));
    if (mute && !again) return false; // a line that broke looks like rules that forbid
    const store = mute ? ({ ...fault, why: 'rules' } as const) : fault;
    if (page.stored?.length) {
      // What is there is not thrown away.
      const { correlationId } = error;
      throw mute ? new ApiError({ kind: 'status', correlationId, store }) : error;
    }
    bar(url, this.uri, store);
    return true;
  }

  private async put(part: Part): Promise<void> {
    for (let again = false; ; again = true) {
      const address = await this.addresses.of(part.index, part.signal);
      const { url, headers } = address;
      const correlationId = uuid();
      const xhr = await sendBody('PUT', url, headers, part, correlationId).catch((error) => {
        throw error instanceof ApiError ? silenceOf(url, correlationId) : error;
      });
      if (xhr.status >= 200 && xhr.status < 300) {
        this.known.set(part.index, bare(xhr.getResponseHeader('ETag') ?? ''));
        return;
      }
      // It may have ended: the store's clock decides, and a part is long under way.
      if (xhr.status !== 403 || again) throw refusalOf(xhr, url, correlationId);
      this.addresses.ended(address);
    }
  }

  private get parts(): number {
    return chunkCount(this.plan);
  }

  private whole(page: Page): boolean {
    return page.complete === true || this.held(page).length === this.parts;
  }

  /** Of what the store has: what is of the file at hand. */
  private held(page: Page): Stored[] {
    return (page.stored ?? []).filter((part) => {
      const etag = this.known.get(part.index);
      return this.fits(part) && (etag === '' || etag === bare(part.etag));
    });
  }

  /**
   * Asks what the store has. A part that this page did not see arrive is compared: it may
   * be of another file, or have broken off, which some stores do not tell by its length.
   */
  private async look(signal: AbortSignal, same?: Same): Promise<Page> {
    const page = await this.addresses.page(0, true, signal);
    const held = new Set(this.held(page));
    const unseen = ((same && page.stored) ?? []).filter((p) => !held.has(p) && this.fits(p));
    const lane = async () => {
      for (let part = unseen.shift(); part; part = unseen.shift()) {
        const { index } = part;
        const etag = bare(part.etag);
        if (await same?.(chunkRange(this.plan, index), etag)) this.known.set(index, etag);
        signal.throwIfAborted();
      }
    };
    await Promise.all(Array.from({ length: comparedAtOnce }, lane));
    return page;
  }

  private fits({ index, size }: Stored): boolean {
    const [from, to] = chunkRange(this.plan, index);
    return size === to - from;
  }

  /** Completes the upload at the store and says so. What the store has is asked first. */
  private async finish(signal: AbortSignal): Promise<void> {
    const page = await this.addresses.page(0, true, signal);
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
        if (!(error instanceof ApiError)) throw error;
        if (error.kind === 'refused') this.refusals.push(error);
        // No answer: the server finds out by itself.
      });
  }

  private async complete(page: Page, signal: AbortSignal): Promise<void> {
    const list = (page.stored ?? []).map(
      ({ index, etag }) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
    // Whatever comes of it, the server asks the store.
    await fetch(page.completeURL ?? '', {
      method: page.completion?.method ?? 'POST',
      headers: page.completion?.headers ?? {},
      body: page.completion?.body === 'none' ? '' : body,
      credentials: 'omit',
      signal,
    }).catch(() => signal.throwIfAborted());
  }
}
