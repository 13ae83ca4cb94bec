// A storage behind the server, as the page meets it: signed addresses, XMLHttpRequest for
// parts, fetch for the end, and the server's word for what is there.
import { vi } from 'vitest';
import { ApiError, Code } from '@/api/error';
import type * as operations from '@/api/operations';

type Page = Awaited<ReturnType<typeof operations.uploadAddresses>>;

export interface Put {
  part: number;
  /** Which signing of addresses it came from. */
  signing: number;
  url: string;
  headers: Record<string, string>;
  body: string;
}

export interface Answer {
  status: number;
  text?: string;
  headers?: Record<string, string>;
  /** It is stored whatever is answered. */
  kept?: boolean;
}

/** What becomes of a request: an answer, none, or silence until `release`. */
export type Fate = Answer | 'cut' | 'forbidden' | 'wait';

export const origin = 'https://cargo.store.test';

export const refusal = (code: number) =>
  new ApiError({ kind: 'refused', code, correlationId: 'the server' });

export class FakeStore {
  readonly puts: Put[] = [];
  readonly asked: { from: number; stored: boolean }[] = [];
  readonly ends: { url: string; init: RequestInit }[] = [];
  readonly finished: string[][] = [];
  readonly discarded: string[] = [];
  readonly parts = new Map<number, { size: number; etag: string }>();
  complete = false;
  /** Of one answer; what is not asked for anew is missing. */
  pageSize = 100;
  addressesLive = 3_600_000;
  exposesETag = true;
  answers = true;
  headers: Record<string, string> = { 'x-signed': 'yes' };
  completion: NonNullable<Page['completion']> = {
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream' },
    body: 'parts',
  };
  fate: (put: Put) => Fate | undefined = () => undefined;
  server: () => ApiError | undefined = () => undefined;
  ending: () => Fate | undefined = () => undefined;
  private signing = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(readonly count: number) {}

  /** Puts this store in the place of the network. */
  install(): this {
    vi.stubGlobal('XMLHttpRequest', requestsTo(this));
    vi.stubGlobal('fetch', (url: string | URL, init: RequestInit) => this.fetch(url, init));
    const kept = new Map<string, string>();
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, text: string) => kept.set(key, text),
      removeItem: (key: string) => kept.delete(key),
    });
    return this;
  }

  /** What the page asks the server. */
  readonly operations = {
    uploadAddresses: async (_: string, from: number, stored: boolean): Promise<Page> => {
      this.asked.push({ from, stored });
      const error = this.server();
      if (error) throw error;
      const signing = ++this.signing;
      const to = Math.min(this.count, from + this.pageSize);
      return {
        parts: this.count,
        chunk_size: 4,
        from,
        upload_urls: Array.from(
          { length: to - from },
          (_, i) => `${origin}/key?partNumber=${from + i + 1}&signing=${signing}`,
        ),
        completeURL: `${origin}/key?uploadId=u&signing=${signing}`,
        completion: this.completion,
        headers: this.headers,
        expires: new Date(Date.now() + this.addressesLive).toISOString(),
        callback_secret: 'secret',
        complete: this.complete,
        ...(stored && {
          stored: [...this.parts]
            .map(([index, part]) => ({ index, ...part }))
            .sort((a, b) => a.index - b.index),
        }),
      };
    },
    finishUpload: async (...args: string[]): Promise<void> => {
      this.finished.push(args.slice(0, 3));
      if (!this.complete) throw refusal(Code.badRequest);
    },
    discardUpload: async (id: string): Promise<void> => {
      this.discarded.push(id);
    },
  };

  keep({ part, body }: Pick<Put, 'part' | 'body'>): void {
    this.parts.set(part - 1, { size: body.length, etag: tagOf(body) });
  }

  release(): void {
    for (const go of this.waiting.splice(0)) go();
  }

  async answer(put: Put): Promise<Answer | undefined> {
    this.puts.push(put);
    const fate = this.fate(put);
    if (fate === 'wait') await new Promise<void>((go) => this.waiting.push(go));
    if (fate === 'cut' || fate === 'forbidden') return undefined;
    if (fate !== undefined && fate !== 'wait') {
      if (fate.kept) this.keep(put);
      return fate;
    }
    this.keep(put);
    return { status: 200, headers: this.exposesETag ? { etag: tagOf(put.body) } : {} };
  }

  private async fetch(url: string | URL, init: RequestInit): Promise<Response> {
    if (init.method === 'HEAD') {
      if (!this.answers) throw new TypeError('Failed to fetch');
      return new Response();
    }
    this.ends.push({ url: String(url), init });
    const fate = this.ending();
    if (fate === 'cut') throw new TypeError('Failed to fetch');
    this.complete = true;
    return new Response();
  }
}

/** ETags have quotes, and some stores write them large. */
export const tagOf = (body: string) => `"TAG-${body}"`;

type Handler = (() => void) | null;

function requestsTo(store: FakeStore) {
  return class {
    status = 0;
    responseText = '';
    onload: Handler = null;
    onerror: Handler = null;
    onabort: Handler = null;
    upload: { onprogress: ((e: { loaded: number }) => void) | null; onload: Handler } = {
      onprogress: null,
      onload: null,
    };
    private url = '';
    private readonly headers: Record<string, string> = {};
    private answer: Answer | undefined;
    private over = false;

    open(_: string, url: string): void {
      this.url = url;
    }

    setRequestHeader(name: string, value: string): void {
      this.headers[name] = value;
    }

    getResponseHeader(name: string): string | null {
      return this.answer?.headers?.[name.toLowerCase()] ?? null;
    }

    async send(blob: Blob): Promise<void> {
      const body = await blob.text();
      if (this.over) return;
      const query = new URL(this.url).searchParams;
      const put = {
        part: Number(query.get('partNumber')),
        signing: Number(query.get('signing')),
        url: this.url,
        headers: this.headers,
        body,
      };
      this.upload.onprogress?.({ loaded: body.length + 100 });
      this.answer = await store.answer(put);
      if (this.over) return;
      this.over = true;
      if (!this.answer) return this.onerror?.();
      this.upload.onload?.();
      this.status = this.answer.status;
      this.responseText = this.answer.text ?? '';
      this.onload?.();
    }

    abort(): void {
      if (this.over) return;
      this.over = true;
      this.onabort?.();
    }
  };
}
