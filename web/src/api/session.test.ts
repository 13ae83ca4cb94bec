import { expect, test, vi } from 'vitest';
import { ApiError, parseRetryAfter, readReply } from './error';
import { Session, type SignIn } from './session';

class MemoryStorage implements Storage {
  private readonly map = new Map<string, string>();
  get length() {
    return this.map.size;
  }
  key = (i: number) => [...this.map.keys()][i] ?? null;
  getItem = (k: string) => this.map.get(k) ?? null;
  setItem = (k: string, v: string) => void this.map.set(k, v);
  removeItem = (k: string) => void this.map.delete(k);
  clear = () => this.map.clear();
}

const now = 1_000_000;
const user = { id: 'u', nickname: 'n', created_at: '' };
const signIn = (n: number, accessUntil = now + 3_600_000): SignIn => ({
  user,
  accessToken: `a${n}`,
  refreshToken: `r${n}`,
  accessUntil,
  refreshUntil: now + 9e6,
});

/** A server that takes each refresh token once: a second use would sign everyone out. */
function rotating() {
  const used = new Set<string>();
  return vi.fn(async (s: SignIn) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (used.has(s.refreshToken)) return undefined;
    used.add(s.refreshToken);
    return signIn(Number(s.refreshToken.slice(1)) + 1);
  });
}

test('parallel calls in parallel windows use a refresh token once', async () => {
  const storage = new MemoryStorage();
  const renew = rotating();
  const windows = [0, 1, 2].map(() => new Session(storage, renew, () => now));
  windows[0]!.begin(signIn(1, now + 1000));
  const tokens = await Promise.all([...windows, ...windows].map((w) => w.token()));
  expect(new Set(tokens)).toEqual(new Set(['a2']));
  expect(renew).toHaveBeenCalledTimes(1);
});

test('a token with some life left is used as it is', async () => {
  const renew = rotating();
  const session = new Session(new MemoryStorage(), renew, () => now);
  session.begin(signIn(1));
  expect(await session.token()).toBe('a1');
  expect(renew).not.toHaveBeenCalled();
});

test('a refresh token that is no longer good ends the sign-in', async () => {
  const session = new Session(
    new MemoryStorage(),
    async () => undefined,
    () => now,
  );
  session.begin(signIn(1, now));
  let told = 0;
  session.subscribe(() => told++);
  expect(await session.token()).toBeUndefined();
  expect(session.current()).toBeUndefined();
  expect(told).toBe(1);
});

test('no answer keeps the sign-in', async () => {
  const offline = async () => {
    throw new ApiError({ kind: 'network', correlationId: 'c' });
  };
  const session = new Session(new MemoryStorage(), offline, () => now);
  session.begin(signIn(1, now));
  await expect(session.token()).rejects.toThrow(ApiError);
  expect(session.current()?.refreshToken).toBe('r1');
});

test('signing out while a renewal is on its way stays signed out', async () => {
  let answer: (fresh: SignIn) => void = () => {};
  const renew = vi.fn(() => new Promise<SignIn>((resolve) => (answer = resolve)));
  const session = new Session(new MemoryStorage(), renew, () => now);
  session.begin(signIn(1, now));
  const token = session.token();
  await vi.waitFor(() => expect(renew).toHaveBeenCalled());
  session.end();
  answer(signIn(2));
  expect(await token).toBeUndefined();
  expect(session.current()).toBeUndefined();
});

const reply = (status: number, text: string) => ({
  status,
  text,
  retryAfter: null,
  correlationId: 'mine',
});
const failureOf = (status: number, text: string) => {
  try {
    readReply(reply(status, text));
  } catch (error) {
    return error as ApiError;
  }
  return undefined;
};

test('only an envelope with code 0 is success', () => {
  expect(readReply(reply(200, '{"code":0,"data":[1],"msg":""}'))).toEqual([1]);
  expect(failureOf(200, '<html>Welcome to the hotel</html>')?.kind).toBe('strange');
  expect(failureOf(200, '{"msg":"hello"}')?.kind).toBe('strange');
  expect(failureOf(200, '')?.kind).toBe('strange');
  expect(failureOf(413, '<html>nginx</html>')).toMatchObject({ kind: 'status', status: 413 });
  expect(failureOf(502, '{"code":0}')?.kind).toBe('status');
});

test('a refusal carries code, message and the id to quote', () => {
  const text = '{"code":40051,"msg":"no room","correlation_id":"theirs"}';
  expect(failureOf(200, text)).toMatchObject({
    kind: 'refused',
    code: 40051,
    message: 'no room',
    correlationId: 'theirs',
  });
  expect(failureOf(200, '{"code":40001,"msg":"x"}')?.correlationId).toBe('mine');
});

test('Retry-After in both its forms', () => {
  expect(parseRetryAfter('120', 0)).toBe(120_000);
  expect(parseRetryAfter('Thu, 01 Jan 1970 00:01:00 GMT', 0)).toBe(60_000);
  expect(parseRetryAfter('soon', 0)).toBeUndefined();
});
