import { sha256 } from '@noble/hashes/sha2.js';
import { base64, Crc64Nvme, sha256Of } from './digest';
import { LocalError } from './retry';
import type { Hasher } from './server';

export interface Question {
  id: number;
  what: 'chunk' | 'file';
  body: Blob;
}

export interface Answer {
  id: number;
  digest?: string;
}

/** Larger chunks are hashed piece by piece instead of being held in memory whole. */
const wholeLimit = 64 * 1024 * 1024;
const piece = 4 * 1024 * 1024;

/** Runs in a worker. Throws when the file cannot be read. */
export async function compute({ what, body }: Question): Promise<string> {
  if (what === 'chunk') {
    if (body.size <= wholeLimit)
      return base64(await sha256Of(new Uint8Array(await body.arrayBuffer())));
    const hash = sha256.create();
    await pieces(body, (bytes) => hash.update(bytes));
    return base64(hash.digest());
  }
  const crc = new Crc64Nvme();
  await pieces(body, (bytes) => crc.update(bytes));
  return base64(crc.digest());
}

async function pieces(body: Blob, take: (bytes: Uint8Array) => void): Promise<void> {
  for (let at = 0; at < body.size; at += piece)
    take(new Uint8Array(await body.slice(at, at + piece).arrayBuffer()));
}

interface Waiting {
  question: Question;
  resolve(digest: string): void;
  reject(error: unknown): void;
}

/** Hashes in workers: one for the whole-file passes, the rest for chunks. */
export class WorkerHasher implements Hasher {
  private readonly chunks: Worker[];
  private readonly files: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private broken = false;

  constructor(makeWorker: () => Worker, count: number) {
    this.chunks = Array.from({ length: count }, () => this.attach(makeWorker()));
    this.files = this.attach(makeWorker());
  }

  async chunk(body: Blob): Promise<string> {
    const worker = this.chunks[this.lastId % this.chunks.length] as Worker;
    return `sha-256=:${await this.ask(worker, 'chunk', body)}:`;
  }

  file(file: Blob): Promise<string> {
    return this.ask(this.files, 'file', file);
  }

  private ask(worker: Worker, what: Question['what'], body: Blob): Promise<string> {
    const question: Question = { id: ++this.lastId, what, body };
    if (this.broken) return here(question);
    return new Promise((resolve, reject) => {
      this.waiting.set(question.id, { question, resolve, reject });
      worker.postMessage(question);
    });
  }

  /** A worker that cannot be loaded must not stop uploads: this thread does its work. */
  private breakDown(): void {
    this.broken = true;
    for (const { question, resolve, reject } of this.waiting.values())
      here(question).then(resolve, reject);
    this.waiting.clear();
  }

  private attach(worker: Worker): Worker {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const waiting = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (data.digest === undefined) waiting?.reject(new LocalError('unreadable'));
      else waiting?.resolve(data.digest);
    };
    worker.onerror = () => this.breakDown();
    return worker;
  }
}

function here(question: Question): Promise<string> {
  return compute(question).catch(() => {
    throw new LocalError('unreadable');
  });
}
