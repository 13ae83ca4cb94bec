import { beforeEach, describe, expect, test, vi } from 'vitest';
import type * as operations from '@/api/operations';
import { FakeStore, origin } from '@/test/fake-store';
import { relay } from './relay';
import { bar, unbar } from './stores';
import { forget, wayOf } from './ways';

type Ask = Parameters<typeof operations.createUpload>[0];
interface Asked {
  begun: boolean[];
  dropped: string[];
}

const net = vi.hoisted(() => ({
  type: 's3',
  asked: { begun: [], dropped: [] } as Asked,
}));
vi.mock('@/api/operations', () => ({
  createUpload: async (ask: Ask) => {
    const relayed = net.type === 'local' || ask.relay === true;
    net.asked.begun.push(ask.relay === true);
    return {
      session_id: `s${net.asked.begun.length}`,
      chunk_size: 5 * 1024 ** 2,
      expires: 1,
      ...(!relayed && { upload_urls: [`${origin}/key?partNumber=1`] }),
      storage_policy: { type: net.type, ...(net.type !== 'local' && relayed && { relay: true }) },
    };
  },
  discardUpload: async (id: string) => {
    net.asked.dropped.push(id);
  },
}));

const { signal } = new AbortController();
const fault = { host: 'cargo.store.test', code: '', why: 'rules' } as const;
const mebi = 1024 ** 2;

function create(size = 8 * mebi, uri = 'cloudreve://my/a.bin') {
  const request = { uri, size, lastModified: 0, mimeType: '', replace: false };
  return relay.create(request, signal);
}

beforeEach(() => {
  new FakeStore(2).install();
  net.type = 's3';
  net.asked = { begun: [], dropped: [] };
  for (const id of ['s1', 's2', 's3']) forget(id);
});

describe('a file goes', () => {
  test('straight, where the store is known', async () => {
    expect(await create()).toMatchObject({ sessionId: 's1', straight: true, relayed: true });
    expect(net.asked).toEqual({ begun: [false], dropped: [] });
    expect(wayOf('s1')).toBeDefined();
  });

  test('through the server, where it is too small for a part', async () => {
    expect(await create(4 * mebi)).toMatchObject({ straight: false, detour: undefined });
    expect(net.asked.begun).toEqual([true]);
    expect(wayOf('s1')).toBeUndefined();
  });

  test('through the server, where the store is not known', async () => {
    net.type = 'tape';
    expect(await create()).toMatchObject({ sessionId: 's2', straight: false, relayed: true });
    expect(net.asked).toEqual({ begun: [false, true], dropped: ['s1'] });
  });

  test('to the server, whose own disk it is', async () => {
    net.type = 'local';
    expect(await create()).toMatchObject({ straight: false, relayed: true, detour: undefined });
    expect(net.asked).toEqual({ begun: [false], dropped: [] });
  });
});

describe('round a store that lets nobody in', () => {
  beforeEach(() => bar(`${origin}/key`, 'cloudreve://my/other.bin', fault));

  test('at once, where files of this place went there', async () => {
    const ticket = await create();
    expect(ticket).toMatchObject({ sessionId: 's1', straight: false });
    expect(ticket.detour?.store).toEqual(fault);
    expect(net.asked).toEqual({ begun: [true], dropped: [] });
  });

  test('after one question for files of another place, and then at once', async () => {
    const first = await create(8 * mebi, 'cloudreve://them@share/a.bin');
    expect(first.detour?.store).toEqual(fault);
    expect(net.asked).toEqual({ begun: [false, true], dropped: ['s1'] });
    await create(8 * mebi, 'cloudreve://them@share/b.bin');
    expect(net.asked.begun).toEqual([false, true, true]);
  });

  test('and not any more once its rules were mended', async () => {
    unbar();
    expect(await create()).toMatchObject({ straight: true, detour: undefined });
  });

  test('but not to another store', async () => {
    unbar();
    bar('https://other.store.test/key', 'cloudreve://them@share/x', fault);
    expect(await create()).toMatchObject({ straight: true, detour: undefined });
  });

  test('which is nothing to files that are kept here', async () => {
    net.type = 'local';
    expect((await create()).detour).toBeUndefined();
  });
});
