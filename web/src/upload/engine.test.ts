import { describe, expect, test, vi } from 'vitest';
import { ApiError, Code } from '@/api/error';
import { seeded, TestClock } from '@/test/clock';
import { FakeServer, type Fault, known, testHasher } from '@/test/fake-server';
import { Engine } from './engine';
import type { Job } from './job';
import type { Upload } from './server';

const chunk = 8;

function setup(options: { chunkSize?: number; latency?: () => number } = {}) {
  const clock = new TestClock();
  const server = new FakeServer(clock, options.chunkSize ?? chunk, options.latency);
  const engine = newEngine(server, clock);
  return { clock, server, engine };
}

/** Another page, or another device: it shares nothing but the server. */
function newEngine(server: FakeServer, clock: TestClock, seed = 7): Engine {
  return new Engine({ server, hasher: testHasher(clock), clock, random: seeded(seed) });
}

async function makeFile(size: number, seed = size + 1, name = `f${size}.bin`, modified = 1234) {
  const random = seeded(seed);
  const bytes = await known(Uint8Array.from({ length: size }, () => random() * 256));
  return { bytes, file: new File([bytes], name, { lastModified: modified }) };
}

function entry(file: File, folder: string[] = []) {
  return { file, folder, name: file.name };
}

const ended = (engine: Engine) => () => !engine.busy;
const only = (jobs: Job[]) => jobs[0]!;

describe('a file arrives whole', () => {
  const sizes = [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 7 * chunk + 3];
  test.each(sizes)('of %i bytes', async (size) => {
    const { clock, server, engine } = setup();
    const { bytes, file } = await makeFile(size);
    const job = only(engine.add([entry(file, ['a', 'b%c'])]));
    await clock.until(ended(engine));
    expect(job).toMatchObject({ state: 'done', verified: true, sent: size, confirmed: size });
    expect(server.files.get(`a/b%c/${file.name}`)?.bytes).toEqual(bytes);
    expect(server.countOf('send')).toBe(Math.max(1, Math.ceil(size / chunk)));
  });

  test('in one request when the session has no chunk size', async () => {
    const { clock, server, engine } = setup({ chunkSize: 0 });
    const { file } = await makeFile(100);
    engine.add([entry(file)]);
    await clock.until(ended(engine));
    expect(server.countOf('send')).toBe(1);
  });

  test('an empty folder is made', async () => {
    const { clock, server, engine } = setup();
    engine.add([{ file: undefined, folder: ['x'], name: 'empty' }]);
    await clock.until(ended(engine));
    expect(server.folders).toContain('x/empty');
  });
});

describe('work at once', () => {
  test('at most three files of three chunks', async () => {
    const { clock, server, engine } = setup();
    const files = await Promise.all([...Array(9).keys()].map((i) => makeFile(90, i, `${i}`)));
    engine.add(files.map((f) => entry(f.file)));
    await clock.until(ended(engine));
    expect(server.mostFilesAtOnce).toBeLessThanOrEqual(3);
    expect(server.mostChunksAtOnce).toBe(3);
  });

  test('no more chunks of all files than the connections allow', async () => {
    const clock = new TestClock();
    const server = new FakeServer(clock, chunk);
    const hasher = testHasher(clock);
    const engine = new Engine({ server, hasher, clock, random: seeded(1), sendsAtOnce: 4 });
    const files = await Promise.all([...Array(9).keys()].map((i) => makeFile(90, i, `${i}`)));
    const jobs = engine.add(files.map((f) => entry(f.file)));
    await clock.until(() => server.countOf('send') > 20);
    engine.hold('paused');
    await clock.pass(5000);
    engine.release('paused');
    await clock.until(ended(engine));
    expect(jobs.every((j) => j.verified)).toBe(true);
    expect(server.mostSendsAtOnce).toBe(4);
    expect(server.wasted).toEqual([]);
  });

  test('one chunk at a time when the storage says so', async () => {
    const { clock, server, engine } = setup();
    server.concurrency = 1;
    engine.add([entry((await makeFile(90)).file)]);
    await clock.until(ended(engine));
    expect(server.mostChunksAtOnce).toBe(1);
  });

  test('five thousand files tell the page at most five times a second', async () => {
    const { clock, server, engine } = setup();
    const files = await Promise.all([...Array(5000).keys()].map((i) => makeFile(4, i, `${i}`)));
    let told = 0;
    engine.subscribe(() => told++);
    const from = clock.now();
    engine.add(files.map((f) => entry(f.file)));
    await clock.until(ended(engine));
    const seconds = (clock.now() - from) / 1000;
    expect(engine.summary()).toMatchObject({ done: 5000, verified: 5000, confirmed: 20000 });
    expect(told).toBeLessThanOrEqual(5 * seconds + 1);
    expect(server.files.size).toBe(5000);
  }, 60_000);
});

