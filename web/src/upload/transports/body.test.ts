import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Part } from '../server';
import { sendBody } from './body';

/** The one request that is under way. */
class Request {
  static last: Request;
  status = 0;
  readonly headers: Record<string, string> = {};
  readonly opened: string[] = [];
  body: unknown;
  withCredentials = false;
  onload = () => {};
  onerror = () => {};
  onabort = () => {};
  readonly upload = { onprogress: (_: { loaded: number }) => {}, onload: () => {} };

  constructor() {
    Request.last = this;
  }

  open(method: string, url: string): void {
    this.opened.push(method, url);
  }

  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }

  send(body: unknown): void {
    this.body = body;
  }

  abort(): void {
    this.onabort();
  }

  answer(status: number): void {
    this.status = status;
    this.onload();
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('XMLHttpRequest', Request);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function send(headers: Record<string, string> = {}, more: Partial<Part> = {}) {
  const stop = new AbortController();
  const sent: number[] = [];
  const part: Part = {
    sessionId: 's',
    index: 0,
    body: new Blob(['12345']),
    digest: '',
    signal: stop.signal,
    onSent: (bytes) => sent.push(bytes),
    ...more,
  };
  const done = sendBody('PUT', 'https://store.test/key', headers, part, 'id');
  return { stop, sent, part, done, xhr: Request.last };
}

describe('a body', () => {
  test('goes as it is, to that address, as bytes of no kind', async () => {
    const { xhr, part, done } = send();
    expect(xhr.opened).toEqual(['PUT', 'https://store.test/key']);
    expect(xhr.headers).toEqual({ 'content-type': 'application/octet-stream' });
    expect(xhr.body).toBe(part.body);
    expect(xhr.withCredentials).toBe(false);
    xhr.answer(200);
    await done;
  });

  test('has the kind that was signed, once', () => {
    const { xhr } = send({ 'Content-Type': 'text/plain', 'x-signed': 'a' });
    expect(xhr.headers).toEqual({ 'content-type': 'text/plain', 'x-signed': 'a' });
  });

  test('tells how far it is, never further than it is long, and when it has gone', () => {
    const onGone = vi.fn();
    const { xhr, sent } = send({}, { onGone });
    xhr.upload.onprogress({ loaded: 3 });
    xhr.upload.onprogress({ loaded: 700 });
    expect(sent).toEqual([3, 5]);
    expect(onGone).not.toHaveBeenCalled();
    xhr.upload.onload();
    expect(onGone).toHaveBeenCalledOnce();
  });

  test.each([200, 204, 403, 503])('brings the answer, also %i', async (status) => {
    const { xhr, done } = send();
    xhr.answer(status);
    expect((await done).status).toBe(status);
  });
});

describe('a body that does not arrive', () => {
  test('has a line that failed', async () => {
    const { xhr, done } = send();
    xhr.onerror();
    await expect(done).rejects.toMatchObject({ kind: 'network', correlationId: 'id' });
  });

  test('was stopped, and says why', async () => {
    const { stop, done } = send();
    stop.abort('pause');
    await expect(done).rejects.toBe('pause');
  });

  test('moved no byte for a minute', async () => {
    const { done } = send();
    const failed = expect(done).rejects.toMatchObject({ kind: 'network' });
    vi.advanceTimersByTime(60_001);
    await failed;
  });

  test('is waited for as long as bytes move, and for the answer', async () => {
    const { xhr, done } = send();
    for (let i = 1; i <= 5; i++) {
      vi.advanceTimersByTime(50_000);
      xhr.upload.onprogress({ loaded: i });
    }
    vi.advanceTimersByTime(50_000);
    xhr.answer(200);
    expect((await done).status).toBe(200);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is not stopped any more once it has', async () => {
    const { xhr, stop, done } = send();
    const abort = vi.spyOn(xhr, 'abort');
    xhr.answer(200);
    await done;
    stop.abort();
    expect(abort).not.toHaveBeenCalled();
  });
});
