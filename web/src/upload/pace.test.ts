import { describe, expect, test } from 'vitest';
import { ApiError, Code } from '@/api/error';
import { seeded, TestClock } from '@/test/clock';
import { FakeServer, type Fault, known, testHasher } from '@/test/fake-server';
import { Engine } from './engine';
import { Pace } from './pace';
import { Parts, type Piece } from './parts';
import { gaps, type Range } from './plan';
import type { Part } from './server';

const bounds = { safe: 4, least: 2 };
const refused = new ApiError({ kind: 'status', status: 413, correlationId: 'x' });
const broken = new ApiError({ kind: 'network', correlationId: 'x' });

function memory() {
  let text: string | null = null;
  return {
    load: () => text,
    save: (t: string) => {
      text = t;
    },
  };
}

describe('how large a request may be', () => {
  test('starts safe and doubles while requests come through', () => {
    const pace = new Pace(() => 0);
    expect(pace.limit).toBe(960 * 1024);
    pace.passed(960 * 1024);
    pace.passed(960 * 1024); // was on its way before: says nothing of the new size
    expect(pace.limit).toBe(1920 * 1024);
    expect(pace.allowed).toBeUndefined();
  });

  test('halves when a proxy refuses, and does not come near that size again', () => {
    const pace = new Pace(() => 0, undefined, bounds);
    for (const size of [4, 8, 16]) pace.passed(size);
    expect(pace.failed(32, 0, refused)).toBe(true);
    expect(pace.limit).toBe(16);
    for (let i = 0; i < 9; i++) pace.passed(16);
    expect([pace.limit, pace.allowed]).toEqual([16, 16]);
  });

  test('a line that breaks halves it for a while; one that is down does not', () => {
    let now = 0;
    const pace = new Pace(() => now, undefined, bounds);
    expect(pace.failed(4, 0, broken)).toBe(false);
    expect(pace.failed(4, 1, broken)).toBe(true);
    pace.passed(2);
    expect(pace.limit).toBe(2);
    now = 61_000;
    pace.passed(2);
    expect([pace.limit, pace.allowed]).toEqual([4, undefined]);
  });

  test('never below the least, and the server’s own refusals say nothing of sizes', () => {
    const pace = new Pace(() => 0, undefined, bounds);
    expect(pace.failed(2, 2, refused)).toBe(false);
    const server = new ApiError({ kind: 'refused', code: Code.io, correlationId: 'x' });
    expect(pace.failed(4, 4, server)).toBe(false);
    expect(pace.limit).toBe(4);
  });

  test('is remembered for this server, for a week', () => {
    const kept = memory();
    new Pace(() => 0, kept, bounds).failed(4, 0, refused);
    expect(new Pace(() => 1000, kept, bounds)).toMatchObject({ limit: 2, allowed: 2 });
    expect(new Pace(() => 8 * 86_400_000, kept, bounds).limit).toBe(4);
    kept.save('not JSON');
    expect(new Pace(() => 0, kept, bounds).limit).toBe(4);
  });
});

test('every byte is claimed once, in pieces that lie where the server wants them', () => {
  const random = seeded(3);
  for (let round = 0; round < 300; round++) {
    const size = 1 + Math.floor(random() * 90);
    const plan = { size, chunkSize: 5 + Math.floor(random() * 20) };
    const align = 1 + Math.floor(random() * 4);
    const parts = new Parts(plan, align, new Set());
    const from = Math.floor((random() * size) / plan.chunkSize) * plan.chunkSize;
    const there: Range = [from, Math.min(size, from + align)];
    parts.takePieces(random() < 0.5 ? [there] : []);
    const sent: Range[] = parts.bytes() > 0 ? [there] : [];
    const lanes: Piece[] = [];
    for (;;) {
      const next = parts.claim(1 + Math.floor(random() * 30));
      if (next) lanes.push(next);
      if (!next && lanes.length === 0) break;
      if (next && lanes.length < 3) continue;
      const [lane] = lanes.splice(Math.floor(random() * lanes.length), 1);
      for (;;) {
        const piece = parts.within(lane as Piece, 1 + Math.floor(random() * 30));
        if (!piece) break;
        const [start, end] = piece.range;
        const chunk = piece.index * plan.chunkSize;
        expect((start - chunk) % align).toBe(0);
        expect(sent.every(([f, t]) => t <= start || end <= f)).toBe(true);
        sent.push(piece.range);
        parts.add(piece);
      }
      parts.release(lane as Piece);
    }
    expect(gaps([0, size], sent)).toEqual([]);
    expect(parts.bytes()).toBe(size);
  }
});