/** Applies `fault` to the n-th request of a kind, once. */
function once(op: string, n: number, fault: Fault) {
  let seen = 0;
  return (o: string): Fault => (o === op && ++seen === n ? fault : 'none');
}

describe('faults on the way', () => {
  const faults: Fault[] = ['cut', 'late', 'gateway', 'io', 'flip', { code: -1 }, { status: 500 }];
  for (const fault of faults)
    for (const op of ['create', 'send', 'show'])
      for (const n of op === 'send' ? [1, 2, 4] : [1])
        test(`${JSON.stringify(fault)} at ${op} ${n} loses nothing`, async () => {
          const { clock, server, engine } = setup();
          const { bytes, file } = await makeFile(4 * chunk);
          server.fault = once(op, n, fault);
          const job = only(engine.add([entry(file)]));
          await clock.until(ended(engine));
          expect(job).toMatchObject({ state: 'done', verified: true, problem: undefined });
          expect(server.files.get(file.name)?.bytes).toEqual(bytes);
          expect(server.wasted).toEqual([]);
          expect(server.sessions.size).toBe(1);
          // What arrived although its answer was lost is asked for, not sent again.
          const lost = op === 'send' && fault !== 'late';
          expect(server.countOf('send')).toBe(lost ? 5 : 4);
        });

  test('a lost answer to the last chunk is success when the server forgets sessions', async () => {
    const { clock, server, engine } = setup();
    server.remembers = false;
    const { bytes, file } = await makeFile(chunk);
    server.fault = once('send', 1, 'late');
    const job = only(engine.add([entry(file)]));
    await clock.until(ended(engine));
    // Its size and date agree, but nobody compared the bytes.
    expect(job).toMatchObject({ state: 'done', verified: false });
    expect(server.files.get(file.name)?.bytes).toEqual(bytes);
    expect(server.countOf('create')).toBe(1);
  });

  test('a lost answer to a create is found out even if the list was read just before', async () => {
    const { clock, server, engine } = setup();
    const names = ['a', 'b'];
    for (const name of names) server.files.set(name, { bytes: new Uint8Array(3), updatedAt: 1 });
    const made = await Promise.all([...names, 'c'].map((n, i) => makeFile(chunk, i, n, 50 + i)));
    const jobs = engine.add(made.slice(0, 2).map((m) => entry(m.file)));
    await clock.until(ended(engine)); // both asked the list, and are questions now
    server.fault = once('create', 1, 'late');
    jobs.push(...engine.add([entry(made[2]!.file)]));
    await clock.until(ended(engine));
    expect(jobs.map((j) => j.state)).toEqual(['conflict', 'conflict', 'done']);
  });

  test('waits 1, 2, 4 … 30 s, and goes on when the line is back', async () => {
    const { clock, server, engine } = setup();
    let down = true;
    server.fault = () => (down ? 'cut' : 'none');
    const job = only(engine.add([entry((await makeFile(chunk)).file)]));
    await clock.pass(200_000);
    expect(job.state).toBe('retrying');
    expect(job.problem?.retryAt).toBeGreaterThan(clock.now());
    const at = server.calls.filter((c) => c.op === 'create').map((c) => c.at);
    const gaps = at.slice(1).map((t, i) => (t - at[i]!) / 1000);
    expect(gaps.length).toBeGreaterThan(6);
    gaps.forEach((gap, i) => {
      const ideal = Math.min(30, 2 ** i);
      expect(gap).toBeGreaterThan(ideal * 0.79);
      expect(gap).toBeLessThan(Math.min(30, ideal * 1.2) + 0.2);
    });
    down = false;
    await clock.until(ended(engine));
    expect(job.state).toBe('done');
  });

  test('Retry-After is waited out', async () => {
    const { clock, server, engine } = setup();
    server.fault = once('send', 1, { status: 503, retryAfterMs: 45_000 });
    engine.add([entry((await makeFile(chunk)).file)]);
    await clock.until(ended(engine));
    const [first, second] = server.calls.filter((c) => c.op === 'send');
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(45_000);
  });

  test('"try now" ends the wait', async () => {
    const { clock, server, engine } = setup();
    server.fault = once('send', 1, { status: 503, retryAfterMs: 3_600_000 });
    const job = only(engine.add([entry((await makeFile(chunk)).file)]));
    await clock.until(() => job.state === 'retrying');
    engine.tryNow();
    await clock.until(ended(engine), 60_000);
    expect(job.state).toBe('done');
  });

  test('a failure that lasts becomes a question, and another try goes on from there', async () => {
    const { clock, server, engine } = setup();
    let full = true;
    server.fault = (op, part) => (full && op === 'send' && part!.index === 3 ? 'io' : 'none');
    const { bytes, file } = await makeFile(4 * chunk);
    const job = only(engine.add([entry(file)]));
    await clock.until(ended(engine));
    expect(job).toMatchObject({ state: 'failed', confirmed: 3 * chunk });
    expect(job.problem?.error?.code).toBe(Code.io);
    full = false;
    engine.proceed(job);
    await clock.until(ended(engine));
    expect(job.state).toBe('done');
    expect(server.wasted).toEqual([]);
    expect(server.files.get(file.name)?.bytes).toEqual(bytes);
  });

  test.each([Code.quota, Code.name, Code.tooLarge, Code.forbidden])(
    'code %i is told at once, without tries',
    async (code) => {
      const { clock, server, engine } = setup();
      server.fault = once('create', 1, { code });
      const job = only(engine.add([entry((await makeFile(chunk)).file)]));
      await clock.until(ended(engine));
      expect(job.problem?.error).toMatchObject({ code, correlationId: 'test' });
      expect(server.countOf('create')).toBe(1);
    },
  );
});

