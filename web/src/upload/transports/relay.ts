// Sends through the server itself: policies "local" and those with relay:true.
import { request, withToken } from '@/api/call';
import { ApiError, Code, readReply } from '@/api/error';
import { FileType, pendingKey, type UploadProgress } from '@/api/model';
import * as api from '@/api/operations';
import { sessionLost } from '../backoff';
import type { Part, Upload, UploadServer } from '../server';
import { sendBatch } from './batch';
import { sendBody } from './body';
import { barredAt, barredFor, kindOf } from './stores';
import * as ways from './ways';

/** The smallest part that all stores take: smaller files are two requests through the server. */
const leastStraight = 5 * 1024 ** 2;

export const relay: UploadServer = {
  async create({ uri, size, lastModified, mimeType, replace }, signal) {
    const past = size >= leastStraight;
    let detour = past ? barredFor(uri) : undefined;
    const begin = (relay: boolean) =>
      api.createUpload(
        {
          uri,
          size,
          last_modified: lastModified,
          mime_type: mimeType,
          relay,
          paged: true,
          ...(replace && { entity_type: 'version' }),
        },
        { signal },
      );
    let ticket = await begin(!past || detour !== undefined);
    const address = ticket.storage_policy.relay ? undefined : ticket.upload_urls?.[0];
    const known = kindOf(ticket.storage_policy) !== undefined;
    detour ??= address ? barredAt(address, uri) : undefined;
    if (address && (detour || !known)) {
      await api.discardUpload(ticket.session_id, uri);
      ticket = await begin(true);
    }
    const plan = { size, chunkSize: ticket.chunk_size };
    await ways.begin(ticket.session_id, ticket.storage_policy, plan, uri);
    const { type, relay: relayed, chunk_concurrency } = ticket.storage_policy;
    const direct = kindOf(ticket.storage_policy) !== undefined;
    return {
      sessionId: ticket.session_id,
      chunkSize: ticket.chunk_size,
      pieceAlign: direct ? undefined : ticket.piece_align,
      expires: ticket.expires * 1000,
      concurrency: chunk_concurrency || undefined,
      durability: ticket.storage_policy.sync,
      relayed: type === 'local' || relayed === true || direct,
      straight: direct,
      detour: type === 'local' ? undefined : detour,
    };
  },
  batch: sendBatch,
  send: async (part) => {
    const way = ways.wayOf(part.sessionId);
    await (way ? way.send(part) : withToken((token) => post(part, token)));
  },
  show: async (id, signal, same) => {
    const progress = await api.showUpload(id, { signal }).catch((error) => {
      if (sessionLost(error)) ways.forget(id);
      throw error;
    });
    return ways.seen(uploadFrom(progress), progress.storage_policy, signal, same);
  },
  list: async () => (await api.listUploads()).uploads.map(uploadFrom),
  async discard(id, uri) {
    ways.forget(id);
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
    straight: kindOf(u.storage_policy) !== undefined,
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

async function post(part: Part, token: string | undefined): Promise<void> {
  const path = `/file/upload/${encodeURIComponent(part.sessionId)}/${part.index}`;
  const { url, headers, correlationId } = request(path, token);
  headers['Content-Digest'] = part.digest;
  if (part.range) {
    const [from, to] = part.range;
    headers['Content-Range'] = `bytes ${from}-${to - 1}/${part.size}`;
  }
  const xhr = await sendBody('POST', url, headers, part, correlationId);
  readReply({
    status: xhr.status,
    text: xhr.responseText,
    retryAfter: xhr.getResponseHeader('Retry-After'),
    correlationId,
  });
}
