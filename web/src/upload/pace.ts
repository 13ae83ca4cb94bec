import { ApiError } from '@/api/error';

const KiB = 1024;
/** A line that broke may be a better one soon; a proxy's limit is not changed that often. */
const breakLasts = 60_000;
const limitLasts = 7 * 24 * 3_600_000;

export interface Memory {
  load(): string | null;
  save(text: string): void;
}

interface Remembered {
  largest: number;
  refused: number | undefined;
  at: number;
}

/**
 * How large a request may be on the way to this server: starts below what
 * proxies allow unless they are told otherwise (1 MiB, or 1 MB), doubles while that works, halves when a proxy refuses or drops one, and remembers it.
 */
export class Pace {
  private largest: number;
  /** The largest body that came through. */
  private proven = 0;
  /** The smallest body that a proxy has refused (413). */
  private refused: number | undefined;
  /** The smallest body that broke, and until when that counts. */
  private broke: { size: number; until: number } | undefined;

  constructor(
    private readonly now: () => number,
    private readonly memory?: Memory,
    /** Where to begin, and below which size nothing is gained. */
    private readonly bounds = { safe: 960 * KiB, least: 64 * KiB },
  ) {
    this.largest = bounds.safe;
    const known = this.recall();
    if (!known) return;
    this.largest = known.largest;
    this.refused = known.refused;
  }

  /** The largest body to send now. */
  get limit(): number {
    return this.largest;
  }

  /** What a proxy allows at most, as far as it was found out; none: nothing was refused. */
  get allowed(): number | undefined {
    return this.refused === undefined ? undefined : this.largest;
  }

  /** A body of this size came through. */
  passed(size: number): void {
    this.proven = Math.max(size, this.proven);
    if (size * 2 <= this.largest) return; // says nothing of larger ones
    if (this.broke && this.broke.until <= this.now()) this.broke = undefined;
    const bound = Math.min(this.refused ?? Infinity, this.broke?.size ?? Infinity);
    if (this.largest * 2 >= bound || this.largest >= Number.MAX_SAFE_INTEGER / 4) return;
    this.largest *= 2;
    this.remember();
  }

  /** Whether a failure says that bodies must be smaller; then they are. */
  failed(size: number, sent: number, error: unknown): boolean {
    if (!(error instanceof ApiError) || size <= this.bounds.least) return false;
    const tooLarge = error.kind === 'status' && error.status === 413;
    // A line that is down says nothing of sizes: it takes not even the first byte.
    const tooLong =
      sent > 0 && (error.kind === 'network' || (error.kind === 'status' && error.status === 408));
    if (!tooLarge && !tooLong) return false;
    if (tooLarge) this.refused = Math.min(size, this.refused ?? size);
    else this.broke = { size, until: this.now() + breakLasts };
    if (this.proven >= size) this.proven = 0; // another proxy, or another mind
    const { least } = this.bounds;
    const next = Math.max(size / 2, tooLarge ? this.proven : 0);
    this.largest = Math.max(least, Math.min(this.largest, Math.floor(next / least) * least));
    this.remember();
    return true;
  }

  private remember(): void {
    const known: Remembered = { largest: this.largest, refused: this.refused, at: this.now() };
    this.memory?.save(JSON.stringify(known));
  }

  private recall(): Remembered | undefined {
    try {
      const known = JSON.parse(this.memory?.load() ?? 'null') as Remembered | null;
      const fresh =
        known && known.largest >= this.bounds.least && this.now() - known.at < limitLasts;
      return fresh ? known : undefined;
    } catch {
      return undefined;
    }
  }
}
