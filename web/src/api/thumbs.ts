// Small pictures of files.
import { queryOptions } from '@tanstack/react-query';
import { call } from './call';
import type { Data } from './model';
import { addressHere } from './operations';

/** They leave the line to what a person asked for, however many are in view. */
const atOnce = 3;
let free = atOnce;
const waiting: (() => void)[] = [];

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (free > 0) free--;
  else await new Promise<void>((turn) => waiting.push(turn));
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else free++;
  }
}

/** The endings of names, such as "png", that the server makes pictures for. */
export const picturedQuery = queryOptions({
  queryKey: ['site', 'thumb'] as const,
  queryFn: async ({ signal }) => {
    const { thumb_exts } = await call<{ thumb_exts: string[] }>('GET', '/site/config/thumb', {
      anonymous: true,
      signal,
    });
    return new Set(thumb_exts);
  },
  staleTime: 'static',
});

/**
 * The address of the picture of a version, which the browser then has. One that
 * nobody looks at any more is given up.
 */
export const thumbQuery = (uri: string, version: string) =>
  queryOptions({
    queryKey: ['thumb', version] as const,
    queryFn: ({ signal }) =>
      inTurn(async () => {
        signal.throwIfAborted();
        const query = { uri };
        const { url } = await call<Data<'createThumbURL'>>('GET', '/file/thumb', { query, signal });
        const href = addressHere(url);
        await fetched(href, signal);
        return href;
      }),
    staleTime: 'static',
    retry: false,
    retryOnMount: false,
  });

/** Waits until the browser keeps a picture. */
function fetched(href: string, signal: AbortSignal): Promise<void> {
  const image = new Image();
  return new Promise<void>((done, fail) => {
    image.onload = () => done();
    image.onerror = () => fail(new Error(`no picture at ${href}`));
    signal.onabort = () => {
      image.src = '';
      fail(signal.reason);
    };
    image.src = href;
  });
}
