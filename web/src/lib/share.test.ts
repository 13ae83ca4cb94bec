import { describe, expect, test } from 'vitest';
import { keepPassword, keptPassword, shareHref, sharePlace, shareUri } from './share';

describe('places in shares', () => {
  test.each([
    ['cloudreve://Zx9@share', { id: 'Zx9', password: '', path: [] }],
    ['cloudreve://Zx9@share/', { id: 'Zx9', password: '', path: [] }],
    ['cloudreve://Zx9:pa55@share/a/b%20c', { id: 'Zx9', password: 'pa55', path: ['a', 'b c'] }],
    ['cloudreve://Zx9:p%40ss@share/100%25', { id: 'Zx9', password: 'p@ss', path: ['100%'] }],
  ])('%s is read', (uri, place) => {
    expect(sharePlace(uri)).toEqual(place);
    expect(sharePlace(shareUri(place))).toEqual(place);
  });

  test.each([
    null,
    '',
    'cloudreve://my/a',
    'cloudreve://@share',
    'https://elsewhere/@share',
    'cloudreve://Zx9@sharea',
    'cloudreve://Zx9@share/%zz',
  ])('%s is none', (uri) => {
    expect(sharePlace(uri)).toBeUndefined();
  });

  test('the password stands in no address of the page', () => {
    const href = shareHref({ id: 'Zx9', password: 'pa55', path: ['a&b', 'c#d'] });
    expect(href).not.toContain('pa55');
    const back = sharePlace(new URL(href, 'http://x').searchParams.get('path'));
    expect(back).toEqual({ id: 'Zx9', password: '', path: ['a&b', 'c#d'] });
  });

  test('a password is kept for its share only', () => {
    const kept = new Map<string, string>();
    globalThis.sessionStorage = {
      getItem: (k: string) => kept.get(k) ?? null,
      setItem: (k: string, v: string) => void kept.set(k, v),
    } as Storage;
    keepPassword('Zx9', 'pa55');
    expect(keptPassword('Zx9')).toBe('pa55');
    expect(keptPassword('Zx8')).toBe('');
  });
});