describe('stopping and going on', () => {
  test('pause stops sending; going on sends no confirmed chunk again', async () => {
    const { clock, server, engine } = setup();
    const { bytes, file } = await makeFile(20 * chunk);
    const job = only(engine.add([entry(file)]));
    await clock.until(() => job.held.size >= 5);
    engine.pause(job);
    await clock.until(() => job.state === 'paused');
    const sent = server.countOf('send');
    expect(job.sent).toBe(job.confirmed);
    await clock.pass(60_000);
    expect(server.countOf('send')).toBe(sent);
    engine.proceed(job);
    await clock.until(ended(engine));
    expect(job).toMatchObject({ state: 'done', verified: true });
    expect(server.wasted).toEqual([]);
    expect(server.files.get(file.name)?.bytes).toEqual(bytes);
  });

  test('offline holds everything; online goes on by itself', async () => {
    const { clock, server, engine } = setup();
    const files = await Promise.all([1, 2, 3, 4].map((i) => makeFile(10 * chunk, i, `${i}`)));
    engine.add(files.map((f) => entry(f.file)));
    await clock.until(() => engine.summary().confirmed > 3 * chunk);
    engine.hold('offline');
    await clock.pass(1000);
    const calls = server.calls.length;
    await clock.pass(100_000);
    expect(server.calls.length).toBe(calls);
    expect(engine.summary()).toMatchObject({ hold: 'offline', bytesPerSecond: 0 });
    engine.release('offline');
    await clock.until(ended(engine));
    expect(engine.summary()).toMatchObject({ done: 4, verified: 4 });
    expect(server.wasted).toEqual([]);
  });

  test('an ended sign-in holds everything until the next one', async () => {
    const { clock, server, engine } = setup();
    const { bytes, file } = await makeFile(10 * chunk);
    const job = only(engine.add([entry(file)]));
    await clock.until(() => job.held.size >= 3);
    server.signedIn = false;
    await clock.until(() => engine.summary().hold === 'signedOut');
    await clock.pass(5000);
    expect(job.state).toBe('waiting');
    server.signedIn = true;
    engine.release('signedOut');
    await clock.until(ended(engine));
    expect(job).toMatchObject({ state: 'done', verified: true });
    expect(server.wasted).toEqual([]);
    expect(server.files.get(file.name)?.bytes).toEqual(bytes);
  });

  test('cancel takes back what was sent', async () => {
    const { clock, server, engine } = setup();
    const job = only(engine.add([entry((await makeFile(10 * chunk)).file)]));
    await clock.until(() => job.held.size >= 2);
    void engine.cancel(job);
    await clock.until(() => server.countOf('discard') === 1);
    await clock.pass(1000);
    expect([...server.sessions.values()].map((s) => s.state)).toEqual(['aborted']);
    expect(engine.summary()).toMatchObject({ files: 0, bytes: 0, sent: 0, confirmed: 0 });
  });

  test('cancel while the session is being made leaves none behind', async () => {
    const { clock, server, engine } = setup({ latency: () => 100 });
    const job = only(engine.add([entry((await makeFile(chunk)).file)]));
    await clock.until(() => server.sessions.size === 1);
    expect(job.sessionId).toBeUndefined();
    void engine.cancel(job);
    await clock.until(() => [...server.sessions.values()].every((s) => s.state === 'aborted'));
  });

  test('a session that vanished is begun anew', async () => {
    const { clock, server, engine } = setup();
    const { bytes, file } = await makeFile(6 * chunk);
    const job = only(engine.add([entry(file)]));
    await clock.until(() => job.held.size >= 2);
    for (const s of server.sessions.values()) s.state = 'expired';
    await clock.until(ended(engine));
    expect(job).toMatchObject({ state: 'done', verified: true, confirmed: 6 * chunk });
    expect(server.files.get(file.name)?.bytes).toEqual(bytes);
  });

  test('a file that cannot be read any more says so', async () => {
    const { clock, engine } = setup();
    const { file } = await makeFile(2 * chunk);
    file.slice = () => {
      throw new DOMException('gone', 'NotReadableError');
    };
    const job = only(engine.add([entry(file)]));
    await clock.until(ended(engine));
    expect(job.problem).toEqual({ local: 'unreadable' });
  });
});

