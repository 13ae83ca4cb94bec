// Sends through the server itself: policies "local" and those with relay:true.
import { request, withToken } from '@/api/call';
import { ApiError, Code, readReply } from '@/api/error';
import { FileType, pendingKey, type UploadProgress } from '@/api/model';
import * as api from '@/api/operations';
import type { Part, Upload, UploadServer } from '../server';
import { sendBatch } from './batch';

/** No byte moved and no answer came for this long: the line is dead. */
const stall = 60_000;

export const relay: UploadServer = {
  async create({ uri, size, lastModified, mimeType, replace }, signal) {
    const ticket = await api.createUpload(
      {
        uri,
        size,
        last_modified: lastModified,
        mime_type: mimeType,
        relay: true,
        ...(replace && { entity_type: 'version' }),
      },
      { signal },
    );
    const { type, relay: relayed, chunk_concurrency } = ticket.storage_policy;
    return {
      sessionId: ticket.session_id,
      chunkSize: ticket.chunk_size,
      pieceAlign: ticket.piece_align,
      expires: ticket.expires * 1000,
      concurrency: chunk_concurrency || undefined,
      durability: ticket.storage_policy.sync,
      relayed: type === 'local' || relayed === true,
    };
  },
  batch: sendBatch,
  send: (part) => withToken((token) => post(part, token)),
  show: async (id, signal) => uploadFrom(await api.showUpload(id, { signal })),
  list: async () => (await api.listUploads()).uploads.map(uploadFrom),
  async discard(id, uri) {
    try {
      await api.discardUpload(id, uri);
    } catch (error) {
      const gone =
        error instanceof ApiError && (error.is(Code.pathGone) || error.is(Code.notFound));
      if (!gone) throw error;
    }
  },
  async stat(uri, signal) {
    try {
      const file = await api.fileInfo(uri, { signal });
      return {
        size: file.size,
        updatedAt: Date.parse(file.updated_at),
        pending: file.metadata?.[pendingKey] !== undefined,
        folder: file.type === FileType.folder,
      };
    } catch (error) {
      if (error instanceof ApiError && error.is(Code.pathGone)) return undefined;
      throw error;
    }
  },
  async makeFolder(uri, signal) {
    await api.createFolder(uri, false, { signal });
  },
  unlock: (tokens) => api.unlock(tokens),
};

export function uploadFrom(u: UploadProgress): Upload {
  return {
    sessionId: u.session_id,
    uri: u.uri,
    size: u.size,
    chunkSize: u.chunk_size,
    pieceAlign: u.piece_align,
    received: u.received as [number, number][],
    receivedBytes: u.received_bytes,
    state: u.state,
    expires: u.expires * 1000,
    lastModified: u.last_modified,
    samples: u.samples?.map((s) => ({ range: s.bytes as [number, number], digest: s.digest })),
    updatedAt: Date.parse(u.updated_at),
    concurrency: u.storage_policy?.chunk_concurrency || undefined,
    durability: u.storage_policy?.sync,
    digest: u.repr_digest,
    encrypted: u.encrypt_metadata !== undefined,
  };
}

/** XMLHttpRequest, because fetch does not tell how far an upload is. */
function post(part: Part, token: string | undefined): Promise<void> {
  const path = `/file/upload/${encodeURIComponent(part.sessionId)}/${part.index}`;
  const { url, headers, correlationId } = request(path, token);
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

    xhr.open('POST', url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.setRequestHeader('Content-Type', 'application/octet-stream');
    xhr.setRequestHeader('Content-Digest', part.digest);
    if (part.range) {
      const [from, to] = part.range;
      xhr.setRequestHeader('Content-Range', `bytes ${from}-${to - 1}/${part.size}`);
    }
    xhr.upload.onprogress = (e) => {
      alive();
      part.onSent(Math.min(e.loaded, part.body.size));
    };
    xhr.upload.onload = () => part.onGone?.();
    xhr.onload = () =>
      settle(() => {
        try {
          readReply({
            status: xhr.status,
            text: xhr.responseText,
            retryAfter: xhr.getResponseHeader('Retry-After'),
            correlationId,
          });
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    xhr.onerror = () => settle(() => reject(noAnswer()));
    xhr.onabort = () => settle(() => reject(silent ? noAnswer() : part.signal.reason));
    part.signal.addEventListener('abort', stop, { once: true });
    alive();
    xhr.send(part.body);
  });
}
