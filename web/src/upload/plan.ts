// The arithmetic of chunks: which exist, which bytes they hold, which the server lacks.

/** Half-open byte range, as the server reports what it holds. */
export type Range = readonly [from: number, to: number];

export interface Plan {
  readonly size: number;
  /** 0: the whole file in one request. */
  readonly chunkSize: number;
}

/** At least one: an empty file is one empty chunk. */
export function chunkCount({ size, chunkSize }: Plan): number {
  return chunkSize === 0 || size === 0 ? 1 : Math.ceil(size / chunkSize);
}

export function chunkRange({ size, chunkSize }: Plan, index: number): Range {
  if (chunkSize === 0) return [0, size];
  return [index * chunkSize, Math.min((index + 1) * chunkSize, size)];
}

/**
 * The chunks that lie wholly within `received`. The one chunk of an empty file is never
 * among them: no range can say that it arrived.
 */
export function receivedChunks(plan: Plan, received: readonly Range[]): Set<number> {
  const whole = new Set<number>();
  const step = plan.chunkSize === 0 ? plan.size : plan.chunkSize;
  if (step === 0) return whole;
  const count = chunkCount(plan);
  for (const [from, to] of mergeRanges(received)) {
    for (let i = Math.ceil(from / step); i < count; i++) {
      if (chunkRange(plan, i)[1] > to) break;
      whole.add(i);
    }
  }
  return whole;
}

export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** What of `whole` is in none of `taken`. */
export function gaps(whole: Range, taken: readonly Range[]): Range[] {
  const free: Range[] = [];
  let at = whole[0];
  for (const [from, to] of mergeRanges(taken)) {
    if (to <= at) continue;
    if (from >= whole[1]) break;
    if (from > at) free.push([at, from]);
    at = to;
  }
  if (at < whole[1]) free.push([at, whole[1]]);
  return free;
}

/** How many bytes a set of chunks holds. */
export function bytesOf(plan: Plan, chunks: ReadonlySet<number>): number {
  if (chunks.size === 0) return 0;
  const last = chunkCount(plan) - 1;
  const [from, to] = chunkRange(plan, last);
  if (!chunks.has(last)) return chunks.size * plan.chunkSize;
  return (chunks.size - 1) * plan.chunkSize + (to - from);
}

export function allChunks(plan: Plan): Set<number> {
  return new Set(Array.from({ length: chunkCount(plan) }, (_, i) => i));
}