describe('another page or device goes on', () => {
  async function half() {
    const { clock, server, engine } = setup();
    const made = await makeFile(10 * chunk + 3);
    const job = only(engine.add([entry(made.file, ['d'])]));
    await clock.until(() => job.held.size >= 6);
    engine.hold('paused'); // the window is closed
    await clock.pass(1000);
    server.told.clear();
    server.calls.length = 0;
    return { clock, server, held: job.held.size, second: newEngine(server, clock, 9), ...made };
  }

  test('with the upload chosen from the list', async () => {
    const { clock, server, second, held, bytes, file } = await half();
    const [upload] = await listed(clock, second);
    const job = second.resume(entry(file, ['d']), upload!);
    await clock.until(ended(second));
    expect(job).toMatchObject({ state: 'done', verified: true, resumed: true });
    expect(server.countOf('send')).toBe(11 - held);
    expect(server.countOf('create')).toBe(0);
    expect(server.files.get(`d/${file.name}`)?.bytes).toEqual(bytes);
  });

  test('by dropping the same file again, without a question', async () => {
    const { clock, server, second, held, bytes, file } = await half();
    const job = only(second.add([entry(file, ['d'])]));
    await clock.until(ended(second));
    expect(job).toMatchObject({ state: 'done', verified: true, resumed: true });
    expect(server.countOf('send')).toBe(11 - held);
    expect(server.files.get(`d/${file.name}`)?.bytes).toEqual(bytes);
  });

  test('but not with another content of the same name, size and date', async () => {
    const { clock, server, second, file } = await half();
    const other = await makeFile(10 * chunk + 3, 99, file.name);
    const job = only(second.add([entry(other.file, ['d'])]));
    await clock.until(ended(second));
    expect(job.state).toBe('conflict');
    expect(job.conflict?.unfinished).toBeDefined();
    expect(server.countOf('send')).toBe(0);
    second.decide(job, 'replace', false);
    await clock.until(ended(second));
    expect(server.files.get(`d/${file.name}`)?.bytes).toEqual(other.bytes);
  });

  test('nor with such a content chosen for an upload of the list', async () => {
    const { clock, server, second, file } = await half();
    const [upload] = await listed(clock, second);
    const other = await makeFile(10 * chunk + 3, 99, file.name);
    const job = second.resume(entry(other.file, ['d']), upload!);
    await clock.until(ended(second));
    expect(job).toMatchObject({ state: 'failed', problem: { local: 'mismatch' } });
    expect(server.countOf('send')).toBe(0);
  });

  test('a different file of that name is a question; "replace" drops the unfinished one', async () => {
    const { clock, server, second, file } = await half();
    const other = await makeFile(5, 5, file.name, 999);
    const job = only(second.add([entry(other.file, ['d'])]));
    await clock.until(ended(second));
    expect(job.state).toBe('conflict');
    expect(job.conflict?.unfinished).toBeDefined();
    second.decide(job, 'replace', false);
    await clock.until(ended(second));
    expect(job.state).toBe('done');
    expect(server.files.get(`d/${file.name}`)?.bytes).toEqual(other.bytes);
  });
});

