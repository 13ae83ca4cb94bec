import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiError, Code } from '@/api/error';
import { type Answer, FakeStore, type Fate, origin, refusal, tagOf } from '@/test/fake-store';
import type { Part, Same, Upload } from '../server';
import { barredAt, barredFor, type Kind, unbar } from './stores';
import { Way } from './straight';

const net = vi.hoisted(() => ({ store: undefined as unknown as FakeStore }));
vi.mock('@/api/operations', () => ({
  uploadAddresses: (...args: [string, number, boolean]) =>
    net.store.operations.uploadAddresses(...args),
  finishUpload: (...args: string[]) => net.store.operations.finishUpload(...args),
  discardUpload: (id: string) => net.store.operations.discardUpload(id),
}));

const uri = 'cloudreve://my/a.bin';
const content = 'aaaabbbbccccdd';
const plan = { size: content.length, chunkSize: 4 };
const signal = new AbortController().signal;
const same: Same = async ([from, to], md5) =>
  md5 === tagOf(content.slice(from, to)).replaceAll('"', '').toLowerCase();

let store: FakeStore;
beforeEach(() => {
  store = new FakeStore(4).install();
  net.store = store;
});

const wayTo = (kind: Kind = 's3') => new Way('session', kind, plan, uri);

function part(index: number, more: Partial<Part> = {}): Part {
  const body = new Blob([content.slice(index * 4, index * 4 + 4)]);
  return { sessionId: 'session', index, body, digest: '', signal, onSent: () => {}, ...more };
}

async function sendAll(way: Way, ...indices: number[]): Promise<void> {
  for (const index of indices.length > 0 ? indices : [0, 1, 2, 3]) await way.send(part(index));
}

const upload: Upload = {
  sessionId: 'session',
  uri,
  ...plan,
  received: [],
  receivedBytes: 0,
  state: 'open',
  expires: 0,
  lastModified: 0,
  updatedAt: 0,
  concurrency: undefined,
  digest: undefined,
  encrypted: false,
};

