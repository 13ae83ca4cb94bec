import { beforeAll, expect, test } from 'vitest';
import { startTexts } from '@/lib/i18n';
import { ApiError, Code, type FailureKind } from './error';
import { failureWords } from './words';

beforeAll(startTexts);

const failure = (kind: FailureKind, more: { code?: number; status?: number } = {}) =>
  new ApiError({ kind, message: 'Size too short', correlationId: 'c-1', ...more });

const failures: [string, ApiError][] = [
  ['no answer', failure('network')],
  ['proxy error', failure('status', { status: 502 })],
  ['proxy limit', failure('status', { status: 413 })],
  ['hotel page', failure('strange', { status: 200 })],
  ...Object.entries(Code).map(
    ([name, code]) => [name, failure('refused', { code })] as [string, ApiError],
  ),
];

test.each(failures)('%s: what happened, what to do, and the id to quote', (_, error) => {
  const words = failureWords(error, '25 MB');
  expect(words.what).toMatch(/^[A-Z].*\.$/);
  expect(words.todo).toMatch(/\.$/);
  expect(words.id).toBe('c-1');
  expect(words.what + words.todo).not.toMatch(/failure\.|undefined|\{\{|!/);
});

test('causes that need different deeds read differently', () => {
  const told = [
    failure('network'),
    failure('status', { status: 502 }),
    failure('status', { status: 413 }),
    failure('strange'),
    ...[
      Code.quota,
      Code.name,
      Code.tooLarge,
      Code.locked,
      Code.exists,
      Code.forbidden,
      Code.io,
    ].map((code) => failure('refused', { code })),
  ].map((error) => failureWords(error).what);
  expect(new Set(told).size).toBe(told.length);
});