async function listed(clock: TestClock, engine: Engine): Promise<Upload[]> {
  let uploads: Upload[] = [];
  void engine.unfinished().then((u) => {
    uploads = u;
  });
  await clock.until(() => uploads.length > 0);
  return uploads;
}

describe('a taken name', () => {
  async function taken(names: string[]) {
    const s = setup();
    for (const name of names) s.server.files.set(name, { bytes: new Uint8Array(3), updatedAt: 1 });
    const made = await Promise.all(names.map((n, i) => makeFile(chunk + i, i, n, 5000 + i)));
    const jobs = s.engine.add(made.map((m) => entry(m.file)));
    await s.clock.until(ended(s.engine));
    return { ...s, jobs, made };
  }

  test('is a question that names what is there', async () => {
    const { jobs } = await taken(['a.txt']);
    expect(only(jobs)).toMatchObject({ state: 'conflict', conflict: { existing: { size: 3 } } });
  });

  test('replace', async () => {
    const { clock, server, engine, jobs, made } = await taken(['a.txt']);
    engine.decide(only(jobs), 'replace', false);
    await clock.until(ended(engine));
    expect(server.files.get('a.txt')?.bytes).toEqual(made[0]!.bytes);
  });

  test('keep both finds the next free number', async () => {
    const { clock, server, engine, jobs } = await taken(['a.txt']);
    server.files.set('a (2).txt', { bytes: new Uint8Array(1), updatedAt: 1 });
    engine.decide(only(jobs), 'keep', false);
    await clock.until(ended(engine));
    expect([...server.files.keys()]).toEqual(['a.txt', 'a (2).txt', 'a (3).txt']);
    expect(server.files.get('a.txt')?.bytes.length).toBe(3);
  });

  test('skip leaves it alone', async () => {
    const { clock, server, engine, jobs } = await taken(['a.txt']);
    engine.decide(only(jobs), 'skip', false);
    await clock.until(ended(engine));
    expect(only(jobs).state).toBe('skipped');
    expect(server.files.get('a.txt')?.bytes.length).toBe(3);
  });

  test('one answer for all of the batch, those to come included', async () => {
    const { clock, server, engine, jobs } = await taken(['a', 'b', 'c', 'd', 'e']);
    engine.decide(only(jobs), 'replace', true);
    await clock.until(ended(engine));
    expect(jobs.map((j) => j.state)).toEqual(Array(5).fill('done'));
    server.files.set('f', { bytes: new Uint8Array(3), updatedAt: 1 });
    const [later] = engine.add([entry((await makeFile(4, 4, 'f')).file)], only(jobs).batch);
    const [stranger] = engine.add([entry((await makeFile(5, 4, 'a')).file)]);
    await clock.until(ended(engine));
    expect([later!.state, stranger!.state]).toEqual(['done', 'conflict']);
  });

  test('by a folder cannot be replaced', async () => {
    const { clock, server, engine } = setup();
    server.folders.add('a');
    const job = only(engine.add([entry((await makeFile(4, 4, 'a')).file)]));
    await clock.until(ended(engine));
    expect(job.problem).toEqual({ local: 'folder' });
  });

  test('locked by something else can be unlocked', async () => {
    const { clock, server, engine } = setup();
    const data = [{ token: 't1', owner: { application: { type: 'rename' } }, type: 0 }];
    server.fault = once('create', 1, { code: Code.locked, data });
    const job = only(engine.add([entry((await makeFile(4)).file)]));
    await clock.until(ended(engine));
    expect(job).toMatchObject({ state: 'locked', lock: { by: 'rename', tokens: ['t1'] } });
    void engine.unlock(job);
    await clock.until(() => job.state === 'done');
    expect(server.unlocked).toEqual(['t1']);
  });
});