describe('a file behind a proxy', () => {
  const chunk = 64;
  const setUp = (kept = memory()) => {
    const clock = new TestClock();
    const server = new FakeServer(clock, chunk);
    server.pieceAlign = 1;
    const pace = new Pace(() => clock.now(), kept, bounds);
    const page = () =>
      new Engine({ server, hasher: testHasher(clock), clock, random: seeded(5), pace });
    return { clock, server, pace, page };
  };
  const makeFile = async (size: number) => {
    const random = seeded(size);
    const bytes = await known(Uint8Array.from({ length: size }, () => random() * 256));
    return { bytes, file: new File([bytes], 'f.bin', { lastModified: 99 }) };
  };
  /** A proxy that refuses bodies of more than `most`. */
  const proxy =
    (most: number) =>
    (_: string, part?: Part): Fault =>
      part && part.body.size > most ? { status: 413 } : 'none';

  test('that allows little arrives, verified, and nobody is asked anything', async () => {
    const { clock, server, pace, page } = setUp();
    const { bytes, file } = await makeFile(5 * chunk + 7);
    server.fault = proxy(10);
    const engine = page();
    const [job] = engine.add([{ file, folder: [], name: 'f.bin' }]);
    await clock.until(() => !engine.busy);
    expect(job).toMatchObject({ state: 'done', verified: true, confirmed: file.size });
    expect(server.files.get('f.bin')?.bytes).toEqual(bytes);
    expect(server.wasted).toEqual([]);
    expect([pace.limit, engine.summary().allowed]).toEqual([8, 8]);
    expect(job?.story.map((m) => m.what)).toContain('smaller');
  });

  test('that refuses everything is told, not tried for ever', async () => {
    const { clock, server, page } = setUp();
    server.fault = proxy(1);
    const engine = page();
    const [job] = engine.add([{ file: (await makeFile(9)).file, folder: [], name: 'f.bin' }]);
    await clock.until(() => !engine.busy);
    expect(job).toMatchObject({ state: 'failed', problem: { error: { status: 413 } } });
  });

  test('that breaks large requests off arrives; what came through is not sent again', async () => {
    const { clock, server, page } = setUp();
    const { bytes, file } = await makeFile(4 * chunk);
    let pieces = 0;
    server.fault = (_, part) => {
      if (!part) return 'none';
      if (part.body.size > 20) return 'cut';
      return ++pieces % 5 === 0 ? 'late' : 'none';
    };
    const engine = page();
    const [job] = engine.add([{ file, folder: [], name: 'f.bin' }]);
    await clock.until(() => !engine.busy);
    expect(job).toMatchObject({ state: 'done', verified: true });
    expect(server.files.get('f.bin')?.bytes).toEqual(bytes);
    expect(server.wasted).toEqual([]);
  });

  test('is gone on with by another page from the last piece', async () => {
    const { clock, server, page } = setUp();
    const { bytes, file } = await makeFile(6 * chunk);
    server.fault = proxy(4);
    const first = page();
    first.add([{ file, folder: [], name: 'f.bin' }]);
    await clock.until(() => server.countOf('send') > 40);
    first.hold('paused');
    await clock.pass(5000);
    const before = server.countOf('send');
    const held = server.sessions.get('s1')?.pieces.length ?? 0;
    expect(held).toBeGreaterThan(20);
    const second = page();
    const [job] = second.add([{ file, folder: [], name: 'f.bin' }]);
    await clock.until(() => !second.busy);
    expect(job).toMatchObject({ state: 'done', verified: true });
    expect(server.files.get('f.bin')?.bytes).toEqual(bytes);
    expect(server.countOf('send') - before).toBe((6 * chunk) / 4 - held);
  });

  test('without pieces gets whole chunks, as ever', async () => {
    const { clock, server, page } = setUp();
    server.pieceAlign = undefined;
    const engine = page();
    engine.add([{ file: (await makeFile(3 * chunk)).file, folder: [], name: 'f.bin' }]);
    await clock.until(() => !engine.busy);
    expect(server.countOf('send')).toBe(3);
  });
});
