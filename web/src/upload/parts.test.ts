import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import { seeded } from '@/test/clock';
import { compute } from './compute';
import { base64, Crc64Nvme } from './digest';
import { fromPicker } from './intake';
import { Meter } from './meter';
import { bytesOf, chunkCount, chunkRange, mergeRanges, receivedChunks } from './plan';
import { mismatch, pair } from './resume';
import type { Upload } from './server';

describe('plan', () => {
  test('the chunks of any file cover it once', () => {
    const random = seeded(1);
    for (let i = 0; i < 500; i++) {
      const plan = { size: Math.floor(random() * 100), chunkSize: Math.floor(random() * 20) };
      let at = 0;
      const all = new Set<number>();
      for (let c = 0; c < chunkCount(plan); c++) {
        const [from, to] = chunkRange(plan, c);
        expect(from).toBe(at);
        expect(to > from || plan.size === 0).toBe(true);
        at = to;
        all.add(c);
      }
      expect(at).toBe(plan.size);
      expect(bytesOf(plan, all)).toBe(plan.size);
    }
  });

  test('a chunk counts as received only if every byte of it is', () => {
    const random = seeded(2);
    for (let i = 0; i < 500; i++) {
      const plan = { size: 1 + Math.floor(random() * 60), chunkSize: Math.floor(random() * 12) };
      const ranges = Array.from({ length: 3 }, () => {
        const from = Math.floor(random() * plan.size);
        return [from, Math.min(plan.size, from + Math.floor(random() * 30))] as const;
      });
      const has = (b: number) => ranges.some(([from, to]) => from <= b && b < to);
      const expected = new Set<number>();
      for (let c = 0; c < chunkCount(plan); c++) {
        const [from, to] = chunkRange(plan, c);
        if ([...Array(to - from).keys()].every((k) => has(from + k))) expected.add(c);
      }
      expect(receivedChunks(plan, ranges)).toEqual(expected);
    }
  });

  test('ranges that touch become one', () => {
    expect(
      mergeRanges([
        [5, 9],
        [0, 2],
        [2, 4],
        [8, 12],
      ]),
    ).toEqual([
      [0, 4],
      [5, 12],
    ]);
  });
});

describe('digests', () => {
  const bytes = new TextEncoder().encode('123456789');

  test('CRC-64/NVME has the check value of its catalogue entry', () => {
    const crc = new Crc64Nvme();
    crc.update(bytes);
    expect(Buffer.from(crc.digest()).toString('hex')).toBe('ae8b14860a799888');
  });

  test('CRC-64/NVME is the same in whatever pieces it is fed', () => {
    const random = seeded(3);
    const data = Uint8Array.from({ length: 1000 }, () => random() * 256);
    const whole = new Crc64Nvme();
    whole.update(data);
    const parts = new Crc64Nvme();
    for (let at = 0; at < data.length; ) {
      const n = Math.floor(random() * 40);
      parts.update(data.subarray(at, at + n));
      at += n;
    }
    expect(base64(parts.digest())).toBe(base64(whole.digest()));
  });

  test('SHA-256 without the browser, for pages served by plain http', () => {
    expect(Buffer.from(sha256(bytes)).toString('hex')).toBe(
      '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
    );
  });

  test('SHA-256 of a chunk', async () => {
    const digest = await compute({ id: 1, what: 'chunk', body: new Blob([bytes]) });
    expect(digest).toBe('FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=');
  });
});

describe('meter', () => {
  test('tells a steady speed, and none after silence', () => {
    const meter = new Meter();
    let now = 0;
    for (; now < 20_000; now += 100) meter.add(1000, now);
    expect(meter.rate(now)).toBeGreaterThan(9_500);
    expect(meter.rate(now)).toBeLessThan(10_500);
    expect(meter.rate(now + 60_000)).toBeLessThan(1);
  });
});

describe('choosing the file of an unfinished upload again', () => {
  const upload = (uri: string, size: number, lastModified: number) =>
    ({ uri, size, lastModified, sessionId: uri, state: 'open' }) as Upload;
  const file = (name: string, size: number, lastModified: number) =>
    new File([new Uint8Array(size)], name, { lastModified });

  test('says what does not fit', () => {
    const u = upload('cloudreve://my/a%20b', 3, 10);
    expect(mismatch(file('a b', 3, 10), u)).toBeUndefined();
    expect(mismatch(file('a', 3, 10), u)).toBe('name');
    expect(mismatch(file('a b', 4, 10), u)).toBe('size');
    expect(mismatch(file('a b', 3, 11), u)).toBe('date');
    expect(mismatch(file('a b', 3, 11), upload('cloudreve://my/a%20b', 3, 0))).toBeUndefined();
  });

  test('pairs many at once, each upload with one file', () => {
    const uploads = [upload('cloudreve://my/x', 1, 1), upload('cloudreve://my/d/x', 1, 1)];
    const files = [file('y', 1, 1), file('x', 1, 1), file('x', 1, 1), file('x', 1, 1)];
    expect(pair(files, uploads).map(([, u]) => u.uri)).toEqual(uploads.map((u) => u.uri));
  });
});

test('a picked folder keeps its tree', async () => {
  const file = new File(['x'], 'c.txt');
  Object.defineProperty(file, 'webkitRelativePath', { value: 'a/b/c.txt' });
  const lots = [];
  for await (const lot of fromPicker([file], ['top'])) lots.push(...lot);
  expect(lots).toEqual([{ file, folder: ['top', 'a', 'b'], name: 'c.txt' }]);
});