test.each([...Array(60).keys()])('anything may go wrong, no byte does (seed %i)', async (seed) => {
  const random = seeded(seed * 7919 + 1);
  const pick = <T>(of: T[]): T => of[Math.floor(random() * of.length)]!;
  const { clock, server, engine } = setup({ latency: () => random() * 400 });
  server.remembers = seed % 4 !== 0;
  server.concurrency = pick([undefined, 1, 2, 8]);
  const sizes = [0, 1, chunk - 1, chunk, chunk + 1, 5 * chunk, 9 * chunk + 2];
  const files = await Promise.all(
    [...Array(8).keys()].map((i) => makeFile(pick(sizes), seed * 100 + i, `n${i}`, 7000 + i)),
  );
  const rate = random() * 0.4;
  let trouble = true;
  server.fault = () => {
    if (!trouble || random() > rate) return 'none';
    return pick<Fault>([
      'cut',
      'late',
      'gateway',
      'io',
      'flip',
      { status: 503, retryAfterMs: 700 },
    ]);
  };
  const jobs = engine.add(files.map((f, i) => entry(f.file, [`d${i % 2}`])));
  for (let step = 0; step < 25; step++) {
    await clock.pass(random() * 3000);
    const job = pick(jobs);
    const act = pick(['pause', 'proceed', 'offline', 'online', 'signOut', 'signIn', 'tryNow', '-']);
    if (act === 'pause') engine.pause(job);
    else if (act === 'proceed') engine.proceed(job);
    else if (act === 'offline') engine.hold('offline');
    else if (act === 'online') engine.release('offline');
    else if (act === 'signOut') server.signedIn = false;
    else if (act === 'signIn') server.signedIn = true;
    else if (act === 'tryNow') engine.tryNow();
  }
  trouble = false;
  server.signedIn = true;
  await clock.pass(1000);
  for (let round = 0; round < 5; round++) {
    engine.release('offline');
    engine.release('signedOut');
    for (const job of jobs) engine.proceed(job);
    await clock.pass(60_000);
  }
  expect(jobs.map((j) => j.state)).toEqual(jobs.map(() => 'done'));
  expect(server.wasted).toEqual([]);
  for (const [i, { bytes, file }] of files.entries())
    expect(server.files.get(`d${i % 2}/${file.name}`)?.bytes).toEqual(bytes);
  const total = files.reduce((sum, f) => sum + f.bytes.length, 0);
  expect(engine.summary()).toMatchObject({ files: 8, done: 8, sent: total, confirmed: total });
});

