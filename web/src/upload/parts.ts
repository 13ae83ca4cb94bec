import { bytesOf, chunkCount, chunkRange, gaps, mergeRanges, type Plan, type Range } from './plan';

/** Some bytes of one chunk, to be sent in one request or in several. */
export interface Piece {
  index: number;
  range: Range;
  /** All of the chunk. */
  whole: boolean;
}

/**
 * Which bytes of a file the server has, and which one of this page's lanes is at.
 * Where chunks may come in pieces (`align` is not 0), pieces begin and end at
 * multiples of it within their chunk, or with the chunk.
 */
export class Parts {
  /** Of chunks that are not whole yet. */
  private pieces = new Map<number, Range[]>();
  private claimed = new Set<Piece>();
  private cursor = 0;

  constructor(
    readonly plan: Plan,
    readonly align: number,
    private readonly held: Set<number>,
  ) {}

  /** The same knowledge under what the server says of the session. */
  under(plan: Plan, align: number, held: Set<number>): Parts {
    const same = plan.chunkSize === this.plan.chunkSize && align === this.align;
    if (same && plan.size === this.plan.size && held === this.held) return this;
    return new Parts(plan, align, held);
  }

  /** Begins anew with what no lane is at: what a lane gave up is taken again. */
  rewind(): void {
    this.cursor = 0;
    this.claimed.clear();
  }

  /** The next bytes that nobody sends, at most `limit` where pieces are possible. */
  claim(limit: number): Piece | undefined {
    for (const count = chunkCount(this.plan); this.cursor < count; this.cursor++) {
      const index = this.cursor;
      if (this.held.has(index)) continue;
      const taken = [...this.claimed].filter((p) => p.index === index).map((p) => p.range);
      const range = chunkRange(this.plan, index);
      const empty = range[0] === range[1] && taken.length === 0;
      const [gap] = empty ? [range] : gaps(range, [...this.have(index), ...taken]);
      if (!gap) continue;
      const piece = this.cut(index, gap, limit);
      this.claimed.add(piece);
      return piece;
    }
    return undefined;
  }

  release(piece: Piece): void {
    this.claimed.delete(piece);
  }

  /** What is missing of a claimed range, at most `limit` of it. */
  within({ index, range }: Piece, limit: number): Piece | undefined {
    if (this.held.has(index)) return undefined;
    if (range[0] === range[1]) return { index, range, whole: true };
    const [gap] = gaps(range, this.have(index));
    return gap && this.cut(index, gap, limit);
  }

  /** The server has confirmed a piece. */
  add({ index, range, whole }: Piece): void {
    const have = whole ? [range] : mergeRanges([...this.have(index), range]);
    if (whole || gaps(chunkRange(this.plan, index), have).length === 0) {
      this.held.add(index);
      this.pieces.delete(index);
    } else this.pieces.set(index, have);
  }

  /** Takes over the pieces that the server has; true if some are news to this page. */
  takePieces(received: readonly Range[]): boolean {
    const { chunkSize } = this.plan;
    const before = this.pieceBytes();
    const pieces = new Map<number, Range[]>();
    // Only the ends of a stretch can lie within a chunk.
    for (const [from, to] of this.align > 0 && chunkSize > 0 ? received : [])
      for (const index of new Set([
        Math.floor(from / chunkSize),
        Math.floor((to - 1) / chunkSize),
      ])) {
        if (this.held.has(index)) continue;
        const [start, end] = chunkRange(this.plan, index);
        const part: Range = [Math.max(from, start), Math.min(to, end)];
        pieces.set(index, mergeRanges([...(pieces.get(index) ?? []), part]));
      }
    this.pieces = pieces;
    return this.pieceBytes() > before;
  }

  /** How many bytes the server has. */
  bytes(): number {
    return bytesOf(this.plan, this.held) + this.pieceBytes();
  }

  /** Whether the byte at `at` is there. */
  has(at: number): boolean {
    const index = this.plan.chunkSize === 0 ? 0 : Math.floor(at / this.plan.chunkSize);
    return this.held.has(index) || this.have(index).some(([from, to]) => from <= at && at < to);
  }

  private have(index: number): readonly Range[] {
    return this.pieces.get(index) ?? [];
  }

  private cut(index: number, [from, to]: Range, limit: number): Piece {
    const chunk = chunkRange(this.plan, index);
    const most =
      this.align > 0
        ? Math.max(this.align, limit - (limit % this.align))
        : Number.POSITIVE_INFINITY;
    const range: Range = [from, Math.min(to, from + most)];
    return { index, range, whole: range[0] === chunk[0] && range[1] === chunk[1] };
  }

  private pieceBytes(): number {
    let sum = 0;
    for (const ranges of this.pieces.values()) for (const [from, to] of ranges) sum += to - from;
    return sum;
  }
}
