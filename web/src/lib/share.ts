// Places in a share: on the wire `cloudreve://<id>[:<password>]@share/a/b`, in
// this page /home?path=<that>, where short links lead.
import type { Path } from './path';

export interface SharePlace {
  id: string;
  password: string;
  path: Path;
}

/** Undefined for what is no place in a share. */
export function sharePlace(uri: string | null): SharePlace | undefined {
  const match = /^cloudreve:\/\/([^/@:?]+)(?::([^/@?]*))?@share(?:\/([^?]*))?$/i.exec(uri ?? '');
  if (!match?.[1]) return undefined;
  try {
    return {
      id: decodeURIComponent(match[1]),
      password: decodeURIComponent(match[2] ?? ''),
      path: (match[3] ?? '')
        .split('/')
        .filter((part) => part !== '')
        .map(decodeURIComponent),
    };
  } catch {
    return undefined; // a bare "%"
  }
}

export function shareUri({ id, password, path }: SharePlace): string {
  const key = encodeURIComponent(id) + (password && `:${encodeURIComponent(password)}`);
  return `cloudreve://${key}@share${path.map((name) => `/${encodeURIComponent(name)}`).join('')}`;
}

/** The address in this page. The password does not stand in it. */
export function shareHref(place: SharePlace): string {
  return `/home?path=${encodeURIComponent(shareUri({ ...place, password: '' }))}`;
}

const key = (id: string) => `wharfinger.share.${id}`;

/** What was typed or came with the link, until this window is closed. */
export function keptPassword(id: string): string {
  return globalThis.sessionStorage?.getItem(key(id)) ?? '';
}

export function keepPassword(id: string, password: string): void {
  globalThis.sessionStorage?.setItem(key(id), password);
}
