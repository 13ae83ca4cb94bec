import { ApiError } from '@/api/error';
import type { Part } from '../server';

/** No byte moved and no answer came for this long: the line is dead. */
const stall = 60_000;

/** XMLHttpRequest, because fetch does not tell how far an upload is. Resolves with any answer. */
export function sendBody(
  method: string,
  url: string,
  headers: Record<string, string>,
  part: Part,
  correlationId: string,
): Promise<XMLHttpRequest> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let watchdog: ReturnType<typeof setTimeout>;
    let silent = false;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => {
        silent = true;
        xhr.abort();
      }, stall);
    };
    const stop = () => xhr.abort();
    const settle = (outcome: () => void) => {
      clearTimeout(watchdog);
      part.signal.removeEventListener('abort', stop);
      outcome();
    };
    const noAnswer = () => new ApiError({ kind: 'network', correlationId });

    xhr.open(method, url);
    const all = new Headers({ 'Content-Type': 'application/octet-stream' });
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    all.forEach((value, name) => {
      xhr.setRequestHeader(name, value);
    });
    xhr.upload.onprogress = (e) => {
      alive();
      part.onSent(Math.min(e.loaded, part.body.size));
    };
    xhr.upload.onload = () => part.onGone?.();
    xhr.onload = () => settle(() => resolve(xhr));
    xhr.onerror = () => settle(() => reject(noAnswer()));
    xhr.onabort = () => settle(() => reject(silent ? noAnswer() : part.signal.reason));
    part.signal.addEventListener('abort', stop, { once: true });
    alive();
    xhr.send(part.body);
  });
}
