// @vitest-environment jsdom

import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { cleanup, render, screen } from '@testing-library/react';
import { I18nextProvider, initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { ApiError } from '@/api/error';
import type { UploadEvent } from '@/api/model';
import * as api from '@/api/operations';
import { i18next, startTexts } from '@/lib/i18n';
import type { Moment } from '@/upload/job';
import Timeline from './timeline';

vi.mock('@/api/operations');

beforeAll(async () => {
  window.matchMedia ??= (() => ({
    matches: false,
    addEventListener() {},
    removeEventListener() {},
  })) as never;
  i18next.use(initReactI18next);
  await startTexts();
});
afterEach(cleanup);

const at = (s: number) => new Date(Date.UTC(2026, 4, 1, 12, 0, s)).toISOString();
const ms = (s: number) => Date.parse(at(s));

function show(events: UploadEvent[] | ApiError, story: Moment[]) {
  vi.mocked(api.uploadTimeline).mockImplementation(async () => {
    if (events instanceof Error) throw events;
    return { session_id: 's', uri: 'cloudreve://my/a', size: 9, state: 'open', events };
  });
  const queries = new QueryClient({ defaultOptions: { queries: { retryDelay: 0 } } });
  render(
    <I18nextProvider i18n={i18next}>
      <MantineProvider>
        <QueryClientProvider client={queries}>
          <Timeline sessionId="s" story={story} durability="complete" live={false} />
        </QueryClientProvider>
      </MantineProvider>
    </I18nextProvider>,
  );
}

test('both sides of the story stand in one order, with causes and request ids', async () => {
  const error = new ApiError({ kind: 'status', status: 502, correlationId: 'id-of-the-request' });
  show(
    [
      { at: at(0), kind: 'created' },
      { at: at(2), until: at(9), kind: 'received', bytes: [0, 2 * 1024], chunks: 2 },
      { at: at(4), kind: 'received', bytes: [4096, 5120] },
      {
        at: at(5),
        kind: 'refused',
        reason: 'digest_mismatch',
        code: 50004,
        message: 'Other bytes.',
      },
      { at: at(12), kind: 'evicted' },
      { at: at(13), kind: 'of_tomorrow' as never },
    ],
    [
      { at: ms(1), what: 'began' },
      { at: ms(7), what: 'retried', error },
    ],
  );
  await screen.findByText('Created');
  const lines = screen
    .getAllByRole('listitem')
    .map((li) => li.textContent?.replace(/^\d\d:\d\d:\d\d/, ''));
  expect(lines).toEqual([
    'Created',
    expect.stringMatching(/^3 KB received in 3 chunks until /),
    'A chunk was refused Other bytes. · digest_mismatch, code 50004',
    expect.stringMatching(/^Tried again Something in front .*status 502.*id-of-the-request/),
    'Given up for a new upload of this name',
    'of_tomorrow',
  ]);
  screen.getByText(/A finished file survives a power cut./);
});

test('what the server has forgotten, this page still tells', async () => {
  show(new ApiError({ kind: 'refused', code: 40011, correlationId: 'x' }), [
    { at: ms(1), what: 'began' },
    { at: ms(2), what: 'verified' },
  ]);
  await screen.findByText('The server no longer keeps the story of this upload.');
  screen.getByText('Begun here');
  screen.getByText('Verified: the same bytes on both sides');
});
