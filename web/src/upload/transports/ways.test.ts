import { beforeEach, expect, test, vi } from 'vitest';
import { Code } from '@/api/error';
import { FakeStore, refusal } from '@/test/fake-store';
import type { Upload } from '../server';
import { begin, forget, seen, wayOf } from './ways';

const net = vi.hoisted(() => ({ store: undefined as unknown as FakeStore }));
vi.mock('@/api/operations', () => ({
  uploadAddresses: (...args: [string, number, boolean]) =>
    net.store.operations.uploadAddresses(...args),
  finishUpload: (...args: string[]) => net.store.operations.finishUpload(...args),
  discardUpload: (id: string) => net.store.operations.discardUpload(id),
}));

const policy = { type: 's3' };
const { signal } = new AbortController();
const plan = { size: 14, chunkSize: 4 };
const uri = 'cloudreve://my/a.bin';
const open: Upload = {
  sessionId: 's',
  uri,
  ...plan,
  received: [],
  receivedBytes: 0,
  straight: true,
  state: 'open',
  expires: 0,
  lastModified: 0,
  updatedAt: 0,
  concurrency: undefined,
  digest: undefined,
  encrypted: false,
};

beforeEach(() => {
  forget('s');
  net.store = new FakeStore(4).install();
});

test('an upload has a way of its own where the store behind it is known', async () => {
  await begin('s', { type: 's3', relay: true }, plan, uri);
  await begin('s', { type: 'local' }, plan, uri);
  await begin('s', { type: 'tape' }, plan, uri);
  expect(wayOf('s')).toBeUndefined();
  await begin('s', policy, plan, uri);
  expect(wayOf('s')).toBeDefined();
});

test('one that another page began has it once it was looked at', async () => {
  await seen(open, policy, signal);
  expect(wayOf('s')).toBeDefined();
});

test.each(['done', 'aborted', 'expired'] as const)(
  'it goes when the upload is %s',
  async (state) => {
    await begin('s', policy, plan, uri);
    await seen({ ...open, state }, policy, signal);
    expect(wayOf('s')).toBeUndefined();
  },
);

test('it stays while the server makes a file of what is there', async () => {
  await begin('s', policy, plan, uri);
  await seen({ ...open, state: 'sealing' }, policy, signal);
  expect(wayOf('s')).toBeDefined();
});

test('it goes with the session', async () => {
  await begin('s', policy, plan, uri);
  net.store.server = () => refusal(Code.sessionGone);
  await expect(seen(open, policy, signal)).rejects.toMatchObject({ code: Code.sessionGone });
  expect(wayOf('s')).toBeUndefined();
});

test('it goes where the bytes turn out to go through the server', async () => {
  await begin('s', policy, plan, uri);
  net.store.server = () => refusal(Code.policy);
  expect(await seen(open, policy, signal)).toEqual({ ...open, straight: false });
  expect(wayOf('s')).toBeUndefined();
});
