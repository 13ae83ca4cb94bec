import { expect, test } from 'vitest';
import { exactBytes, formatBytes, parseBytes } from './bytes';
import { safeNext } from './location';
import { nameProblem, numberedName, pathOf, splitName, uriOf } from './path';
import { formatLeft, formatWhen } from './time';

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KB'],
  [1536, '1.5 KB'],
  [1024 * 1024 - 1, '1 MB'],
  [26214400, '25 MB'],
  [4 * 1024 ** 3, '4 GB'],
  [1.25 * 1024 ** 4, '1.25 TB'],
])('%i bytes read as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test('exact sizes', () => {
  expect(exactBytes(1234567)).toBe('1,234,567 bytes');
  expect(exactBytes(1)).toBe('1 byte');
});

test.each([
  [3, '3 s'],
  [41, '45 s'],
  [600, '10 min'],
  [7500, '2 h 5 min'],
  [Number.POSITIVE_INFINITY, ''],
])('%d seconds left read as "%s"', (s, text) => expect(formatLeft(s)).toBe(text));

test('times are relative up to a week', () => {
  const now = Date.UTC(2026, 4, 20, 12);
  expect(formatWhen(now - 20_000, now)).toBe('just now');
  expect(formatWhen(now - 3 * 3_600_000, now)).toBe('3 hours ago');
  expect(formatWhen(now - 30 * 86_400_000, now)).toBe('Apr 20, 2026');
});

test.each(['a', 'a b', '100%', 'a#b?c', 'é', '文件', "(1)'*!", 'x+y&z', '%2F'])(
  'the name %s survives the way to the wire and back',
  (name) => expect(pathOf(uriOf(['d', name]))).toEqual(['d', name]),
);

test('a path is read however its writer escaped it', () => {
  expect(pathOf('cloudreve://my/d%201/e/a%281%29.txt')).toEqual(['d 1', 'e', 'a(1).txt']);
  expect(pathOf('cloudreve://my')).toEqual([]);
  expect(pathOf('cloudreve://my/')).toEqual([]);
  expect(pathOf('cloudreve://u1@my/a/')).toEqual(['a']);
  expect(() => pathOf('cloudreve://trash/x')).toThrow();
});

test('names that the server would refuse', () => {
  expect(['', '..', 'a/b', 'a:b', 'é'.repeat(128), 'a'.repeat(255)].map(nameProblem)).toEqual([
    'empty',
    'dots',
    'character',
    'character',
    'long',
    undefined,
  ]);
});

test('a number goes before the ending', () => {
  expect(numberedName('a.txt', 2)).toBe('a (2).txt');
  expect(numberedName('a (2).txt', 3)).toBe('a (3).txt');
  expect(numberedName('a.tar.gz', 2)).toBe('a (2).tar.gz');
  expect(numberedName('.profile', 2)).toBe('.profile (2)');
  expect(nameProblem(numberedName(`${'文'.repeat(84)}.md`, 2))).toBeUndefined();
  expect(splitName('x')).toEqual(['x', '']);
});

test('after sign-in only a place of this page is gone to', () => {
  expect(safeNext('/files/a?x=1')).toBe('/files/a?x=1');
  for (const bad of [null, '', 'https://x.test', '//x.test', '/\\x.test'])
    expect(safeNext(bad)).toBe('/files');
});

test('a size that people write is read', () => {
  expect(['0', '10 GB', '1.5k', '25 MiB', ' 7 b '].map(parseBytes)).toEqual([
    0,
    10 * 1024 ** 3,
    1536,
    25 * 1024 ** 2,
    7,
  ]);
  for (const wrong of ['', '-1', 'many', '1e9', '1 EB', '99999999 PB'])
    expect(parseBytes(wrong)).toBeNaN();
});
