import { describe, expect, test } from 'vitest';
import { seeded } from '@/test/clock';
import { combine } from './combine';
import { compute } from './compute';

const random = seeded(5);
const noise = (size: number) => Uint8Array.from({ length: size }, () => random() * 256);
const crcOf = (bytes: Uint8Array<ArrayBuffer>) =>
  compute({ id: 0, what: 'file', body: new Blob([bytes]) });

async function cut(bytes: Uint8Array<ArrayBuffer>, ends: number[]) {
  const parts = [];
  let from = 0;
  for (const to of [...ends, bytes.length]) {
    parts.push({ crc: await crcOf(bytes.slice(from, to)), length: to - from });
    from = to;
  }
  return parts;
}

describe('the digest of a whole', () => {
  test.each([[[]], [[1]], [[4096]], [[0, 0]], [[1, 2, 3, 4]], [[1000, 2000, 3000]], [[4095]]])(
    'is that of its parts, cut at %j',
    async (ends) => {
      const bytes = noise(4096);
      expect(combine(await cut(bytes, ends))).toBe(await crcOf(bytes));
    },
  );

  test('is that of any parts', async () => {
    for (let i = 0; i < 50; i++) {
      const bytes = noise(Math.floor(random() * 3000));
      const ends = Array.from({ length: Math.floor(random() * 6) }, () =>
        Math.floor(random() * (bytes.length + 1)),
      ).sort((a, b) => a - b);
      expect(combine(await cut(bytes, ends))).toBe(await crcOf(bytes));
    }
  });

  test('of nothing is that of no bytes', async () => {
    expect(combine([])).toBe(await crcOf(new Uint8Array()));
  });

  test('is another when parts change places', async () => {
    const [a, b] = await cut(noise(200), [100]);
    expect(combine([b!, a!])).not.toBe(combine([a!, b!]));
  });

  test('of many large parts takes no time', async () => {
    const crc = await crcOf(noise(10));
    const from = performance.now();
    combine(Array.from({ length: 10_000 }, () => ({ crc, length: 25 * 1024 ** 2 })));
    expect(performance.now() - from).toBeLessThan(2_000);
  });
});
