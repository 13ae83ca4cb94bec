import '@/ui/styles';
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { I18nextProvider, initReactI18next } from 'react-i18next';
import { session } from '@/api/call';
import { ApiError } from '@/api/error';
import { i18next, startTexts } from '@/lib/i18n';
import { theme } from '@/ui/theme';
import { Tips } from '@/ui/tips';
import { Toasts } from '@/ui/toast';
import { App } from './app';
import { Boundary } from './boundary';
import { preloadWhenIdle } from './preload';

const colorSchemes = localStorageColorSchemeManager({ key: 'wharfinger.theme' });

export async function start(root: HTMLElement): Promise<void> {
  i18next.use(initReactI18next);
  await startTexts();
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // What the server refused, it refuses again; a lost answer is worth asking for.
        retry: (failures, error) =>
          failures < 2 && !(error instanceof ApiError && error.kind === 'refused'),
      },
    },
  });
  // Nothing of one account may show to the next.
  let user = session.current()?.user.id;
  session.subscribe(() => {
    const next = session.current()?.user.id;
    if (next !== undefined && user !== undefined && next !== user) queries.clear();
    user = next ?? user;
  });
  if (session.current()) void import('./signed-in'); // while the first screen is made
  preloadWhenIdle();
  createRoot(root).render(
    <StrictMode>
      <I18nextProvider i18n={i18next}>
        <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={colorSchemes}>
          <QueryClientProvider client={queries}>
            <Boundary>
              <App />
              <Toasts />
              <Tips />
            </Boundary>
          </QueryClientProvider>
        </MantineProvider>
      </I18nextProvider>
    </StrictMode>,
  );
}
