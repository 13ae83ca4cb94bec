// A picture of squares for a text (ISO/IEC 18004): bytes, error correction M,
// versions 1 to 10, which hold 213 bytes. That is enough for one address.

/** For each version: check bytes of a block, and number of blocks. */
const blocks = [
  [10, 1],
  [16, 1],
  [26, 1],
  [18, 2],
  [24, 2],
  [16, 4],
  [18, 4],
  [22, 4],
  [22, 5],
  [26, 5],
] as const;

/** All bytes of a version: data and checks. */
const total = [26, 44, 70, 100, 134, 172, 196, 242, 292, 346];

/** The squares, dark is true; `undefined` for a text that is too long. */
export function squares(text: string): boolean[][] | undefined {
  const data = new TextEncoder().encode(text);
  const version = blocks.findIndex(([check, n], i) => {
    const room = (total[i] as number) - check * n;
    return data.length <= room - (i < 9 ? 2 : 3);
  });
  if (version < 0) return undefined;
  const code = withChecks(packed(data, version), version);
  let best: { grid: boolean[][]; score: number } | undefined;
  for (let mask = 0; mask < 8; mask++) {
    const grid = drawn(code, version + 1, mask);
    const score = penalty(grid);
    if (!best || score < best.score) best = { grid, score };
  }
  return best?.grid;
}

/** Mode, length, bytes, end, padding. */
function packed(data: Uint8Array, version: number): number[] {
  const [check, n] = blocks[version] as (typeof blocks)[number];
  const room = (total[version] as number) - check * n;
  const bits: number[] = [];
  const put = (value: number, count: number) => {
    for (let i = count - 1; i >= 0; i--) bits.push((value >> i) & 1);
  };
  put(4, 4);
  put(data.length, version < 9 ? 8 : 16);
  for (const b of data) put(b, 8);
  put(0, Math.min(4, room * 8 - bits.length));
  while (bits.length % 8 !== 0) bits.push(0);
  for (let pad = 0xec; bits.length < room * 8; pad ^= 0xec ^ 0x11) put(pad, 8);
  const out: number[] = [];
  for (let i = 0; i < bits.length; i += 8)
    out.push(bits.slice(i, i + 8).reduce((a, b) => (a << 1) | b, 0));
  return out;
}

/** Multiplication in GF(256) over x^8+x^4+x^3+x^2+1. */
function times(x: number, y: number): number {
  let z = 0;
  for (let i = 7; i >= 0; i--) {
    z = (z << 1) ^ ((z >>> 7) * 0x11d);
    z ^= ((y >>> i) & 1) * x;
  }
  return z;
}

function divisor(degree: number): number[] {
  const out = new Array<number>(degree).fill(0);
  out[degree - 1] = 1;
  let root = 1;
  for (let i = 0; i < degree; i++) {
    for (let j = 0; j < degree; j++)
      out[j] = times(out[j] as number, root) ^ (j + 1 < degree ? (out[j + 1] as number) : 0);
    root = times(root, 2);
  }
  return out;
}

function remainder(data: number[], by: number[]): number[] {
  const out = new Array<number>(by.length).fill(0);
  for (const b of data) {
    const factor = b ^ (out.shift() as number);
    out.push(0);
    for (let i = 0; i < by.length; i++)
      out[i] = (out[i] as number) ^ times(by[i] as number, factor);
  }
  return out;
}

/** The blocks and their checks, interleaved. */
function withChecks(data: number[], version: number): number[] {
  const [check, n] = blocks[version] as (typeof blocks)[number];
  const all = total[version] as number;
  const short = Math.floor(all / n) - check;
  const shorts = n - (all % n);
  const by = divisor(check);
  const parts: number[][] = [];
  for (let i = 0, at = 0; i < n; i++) {
    const size = short + (i < shorts ? 0 : 1);
    parts.push(data.slice(at, at + size));
    at += size;
  }
  const checks = parts.map((p) => remainder(p, by));
  const out: number[] = [];
  for (let i = 0; i <= short; i++)
    for (const p of parts) if (i < p.length) out.push(p[i] as number);
  for (let i = 0; i < check; i++) for (const c of checks) out.push(c[i] as number);
  return out;
}

