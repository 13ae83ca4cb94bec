import type { Clock } from '@/lib/clock';

interface Sleeper {
  at: number;
  wake(): void;
}

/** Time that stands still until nothing else can happen, then jumps. */
export class TestClock implements Clock {
  private time = 1_000_000;
  private sleepers: Sleeper[] = [];
  /** Real work that is under way (reading a Blob, hashing). */
  private busy = 0;

  now = () => this.time;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper: Sleeper = { at: this.time + ms, wake: resolve };
      this.sleepers.push(sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          this.sleepers = this.sleepers.filter((s) => s !== sleeper);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  /** Counts real work, so that time does not run ahead of it. */
  async real<T>(work: Promise<T>): Promise<T> {
    this.busy++;
    try {
      return await work;
    } finally {
      this.busy--;
    }
  }

  /** Lets time pass until `done`. Throws when nothing more can happen, or it takes a day. */
  async until(done: () => boolean, limitMs = 86_400_000): Promise<void> {
    const end = this.time + limitMs;
    for (;;) {
      await this.quiesce();
      if (done()) return;
      this.sleepers.sort((a, b) => a.at - b.at);
      const next = this.sleepers.shift();
      if (!next) throw new Error('stuck: nothing is under way');
      if (next.at > end) throw new Error('too long');
      this.time = Math.max(this.time, next.at);
      next.wake();
    }
  }

  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    let over = false;
    void this.sleep(ms).then(() => {
      over = true;
    });
    await this.until(() => over || this.time > end);
  }

  private async quiesce(): Promise<void> {
    for (let calm = 0; calm < 2; calm++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.busy > 0) calm = -1;
    }
  }
}

/** mulberry32: small, seeded, good enough to choose faults. */
export function seeded(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
