import { expect, test } from 'vitest';
import { Code } from '@/api/error';
import { seeded, TestClock } from '@/test/clock';
import { FakeServer, type Fault, known, testHasher } from '@/test/fake-server';
import { Engine } from './engine';

const KiB = 1024;

function setUp() {
  const clock = new TestClock();
  const server = new FakeServer(clock, 1024 * KiB);
  server.batch = server.takeBatch;
  const page = () => new Engine({ server, hasher: testHasher(clock), clock, random: seeded(5) });
  return { clock, server, page };
}

async function makeFiles(count: number, size: number, folder: string[] = []) {
  const random = seeded(count + size);
  return Promise.all(
    [...Array(count).keys()].map(async (i) => {
      const bytes = await known(Uint8Array.from({ length: size }, () => random() * 256));
      const file = new File([bytes], `f${i}`, { lastModified: 77 });
      return { file, folder, name: file.name, bytes };
    }),
  );
}

test('a thousand small files take a few requests, and each is verified', async () => {
  const { clock, server, page } = setUp();
  const files = await makeFiles(1000, 10, ['d']);
  const engine = page();
  const jobs = engine.add(files);
  await clock.until(() => !engine.busy);
  expect(engine.summary()).toMatchObject({ done: 1000, verified: 1000, confirmed: 10_000 });
  expect(jobs[7]?.digest).toMatch(/^crc64nvme=:/);
  for (const { name, bytes } of files) expect(server.files.get(`d/${name}`)?.bytes).toEqual(bytes);
  expect(server.countOf('batch')).toBe(4);
  expect(server.countOf('create')).toBe(0);
});

test('large files, and a small one among them, go alone', async () => {
  const { clock, server, page } = setUp();
  const engine = page();
  engine.add([...(await makeFiles(2, 300 * KiB)), ...(await makeFiles(1, 10, ['x']))]);
  await clock.until(() => !engine.busy);
  expect([server.countOf('create'), server.countOf('batch')]).toEqual([3, 0]);
});

const faults: Fault[] = ['cut', 'late', 'half', 'gateway', { status: 500 }, { code: Code.io }];
test.each(faults.map((f) => [JSON.stringify(f), f] as const))(
  'a batch that ends with %s loses nothing and asks nothing',
  async (_, fault) => {
    const { clock, server, page } = setUp();
    const files = await makeFiles(50, 20);
    let seen = 0;
    server.fault = (op) => (op === 'batch' && ++seen <= 2 ? fault : 'none');
    const engine = page();
    const jobs = engine.add(files);
    await clock.until(() => !engine.busy);
    expect(jobs.map((j) => j.state)).toEqual(jobs.map(() => 'done'));
    expect(jobs.every((j) => j.verified && !j.problem)).toBe(true);
    for (const { name, bytes } of files) expect(server.files.get(name)?.bytes).toEqual(bytes);
    expect(server.countOf('create')).toBe(0);
  },
);

test('a name that is taken is a question; the others arrive', async () => {
  const { clock, server, page } = setUp();
  const files = await makeFiles(20, 20);
  server.files.set('f3', { bytes: new Uint8Array([1]), updatedAt: 1 });
  const engine = page();
  const jobs = engine.add(files);
  await clock.until(() => !engine.busy);
  expect(jobs.filter((j) => j.state === 'done').length).toBe(19);
  expect(jobs[3]).toMatchObject({ state: 'conflict', conflict: { existing: { size: 1 } } });
});

test('a server without the door is asked once', async () => {
  const { clock, server, page } = setUp();
  server.batch = async () => {
    server.calls.push({ op: 'batch', at: clock.now() });
    return false;
  };
  const engine = page();
  engine.add(await makeFiles(30, 20));
  await clock.until(() => !engine.busy);
  expect(engine.summary()).toMatchObject({ done: 30, verified: 30 });
  expect([server.countOf('batch'), server.countOf('create')]).toEqual([1, 30]);
});

test('a proxy that refuses the batch gets smaller ones', async () => {
  const { clock, server, page } = setUp();
  const most = 200 * KiB;
  server.fault = (op, part) =>
    op === 'batch' && part && part.body.size > most ? { status: 413 } : 'none';
  const engine = page();
  engine.add(await makeFiles(30, 30 * KiB));
  await clock.until(() => !engine.busy);
  expect(engine.summary()).toMatchObject({ done: 30, verified: 30 });
  expect(server.countOf('batch')).toBeGreaterThan(4);
  expect(server.countOf('create')).toBe(0);
});

test('paused, offline and cancelled batches end at once, and go on', async () => {
  const { clock, server, page } = setUp();
  server.fault = (op) => (op === 'batch' && server.countOf('batch') < 2 ? 'cut' : 'none');
  const engine = page();
  const jobs = engine.add(await makeFiles(40, 20));
  await clock.until(() => jobs[0]?.state === 'retrying');
  engine.hold('offline');
  await clock.pass(100);
  expect(jobs.every((j) => j.state === 'waiting')).toBe(true);
  engine.release('offline');
  await clock.pass(1);
  await engine.cancel(jobs[5] as (typeof jobs)[0]);
  await clock.until(() => !engine.busy);
  expect(engine.summary()).toMatchObject({ files: 39, done: 39, verified: 39 });
});