const masks: ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

function drawn(code: number[], version: number, mask: number): boolean[][] {
  const size = 17 + 4 * version;
  const grid: (boolean | undefined)[][] = Array.from({ length: size }, () => new Array(size));
  const set = (x: number, y: number, dark: boolean) => {
    const row = grid[y];
    if (row && x >= 0 && x < size) row[x] = dark;
  };
  const ring = (cx: number, cy: number, reach: number, light: number[]) => {
    for (let dy = -reach; dy <= reach; dy++)
      for (let dx = -reach; dx <= reach; dx++)
        set(cx + dx, cy + dy, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))));
  };
  for (let i = 0; i < size; i++) {
    set(6, i, i % 2 === 0);
    set(i, 6, i % 2 === 0);
  }
  for (const [x, y] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ] as const)
    ring(x, y, 4, [2, 4]);
  const at = alignments(version);
  const last = at.length - 1;
  for (const [i, x] of at.entries())
    for (const [j, y] of at.entries())
      if (!((i === 0 && (j === 0 || j === last)) || (i === last && j === 0))) ring(x, y, 2, [1]);
  format(set, size, mask);
  if (version >= 7) versionBits(set, size, version);

  let bit = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5; // the column of the clock
    const up = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step++) {
      const y = up ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (grid[y]?.[x] !== undefined) continue;
        const dark = (((code[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
        bit++;
        set(x, y, dark !== masks[mask]?.(x, y));
      }
    }
  }
  return grid as boolean[][];
}

function alignments(version: number): number[] {
  if (version === 1) return [];
  const n = Math.floor(version / 7) + 2;
  const step = Math.floor((version * 8 + n * 3 + 5) / (n * 4 - 4)) * 2;
  const out = [6];
  for (let at = version * 4 + 10; out.length < n; at -= step) out.splice(1, 0, at);
  return out;
}

type SetFunc = (x: number, y: number, dark: boolean) => void;

function format(set: SetFunc, size: number, mask: number): void {
  let rest = mask; // correction M is 0
  for (let i = 0; i < 10; i++) rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
  const bits = ((mask << 10) | rest) ^ 0x5412;
  const bit = (i: number) => ((bits >>> i) & 1) === 1;
  for (let i = 0; i <= 5; i++) set(8, i, bit(i));
  set(8, 7, bit(6));
  set(8, 8, bit(7));
  set(7, 8, bit(8));
  for (let i = 9; i < 15; i++) set(14 - i, 8, bit(i));
  for (let i = 0; i < 8; i++) set(size - 1 - i, 8, bit(i));
  for (let i = 8; i < 15; i++) set(8, size - 15 + i, bit(i));
  set(8, size - 8, true);
}

function versionBits(set: SetFunc, size: number, version: number): void {
  let rest = version;
  for (let i = 0; i < 12; i++) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
  const bits = (version << 12) | rest;
  for (let i = 0; i < 18; i++) {
    const dark = ((bits >>> i) & 1) === 1;
    const a = size - 11 + (i % 3);
    const b = Math.floor(i / 3);
    set(a, b, dark);
    set(b, a, dark);
  }
}

/** Long runs and squares of one colour are hard to read. */
function penalty(grid: boolean[][]): number {
  const size = grid.length;
  const at = (x: number, y: number) => grid[y]?.[x] === true;
  let score = 0;
  for (let a = 0; a < size; a++)
    for (const look of [(b: number) => at(a, b), (b: number) => at(b, a)]) {
      let run = 1;
      for (let b = 1; b <= size; b++) {
        if (b < size && look(b) === look(b - 1)) run++;
        else {
          if (run >= 5) score += run - 2;
          run = 1;
        }
      }
    }
  let dark = 0;
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      if (at(x, y)) dark++;
      if (x === 0 || y === 0) continue;
      const near = [at(x - 1, y), at(x, y - 1), at(x - 1, y - 1)];
      if (near.every((v) => v === at(x, y))) score += 3;
    }
  return score + 10 * Math.floor(Math.abs((dark * 20) / (size * size) - 10));
}
