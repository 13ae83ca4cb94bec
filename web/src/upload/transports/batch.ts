// Many small files in one request: POST /file/batch.
import { request, withToken } from '@/api/call';
import { ApiError, readReply } from '@/api/error';
import type { SmallAnswer, SmallFile } from '../server';

const mime = 'application/vnd.wharfinger.batch';
const stall = 60_000;

interface Line {
  index?: number;
  done?: number;
  code: number;
  msg: string;
  correlation_id?: string;
}

/**
 * Sends the files and tells of each as soon as it has its line. Resolves false
 * when the server has no such door; throws ApiError when it did not read to the
 * end, or the answer was cut.
 */
export function sendBatch(
  files: readonly SmallFile[],
  told: (answer: SmallAnswer) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const body = bodyOf(files);
  return withToken((token) => post(body, token, told, signal));
}

function bodyOf(files: readonly SmallFile[]): Blob {
  const manifest = {
    files: files.map(({ uri, size, lastModified, mimeType, digest }) => ({
      uri,
      size,
      last_modified: lastModified,
      mime_type: mimeType,
      repr_digest: digest,
    })),
  };
  const frames = files.flatMap(({ body, size }, i) => [`${i} ${size}\n`, body]);
  return new Blob([`${JSON.stringify(manifest)}\n`, ...frames], { type: mime });
}

async function post(
  body: Blob,
  token: string | undefined,
  told: (answer: SmallAnswer) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const { url, headers, correlationId } = request('/file/batch', token);
  const cut = () => new ApiError({ kind: 'network', correlationId });
  // No byte of an answer for this long: the line is dead.
  const watch = new AbortController();
  let watchdog = setTimeout(() => watch.abort(), stall);
  const both = AbortSignal.any([signal, watch.signal]);
  try {
    const reply = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': mime },
      body,
      signal: both,
      cache: 'no-store',
    });
    if (reply.status === 404 || reply.status === 405) return false;
    const kind = reply.headers.get('Content-Type') ?? '';
    if (!reply.ok || !kind.startsWith('application/x-ndjson') || !reply.body) {
      const retryAfter = reply.headers.get('Retry-After');
      readReply({ status: reply.status, text: await reply.text(), retryAfter, correlationId });
      throw new ApiError({ kind: 'strange', status: reply.status, correlationId });
    }
    for await (const line of linesOf(reply.body)) {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => watch.abort(), stall);
      if (line.index !== undefined) told({ index: line.index, code: line.code });
      if (line.done === undefined) continue;
      if (line.code === 0) return true;
      const { code, msg: message } = line;
      throw new ApiError({
        kind: 'refused',
        code,
        message,
        correlationId: line.correlation_id ?? correlationId,
      });
    }
    throw cut();
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ApiError ? error : cut();
  } finally {
    clearTimeout(watchdog);
  }
}

/** Lines of JSON as they come. What is behind the last line feed was cut. */
async function* linesOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Line> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as Line;
  }
}
