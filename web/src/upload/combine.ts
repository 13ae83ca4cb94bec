// The CRC-64/NVME of a whole out of those of its parts, without their bytes: appending n
// zero bytes to what a CRC is of is a linear map over its 64 bits, which is squared its way up.
import type { Sum } from './server';

/** As digest.ts has it: reflected. */
const polynomial = 0x9a6c9329ac4bc9b5n;

/** What becomes of each single bit. */
type Map64 = readonly bigint[];

function apply(map: Map64, value: bigint): bigint {
  let sum = 0n;
  for (let rest = value, i = 0; rest > 0n; rest >>= 1n, i++) if (rest & 1n) sum ^= map[i] as bigint;
  return sum;
}

const after = (second: Map64, first: Map64): Map64 => first.map((bit) => apply(second, bit));

function zeros(bytes: number): Map64 {
  let power: Map64 = [polynomial, ...Array.from({ length: 63 }, (_, i) => 1n << BigInt(i))];
  for (let i = 0; i < 3; i++) power = after(power, power); // of a bit, and then of a byte
  let all: Map64 = Array.from({ length: 64 }, (_, i) => 1n << BigInt(i));
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) all = after(power, all);
    power = after(power, power);
  }
  return all;
}

const read = (crc: string) =>
  [...atob(crc)].reduce((sum, byte) => (sum << 8n) | BigInt(byte.charCodeAt(0)), 0n);

const write = (value: bigint) =>
  btoa(
    String.fromCharCode(
      ...Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(56 - 8 * i)) & 255n)),
    ),
  );

/** Of parts in their order, each with its length; CRCs as base64. */
export function combine(parts: readonly Sum[]): string {
  const known = new Map<number, Map64>();
  let sum = 0n; // of no bytes
  for (const { crc, length } of parts) {
    const map = known.get(length) ?? zeros(length);
    known.set(length, map);
    sum = apply(map, sum) ^ read(crc);
  }
  return write(sum);
}
