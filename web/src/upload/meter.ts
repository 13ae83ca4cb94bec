/** How far back the speed looks: long enough to be calm, short enough to be true. */
const timeConstant = 4_000;

/**
 * Exponentially weighted speed. Needs no ticking: it decays by itself, so a
 * stalled line shows as one.
 */
export class Meter {
  private weighted = 0;
  private at = 0;
  private startedAt: number | undefined;

  add(bytes: number, now: number): void {
    if (this.startedAt === undefined) {
      this.startedAt = now;
      this.at = now;
    }
    this.decayTo(now);
    this.weighted += bytes;
  }

  /** Bytes per second. */
  rate(now: number): number {
    if (this.startedAt === undefined) return 0;
    this.decayTo(now);
    // In the first seconds the window is not yet full.
    const filled = 1 - Math.exp(-Math.max(250, now - this.startedAt) / timeConstant);
    return (this.weighted / timeConstant / filled) * 1000;
  }

  /** After a pause the old speed says nothing. */
  reset(): void {
    this.weighted = 0;
    this.startedAt = undefined;
  }

  private decayTo(now: number): void {
    this.weighted *= Math.exp(-Math.max(0, now - this.at) / timeConstant);
    this.at = Math.max(this.at, now);
  }
}
