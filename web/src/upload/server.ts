// What the engine needs of a server. The real one is in transports/; tests bring
// a fake. Every method throws ApiError for a failed call, and the signal's
// reason when it was aborted.
import type { ApiError } from '@/api/error';
import type { Durability } from '@/api/model';
import type { Range } from './plan';

export interface CreateRequest {
  uri: string;
  size: number;
  lastModified: number;
  mimeType: string;
  /** Add a version to an existing file instead of refusing (40004). */
  replace: boolean;
}

export interface Ticket {
  sessionId: string;
  chunkSize: number;
  /** Chunks may be sent in pieces that begin and end at multiples of this. */
  pieceAlign?: number | undefined;
  /** When the server forgets it, Unix milliseconds. */
  expires: number;
  /** How many chunks of one file the storage takes at once, if it says. */
  concurrency: number | undefined;
  durability?: Durability | undefined;
  /** This page can send the chunks to where they go. */
  relayed: boolean;
  /** They go past the server, which does not compare them one by one. */
  straight?: boolean;
  /** They go through the server, because the storage behind it does not let this page in. */
  detour?: ApiError | undefined;
}

export interface Part {
  sessionId: string;
  index: number;
  /** Which bytes of the file the body is, and the size of that, when it is not the whole chunk. */
  range?: Range;
  size?: number;
  body: Blob;
  /** RFC 9530 Content-Digest value. */
  digest: string;
  /** Bytes handed to the network so far: sent, not confirmed. */
  onSent(bytes: number): void;
  /** All of it has gone; the answer has not come. */
  onGone?(): void;
  signal: AbortSignal;
}

export interface Sample {
  range: Range;
  digest: string;
}

/** An upload as the server reports it. */
export interface Upload {
  sessionId: string;
  uri: string;
  size: number;
  chunkSize: number;
  pieceAlign?: number | undefined;
  received: readonly Range[];
  receivedBytes: number;
  /** Its chunks go past the server: `received` is known after `show` only, and what was there may go. */
  straight?: boolean;
  state: 'open' | 'sealing' | 'done' | 'aborted' | 'expired';
  /** Unix milliseconds. */
  expires: number;
  /** Unix milliseconds; 0 when unknown. */
  lastModified: number;
  /** When the last byte came, Unix milliseconds. */
  updatedAt: number;
  concurrency: number | undefined;
  /** RFC 9530 Repr-Digest value; there when done. */
  digest: string | undefined;
  durability?: Durability | undefined;
  /** Of some of what the server has, with RFC 9530 digests of the bytes in clear. */
  samples?: readonly Sample[] | undefined;
  /** Its bytes are encrypted by the client that began it. */
  encrypted: boolean;
}

/** Whether a range of the file at hand has this MD5, in hexadecimal. */
export type Same = (range: Range, md5: string) => Promise<boolean>;

export interface StoredFile {
  size: number;
  /** Unix milliseconds. */
  updatedAt: number;
  /** An upload holds this name; the file is not there yet. */
  pending: boolean;
  folder: boolean;
}

/** A file that goes with others in one request. */
export interface SmallFile {
  uri: string;
  size: number;
  lastModified: number;
  mimeType: string;
  /** RFC 9530 Repr-Digest value; the server compares it. */
  digest: string;
  body: Blob;
}

export interface SmallAnswer {
  /** Its place among the files. */
  index: number;
  /** 0: it is there, and durable. */
  code: number;
}

export interface UploadServer {
  /** Resolves false when the server takes files one by one only. */
  batch?(
    files: readonly SmallFile[],
    told: (answer: SmallAnswer) => void,
    signal: AbortSignal,
  ): Promise<boolean>;
  create(request: CreateRequest, signal: AbortSignal): Promise<Ticket>;
  /** Resolves when the server has the chunk and has checked its digest. */
  send(part: Part): Promise<void>;
  /**
   * `same` tells bytes that a store has, and this page did not see arrive there, from
   * others of their length; without it they do not count.
   */
  show(sessionId: string, signal: AbortSignal, same?: Same): Promise<Upload>;
  list(): Promise<Upload[]>;
  discard(sessionId: string, uri: string): Promise<void>;
  /** Undefined when nothing is there. */
  stat(uri: string, signal: AbortSignal): Promise<StoredFile | undefined>;
  makeFolder(uri: string, signal: AbortSignal): Promise<void>;
  unlock(tokens: string[]): Promise<void>;
}

export interface Sum {
  /** CRC-64/NVME, as base64. */
  crc: string;
  length: number;
}

/** Digests, computed away from the page's thread. */
export interface Hasher {
  /** Content-Digest value of one chunk. */
  chunk(body: Blob): Promise<string>;
  /** CRC-64/NVME of one chunk, as base64. */
  crc(body: Blob): Promise<string>;
  /** The same of what chunks make together, out of theirs. */
  join(chunks: readonly Sum[]): Promise<string>;
  /** MD5 in hexadecimal: stores name parts by it. */
  md5(body: Blob): Promise<string>;
  /** CRC-64/NVME of a whole file, as base64. */
  file(file: Blob, signal: AbortSignal): Promise<string>;
}
