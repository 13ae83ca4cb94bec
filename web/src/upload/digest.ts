// Digests in plain JavaScript. WebAssembly is no way here: the page's policy has
// no 'wasm-unsafe-eval'.
import { sha256 } from '@noble/hashes/sha2.js';

export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** SHA-256; the browser's own, which exists in secure contexts only, if it can. */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const native = globalThis.crypto?.subtle;
  return native ? new Uint8Array(await native.digest('SHA-256', bytes)) : sha256(bytes);
}

/** The CRC-64/NVME in an RFC 9530 field, as base64; undefined without one. */
export function crcIn(field: string | undefined): string | undefined {
  return /(?:^|,)\s*crc64nvme=:([^:]*):/.exec(field ?? '')?.[1];
}

// CRC-64/NVME: reflected, all ones in and out. A 64-bit value is kept as two
// unsigned halves, and eight bytes are taken per step (slicing-by-8).
const polyHi = 0x9a6c9329;
const polyLo = 0xac4bc9b5;

const { hi: tableHi, lo: tableLo } = makeTables();

function makeTables(): { hi: Uint32Array; lo: Uint32Array } {
  const hi = new Uint32Array(8 * 256);
  const lo = new Uint32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let h = 0;
    let l = n;
    for (let bit = 0; bit < 8; bit++) {
      const carry = l & 1;
      l = (l >>> 1) | (h << 31);
      h >>>= 1;
      if (carry) {
        h ^= polyHi;
        l ^= polyLo;
      }
    }
    hi[n] = h;
    lo[n] = l;
  }
  for (let n = 256; n < 8 * 256; n++) {
    const h = hi[n - 256] as number;
    const l = lo[n - 256] as number;
    const t = l & 0xff;
    lo[n] = ((l >>> 8) | (h << 24)) ^ (lo[t] as number);
    hi[n] = (h >>> 8) ^ (hi[t] as number);
  }
  return { hi, lo };
}

export class Crc64Nvme {
  private hi = 0xffffffff;
  private lo = 0xffffffff;

  update(bytes: Uint8Array): void {
    let h = this.hi;
    let l = this.lo;
    let i = 0;
    // Typed arrays yield no undefined within bounds, and V8 inlines these.
    const at = (n: number) => bytes[n] as number;
    const T = (n: number) => tableHi[n] as number;
    const U = (n: number) => tableLo[n] as number;
    const whole = bytes.length - (bytes.length % 8);
    for (; i < whole; i += 8) {
      const a = 1792 + ((l ^ at(i)) & 0xff);
      const b = 1536 + (((l >>> 8) ^ at(i + 1)) & 0xff);
      const c = 1280 + (((l >>> 16) ^ at(i + 2)) & 0xff);
      const d = 1024 + (((l >>> 24) ^ at(i + 3)) & 0xff);
      const e = 768 + ((h ^ at(i + 4)) & 0xff);
      const f = 512 + (((h >>> 8) ^ at(i + 5)) & 0xff);
      const g = 256 + (((h >>> 16) ^ at(i + 6)) & 0xff);
      const k = ((h >>> 24) ^ at(i + 7)) & 0xff;
      h = T(a) ^ T(b) ^ T(c) ^ T(d) ^ T(e) ^ T(f) ^ T(g) ^ T(k);
      l = U(a) ^ U(b) ^ U(c) ^ U(d) ^ U(e) ^ U(f) ^ U(g) ^ U(k);
    }
    for (; i < bytes.length; i++) {
      const t = (l ^ at(i)) & 0xff;
      l = ((l >>> 8) | (h << 24)) ^ U(t);
      h = (h >>> 8) ^ T(t);
    }
    this.hi = h;
    this.lo = l;
  }

  /** Eight bytes, the highest first. */
  digest(): Uint8Array {
    const out = new Uint8Array(8);
    const view = new DataView(out.buffer);
    view.setUint32(0, ~this.hi >>> 0);
    view.setUint32(4, ~this.lo >>> 0);
    return out;
  }
}