describe('chunks that go past the server', () => {
  async function begun() {
    const { clock, server, engine } = setup();
    server.straight = true;
    const made = await makeFile(10 * chunk + 3);
    const job = only(engine.add([entry(made.file)]));
    await clock.until(() => job.held.size >= 6);
    engine.hold('paused');
    await clock.pass(1000);
    return { clock, server, engine, job, held: job.held.size, ...made };
  }

  test('are not sent again when the file is dropped again', async () => {
    const { clock, server, held, bytes, file } = await begun();
    server.told.clear();
    server.calls.length = 0;
    const second = newEngine(server, clock, 9);
    const job = only(second.add([entry(file)]));
    await clock.until(ended(second));
    expect(job).toMatchObject({ state: 'done', verified: true, resumed: true });
    expect(server.countOf('send')).toBe(11 - held);
    expect(server.countOf('create')).toBe(1);
    expect(server.files.get(file.name)?.bytes).toEqual(bytes);
  });

  test('are compared as a whole at the end, whoever began', async () => {
    const { clock, server, engine } = setup();
    server.straight = true;
    const { file } = await makeFile(3 * chunk);
    engine.add([entry(file)]);
    await clock.until(() => server.sessions.size === 1);
    engine.hold('paused');
    await clock.pass(1000);
    const second = newEngine(server, clock, 9);
    const job = only(second.add([entry(file)]));
    await clock.until(ended(second));
    expect(job).toMatchObject({ state: 'done', verified: true, resumed: true });
  });

  test('are read once, and what is stored is compared with what was read', async () => {
    const { clock, server } = setup();
    server.straight = true;
    const hasher = testHasher(clock);
    const whole = vi.spyOn(hasher, 'file');
    const engine = new Engine({ server, hasher, clock, random: seeded(3) });
    const { file } = await makeFile(7 * chunk + 3);
    const job = only(engine.add([entry(file)]));
    await clock.until(ended(engine));
    expect(job).toMatchObject({ state: 'done', verified: true });
    server.fault = once('send', 2, 'flip');
    const other = only(engine.add([entry((await makeFile(5 * chunk)).file)]));
    await clock.until(ended(engine));
    expect(other).toMatchObject({ state: 'failed', problem: { local: 'mismatch' } });
    expect(whole).not.toHaveBeenCalled();
  });

  test('are sent again when the storage has lost them', async () => {
    const { clock, server, engine, job, bytes, file } = await begun();
    const session = server.sessions.get('s1');
    const lost = [...job.held].slice(0, 2);
    for (const index of lost) session?.held.delete(index);
    server.told.clear();
    server.calls.length = 0;
    engine.release('paused');
    await clock.until(ended(engine));
    expect(job).toMatchObject({ state: 'done', verified: true, sent: file.size });
    const sent = server.calls.filter((c) => c.op === 'send').map((c) => c.index);
    expect(sent).toEqual(expect.arrayContaining(lost));
    expect(server.files.get(file.name)?.bytes).toEqual(bytes);
  });

  test('are counted once, however often the storage is asked', async () => {
    const { clock, engine, job } = await begun();
    const { confirmed } = job;
    engine.release('paused');
    await clock.until(() => job.confirmed > confirmed);
    engine.hold('paused');
    await clock.pass(1000);
    expect(engine.summary()).toMatchObject({ sent: job.sent, confirmed: job.confirmed });
    engine.release('paused');
    await clock.until(ended(engine));
    expect(engine.summary()).toMatchObject({ sent: job.size, confirmed: job.size, done: 1 });
  });

  test('say why they go through it after all', async () => {
    const { clock, server, engine } = setup();
    const detour = new ApiError({ kind: 'network', correlationId: '' });
    const create = server.create.bind(server);
    server.create = async (...args) => ({ ...(await create(...args)), detour });
    const job = only(engine.add([entry((await makeFile(chunk)).file)]));
    await clock.until(ended(engine));
    expect(job.story).toContainEqual({ at: expect.any(Number), what: 'detour', error: detour });
  });
});