/** What `work` throws. */
async function thrown(work: Promise<unknown>): Promise<ApiError> {
  const error = await work.then(
    () => undefined,
    (e) => e,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

const xml = (status: number, code: string, more: Partial<Answer> = {}): Answer => ({
  status,
  text: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`,
  ...more,
});

/** These, and then what stores do. */
function fates(...list: Fate[]): void {
  store.fate = () => list.shift();
}

describe('parts', () => {
  test('go to an address each, with what was signed and nothing of the server', async () => {
    await sendAll(wayTo());
    expect(store.puts.map((p) => [p.part, p.body])).toEqual([
      [1, 'aaaa'],
      [2, 'bbbb'],
      [3, 'cccc'],
      [4, 'dd'],
    ]);
    for (const { headers } of store.puts)
      expect(headers).toEqual({ 'content-type': 'application/octet-stream', 'x-signed': 'yes' });
  });

  test('that go at once ask for one page of addresses', async () => {
    const way = wayTo();
    await Promise.all([0, 1, 2].map((i) => way.send(part(i))));
    expect(store.asked).toEqual([{ from: 0, stored: false }]);
    expect(new Set(store.puts.map((p) => p.part))).toEqual(new Set([1, 2, 3]));
  });

  test('ask for the next page where one ends', async () => {
    store.pageSize = 2;
    await sendAll(wayTo());
    expect(store.asked.filter((a) => !a.stored).map((a) => a.from)).toEqual([0, 2]);
  });

  test('go to a fresh address when theirs ends while they would be under way', async () => {
    store.addressesLive = 60_000;
    const way = wayTo();
    await sendAll(way, 0, 1);
    expect(store.puts.map((p) => p.signing)).toEqual([1, 2]);
    store.addressesLive = 3_600_000;
    await sendAll(way, 2, 3);
    expect(store.puts.map((p) => p.signing)).toEqual([1, 2, 3, 3]);
  });

  test('go to a fresh address when theirs is refused, and so do the others', async () => {
    const way = wayTo();
    await sendAll(way, 0);
    fates(xml(403, 'AccessDenied'));
    await sendAll(way, 1, 2);
    expect(store.puts.map((p) => [p.part, p.signing])).toEqual([
      [1, 1],
      [2, 1],
      [2, 2],
      [3, 2],
    ]);
  });

  test('that are broken off say why they were', async () => {
    store.fate = () => 'wait';
    const stop = new AbortController();
    const sent = wayTo().send(part(0, { signal: stop.signal }));
    await vi.waitFor(() => expect(store.puts).toHaveLength(1));
    stop.abort('pause');
    await expect(sent).rejects.toBe('pause');
    expect(barredFor(uri)).toBeUndefined();
  });
});

describe('a store that takes nothing from here', () => {
  const gone = { kind: 'refused', code: Code.sessionGone };

  test('by its rules is tried twice, and then gone round', async () => {
    store.fate = () => 'forbidden';
    expect(await thrown(wayTo().send(part(0)))).toMatchObject(gone);
    expect(store.puts).toHaveLength(2);
    expect(store.discarded).toEqual(['session']);
    expect(barredFor(uri)?.store).toEqual({ host: 'cargo.store.test', code: '', why: 'rules' });
    expect(barredFor('cloudreve://shared/a.bin')).toBeUndefined();
    expect(barredAt(`${origin}/x`, 'cloudreve://shared/a.bin')?.store?.why).toBe('rules');
    expect(barredFor('cloudreve://shared/b.bin')?.store?.why).toBe('rules');
  });

  test('because it is out of reach is gone round at once', async () => {
    store.fate = () => 'cut';
    store.answers = false;
    expect(await thrown(wayTo().send(part(0)))).toMatchObject(gone);
    expect(store.puts).toHaveLength(1);
    expect(barredFor(uri)?.store?.why).toBe('away');
  });

  test('because of its keys is gone round, and its own word kept', async () => {
    store.fate = () => xml(403, 'SignatureDoesNotMatch');
    expect(await thrown(wayTo().send(part(0)))).toMatchObject(gone);
    expect(store.puts.map((p) => p.signing)).toHaveLength(2);
    const code = 'SignatureDoesNotMatch';
    expect(barredFor(uri)?.store).toEqual({ host: 'cargo.store.test', code, why: 'keys' });
  });

  test('is gone round for a while and no longer', async () => {
    store.fate = () => 'forbidden';
    await thrown(wayTo().send(part(0)));
    expect(barredFor(uri, Date.now() + 14 * 60_000)).toBeDefined();
    expect(barredFor(uri, Date.now() + 16 * 60_000)).toBeUndefined();
    expect(barredAt(origin, uri, Date.now() + 16 * 60_000)).toBeUndefined();
    expect(barredAt('https://other.store.test/x', uri)).toBeUndefined();
  });

  test('is gone round also where nothing can be remembered', async () => {
    const full = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    vi.stubGlobal('localStorage', { getItem: full, setItem: full });
    store.fate = () => 'forbidden';
    expect(await thrown(wayTo().send(part(0)))).toMatchObject(gone);
    expect(barredFor(uri)?.store?.why).toBe('rules');
    unbar();
    expect(barredFor(uri)).toBeUndefined();
  });

  test('but has parts of another client keeps them, and a person is asked', async () => {
    store.keep({ part: 1, body: 'aaaa' });
    store.fate = () => 'forbidden';
    const error = await thrown(wayTo().send(part(1)));
    expect(error).toMatchObject({ kind: 'status', status: 0, store: { why: 'rules' } });
    expect(store.discarded).toEqual([]);
    expect(barredFor(uri)).toBeUndefined();
  });
});

describe('what is no reason to go round a store', () => {
  const stays = () => {
    expect(store.discarded).toEqual([]);
    expect(barredFor(uri)).toBeUndefined();
  };

  test('a line that broke once', async () => {
    fates('cut');
    await sendAll(wayTo());
    expect(store.complete).toBe(true);
    stays();
  });

  test('a server that does not answer either', async () => {
    const way = wayTo();
    const error = new ApiError({ kind: 'network', correlationId: 'the server' });
    store.fate = () => {
      store.server = () => error;
      return 'cut';
    };
    expect(await thrown(way.send(part(0)))).toBe(error);
    stays();
  });

  test('a lane that fails while another gets through', async () => {
    store.fate = (put) => (put.part === 1 ? 'cut' : 'wait');
    store.answers = false;
    const { uploadAddresses } = store.operations;
    store.operations.uploadAddresses = async (...args) => {
      const page = await uploadAddresses(...args);
      store.release(); // the other one arrives after the store was asked
      await new Promise((done) => setTimeout(done));
      return page;
    };
    const way = wayTo();
    const [first] = await Promise.all([thrown(way.send(part(0))), way.send(part(1))]);
    expect(first.store?.why).toBe('away');
    stays();
  });

  test('silence after a part has arrived', async () => {
    const way = wayTo();
    await sendAll(way, 0);
    store.fate = () => 'cut';
    expect(await thrown(way.send(part(1)))).toMatchObject({
      kind: 'network',
      store: { why: 'away', host: 'cargo.store.test' },
    });
    stays();
  });

  test('keys that end in the middle', async () => {
    const way = wayTo();
    await sendAll(way, 0);
    store.fate = () => xml(403, 'InvalidAccessKeyId');
    const error = await thrown(way.send(part(1)));
    expect(error.store).toMatchObject({ why: 'keys', code: 'InvalidAccessKeyId' });
    stays();
  });

  test.each<[string, Answer, number | undefined]>([
    ['seconds', { status: 503, headers: { 'retry-after': '7' } }, 7000],
    ['a page of HTML', { status: 502, text: '<html>Bad Gateway</html>' }, undefined],
    ['too many requests', { status: 429, headers: { 'retry-after': '1' } }, 1000],
    ['a body that broke off', xml(400, 'RequestTimeout'), undefined],
    ['a body that is another', xml(400, 'BadDigest'), undefined],
  ])('a store that is busy: %s', async (_, answer, retryAfterMs) => {
    fates(answer);
    const error = await thrown(wayTo().send(part(0)));
    expect(error).toMatchObject({ kind: 'status', retryAfterMs, store: { why: 'busy' } });
    stays();
  });

  test('a store that is busy until a date', async () => {
    const at = new Date(Date.now() + 90_000).toUTCString();
    fates({ status: 503, headers: { 'retry-after': at } });
    const { retryAfterMs } = await thrown(wayTo().send(part(0)));
    expect(retryAfterMs).toBeGreaterThan(80_000);
    expect(retryAfterMs).toBeLessThanOrEqual(90_000);
  });

  test('an upload that the store has dropped', async () => {
    const way = wayTo();
    await sendAll(way, 0);
    store.fate = () => {
      store.server = () => refusal(Code.sessionGone);
      return xml(404, 'NoSuchUpload');
    };
    expect(await thrown(way.send(part(1)))).toMatchObject({ code: Code.sessionGone });
    stays();
  });

  test('a refusal that is told with the word of the store', async () => {
    const way = wayTo();
    await sendAll(way, 0);
    fates(xml(400, 'InvalidArgument'));
    const { store: fault, status } = await thrown(way.send(part(1)));
    expect({ status, ...fault }).toMatchObject({
      status: 400,
      why: 'refused',
      code: 'InvalidArgument',
    });
    stays();
  });
});

describe('the end', () => {
  const list = ['aaaa', 'bbbb', 'cccc', 'dd']
    .map((t, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tagOf(t)}</ETag></Part>`)
    .join('');
  const whole = `<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`;

  test.each<[Kind, 'parts' | 'none', string, Record<string, string>]>([
    ['s3', 'parts', whole, { 'Content-Type': 'application/octet-stream' }],
    ['cos', 'parts', whole, { 'X-Cos-Forbid-Overwrite': 'true' }],
    ['oss', 'none', '', { 'X-Oss-Complete-All': 'yes', 'X-Oss-Forbid-Overwrite': 'true' }],
  ])(
    'of %s is what was signed, once, and is said to the server',
    async (kind, asked, body, headers) => {
      store.completion = { method: 'POST', headers, body: asked };
      await sendAll(wayTo(kind), 2, 0, 3, 1);
      expect(store.ends).toHaveLength(1);
      const [{ url, init }] = store.ends as [(typeof store.ends)[number]];
      expect(url).toContain('uploadId=u');
      expect(init).toMatchObject({ method: 'POST', body, credentials: 'omit' });
      expect(init.headers).toEqual(headers);
      expect(store.finished).toEqual([[kind, 'session', 'secret']]);
    },
  );

  test('is not made of a part that is another than was sent', async () => {
    const way = wayTo();
    await sendAll(way, 0, 1, 2);
    store.keep({ part: 2, body: 'b?bb' }); // a request that was late
    expect(await thrown(way.send(part(3)))).toMatchObject({ kind: 'network' });
    expect(store.ends).toEqual([]);
    const { received, state } = await way.show(upload, signal, same);
    expect(state).toBe('open');
    expect(received).toEqual([
      [0, 4],
      [8, 12],
      [12, 14],
    ]);
    await sendAll(way, 1);
    expect(store.ends).toHaveLength(1);
  });

  test('waits for all that is missing', async () => {
    const way = wayTo();
    await sendAll(way, 0, 1, 2);
    store.parts.delete(0);
    store.parts.delete(1);
    await thrown(way.send(part(3)));
    await sendAll(way, 0);
    expect(store.ends).toEqual([]);
    await sendAll(way, 1);
    expect(store.ends).toHaveLength(1);
  });

  test('is not made of a part that is short, where ETags may not be read', async () => {
    store.exposesETag = false;
    const way = wayTo();
    await sendAll(way, 0, 1, 2);
    store.keep({ part: 2, body: 'bb' });
    expect(await thrown(way.send(part(3)))).toMatchObject({ kind: 'network' });
    expect(store.ends).toEqual([]);
  });

  test('comes of itself where the answer to it was lost', async () => {
    store.ending = () => {
      store.complete = true;
      return 'cut';
    };
    const way = wayTo();
    await sendAll(way);
    expect(store.finished).toHaveLength(1);
    expect((await way.show(upload, signal, same)).state).toBe('sealing');
    expect(store.ends).toHaveLength(1);
  });

  test('is tried again where it was lost on the way there', async () => {
    let lost = true;
    store.ending = () => (lost ? 'cut' : undefined);
    const way = wayTo();
    await sendAll(way);
    lost = false;
    expect((await way.show(upload, signal)).state).toBe('sealing');
    expect(store.complete).toBe(true);
  });

  test('that nobody can make is told to a person, and can be tried again', async () => {
    store.ending = () => 'cut';
    const way = wayTo();
    await sendAll(way);
    for (let i = 0; i < 8; i++)
      expect((await way.show(upload, signal, same)).state).toBe('sealing');
    expect(await thrown(way.show(upload, signal, same))).toMatchObject({ code: Code.badRequest });
    store.ending = () => undefined;
    expect((await way.show(upload, signal, same)).state).toBe('sealing');
    expect(store.complete).toBe(true);
  });

  test('goes by what the server lists where ETags may not be read', async () => {
    store.exposesETag = false;
    await sendAll(wayTo());
    expect(store.complete).toBe(true);
  });
});

describe('an upload that another page began', () => {
  test('keeps the parts of this file, and nothing that is only as long', async () => {
    store.keep({ part: 1, body: 'aaaa' });
    store.keep({ part: 2, body: 'bb\0\0' }); // broke off, and is listed as whole
    store.keep({ part: 3, body: 'cc' });
    const way = wayTo();
    expect((await way.show(upload, signal, same)).received).toEqual([[0, 4]]);
    await sendAll(way, 1, 2, 3);
    expect(store.complete).toBe(true);
    expect(store.puts.map((p) => p.part)).toEqual([2, 3, 4]);
  });

  test('is ended where all of it is there', async () => {
    ['aaaa', 'bbbb', 'cccc', 'dd'].forEach((body, i) => {
      store.keep({ part: i + 1, body });
    });
    const way = wayTo();
    expect((await way.show(upload, signal)).state).toBe('open'); // nothing was compared
    expect((await way.show(upload, signal, same)).state).toBe('sealing');
    expect(store.ends).toHaveLength(1);
    expect(store.puts).toEqual([]);
  });

  test('compares each part once', async () => {
    store.keep({ part: 1, body: 'aaaa' });
    const compare = vi.fn(same);
    const way = wayTo();
    await way.show(upload, signal, compare);
    await way.show(upload, signal, compare);
    expect(compare).toHaveBeenCalledTimes(1);
  });
});
