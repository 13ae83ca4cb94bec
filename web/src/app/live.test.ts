import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FileEvent } from '@/api/live';
import { Again, foldersOf } from './live';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const event = (from: string, to = from): FileEvent => ({ type: 'rename', file_id: 'f', from, to });

test('an event changes the folders that it came from and went to', () => {
  expect(foldersOf(event('/a.txt'))).toEqual(['cloudreve://my']);
  expect(foldersOf(event('/a b/c', '/d/e/c'))).toEqual([
    'cloudreve://my/a%20b',
    'cloudreve://my/d/e',
  ]);
});

test('many events are one look, and looks keep their distance', () => {
  const look = vi.fn();
  const again = new Again(look, () => Date.now());
  for (let i = 0; i < 1000; i++) again.add([event(`/d/${i}`)]);
  vi.advanceTimersByTime(300);
  expect(look.mock.calls).toEqual([[['cloudreve://my/d']]]);
  again.add([event('/x')]);
  vi.advanceTimersByTime(1000);
  expect(look).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1500);
  expect(look).toHaveBeenLastCalledWith(['cloudreve://my']);
});
