// Where the page is. Three screens need no routing library; they need paths
// whose names may hold "%", "#" and "?" to survive, which most routers decode
// too early.
import { Listeners } from './observable';
import { type Path, pathKey } from './path';

const moves = new Listeners();

export interface Place {
  /** Decoded path segments: /files/a%2Fb → ["files", "a/b"]. */
  segments: string[];
  query: URLSearchParams;
  /** Path and query as text, for coming back later. */
  href: string;
}

function read(): Place {
  const { pathname, search } = window.location;
  return {
    segments: pathname
      .split('/')
      .filter((s) => s !== '')
      .map(decodeSegment),
    query: new URLSearchParams(search),
    href: pathname + search,
  };
}

function decodeSegment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // typed by hand with a bare "%"
  }
}

let current: Place | undefined;

/** The same object until the place changes. */
export function place(): Place {
  const { pathname, search } = window.location;
  if (current?.href !== pathname + search) current = read();
  return current as Place;
}

export function subscribePlace(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  const stop = moves.subscribe(listener);
  return () => {
    window.removeEventListener('popstate', listener);
    stop();
  };
}

export function go(href: string, how: 'push' | 'replace' = 'push'): void {
  if (href === place().href) return;
  if (how === 'push') window.history.pushState(null, '', href);
  else window.history.replaceState(null, '', href);
  moves.notify();
}

/** The address of a folder in this page. */
export function folderHref(path: Path): string {
  return `/files${path.map((s) => `/${encodeURIComponent(s)}`).join('')}`;
}

/** Only places of this page: never "//elsewhere" or "https:…". */
export function safeNext(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) ? next : '/files';
}

export function titleOf(path: Path, site: string): string {
  return path.length === 0 ? site : `${path.at(-1)} · ${pathKey(path.slice(0, -1)) || site}`;
}
