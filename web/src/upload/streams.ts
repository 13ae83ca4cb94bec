const start = 4;
/** How long throughput is measured before it is judged. */
const window = 1_000;
/** By how much more streams must be faster to be kept. */
const gain = 1.08;
/** How long a number that more would not improve is kept. */
const settled = 30_000;
/** How long after one failure the others count as the same. */
const forgive = 5_000;

/**
 * How many requests carry bytes at once, over all files: more as long as that is
 * faster, half of it when the other side cannot keep up. A body that is sent and
 * waits for its flush leaves the line to the next one.
 */
export class Streams {
  private limit: number;
  /** Bodies that are being sent. */
  private moving = 0;
  /** Requests without an answer. */
  private open = 0;
  private readonly line: (() => void)[] = [];

  private since: number | undefined;
  private bytes = 0;
  private pieces = 0;
  /** Somebody would have sent more. */
  private waited = false;
  /** The limit before it was raised, and how fast that was. */
  private before: { limit: number; rate: number } | undefined;
  private hold = 0;
  private failedAt: number | undefined;

  constructor(
    /** Of requests: a browser opens only so many connections to a host. */
    private readonly most: number,
    private readonly now: () => number,
  ) {
    this.limit = Math.min(start, most);
  }

  /** Runs `work` when there is room. It says when the last byte has gone. */
  async through<T>(signal: AbortSignal, work: (sent: () => void) => Promise<T>): Promise<T> {
    await this.enter(signal);
    let moving = true;
    const sent = () => {
      if (!moving) return;
      moving = false;
      this.moving--;
      this.admit();
    };
    try {
      signal.throwIfAborted();
      return await work(sent);
    } finally {
      this.open--;
      sent();
      this.admit();
    }
  }

  /** So many bytes have arrived. */
  passed(bytes: number): void {
    const now = this.now();
    if (this.since === undefined) {
      this.begin(now);
      return;
    }
    this.bytes += bytes;
    this.pieces++;
    const took = now - this.since;
    if (took < window || this.pieces < 2 * this.limit) return;
    const rate = this.bytes / took;
    const { waited, before } = this;
    this.before = undefined;
    this.begin(now);
    if (waited && before && rate < before.rate * gain) {
      this.limit = before.limit;
      this.hold = now + settled;
    } else if (waited && now >= this.hold && this.limit < this.most) {
      this.before = { limit: this.limit, rate };
      this.limit = Math.min(this.most, this.limit + Math.max(1, this.limit >> 1));
    }
    this.admit();
  }

  /** The other side, or something on the way, could not keep up. */
  failed(): void {
    const now = this.now();
    if (this.failedAt !== undefined && now - this.failedAt < forgive) return;
    this.failedAt = now;
    this.hold = now + 2 * forgive;
    this.before = undefined;
    this.limit = Math.max(1, this.limit >> 1);
    this.begin(now);
  }

  private begin(now: number): void {
    this.since = now;
    this.bytes = 0;
    this.pieces = 0;
    this.waited = this.line.length > 0;
  }

  private get room(): boolean {
    return this.moving < this.limit && this.open < this.most;
  }

  private take(): void {
    this.moving++;
    this.open++;
  }

  private admit(): void {
    while (this.room) {
      const next = this.line.shift();
      if (!next) return;
      this.take();
      next();
    }
  }

  private enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.room) {
      this.take();
      return Promise.resolve();
    }
    this.waited = true;
    return new Promise((resolve, reject) => {
      const pass = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.line.splice(this.line.indexOf(pass), 1);
        reject(signal.reason);
      };
      this.line.push(pass);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
