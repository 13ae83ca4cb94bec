import type { Answer, Question } from './compute';
import { LocalError } from './retry';
import type { Hasher, Sum } from './server';

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
    return `sha-256=:${await this.ask(this.next, 'chunk', body)}:`;
  }

  crc(body: Blob): Promise<string> {
    return this.ask(this.next, 'file', body);
  }

  async join(chunks: readonly Sum[]): Promise<string> {
    const { combine } = await import('./combine');
    return combine(chunks);
  }

  md5(body: Blob): Promise<string> {
    return this.ask(this.next, 'md5', body);
  }

  file(file: Blob): Promise<string> {
    return this.ask(this.files, 'file', file);
  }

  private get next(): Worker {
    return this.chunks[this.lastId % this.chunks.length] as Worker;
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

async function here(question: Question): Promise<string> {
  const { compute } = await import('./compute');
  return compute(question).catch(() => {
    throw new LocalError('unreadable');
  });
}
