// Paths of the drive. Inside the page a path is a list of decoded names; the
// text form `cloudreve://my/a/b%20c` exists only on the wire. Two texts may name
// the same path (the server escapes more than a listing does), so they are
// always compared decoded.

export type Path = readonly string[];

const root = 'cloudreve://my';

export const trashUri = 'cloudreve://trash';

export function uriOf(path: Path): string {
  return path.length === 0 ? root : `${root}/${path.map(encodeURIComponent).join('/')}`;
}

/** The names in a `cloudreve://my/…` text. Throws on any other file system. */
export function pathOf(uri: string): string[] {
  const match = /^cloudreve:\/\/(?:[^/@?]*@)?my(?:\/([^?]*))?(?:\?.*)?$/i.exec(uri);
  if (!match) throw new Error(`not a path of the drive: ${uri}`);
  return (match[1] ?? '')
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
}

/** The same of any text that may be one: no names where it is none. */
export function placeOf(uri: string | undefined): string[] {
  try {
    return pathOf(uri ?? '');
  } catch {
    return [];
  }
}

export function samePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

/** A key for maps: no name holds a slash. */
export function pathKey(path: Path): string {
  return path.join('/');
}

export type NameProblem = 'empty' | 'dots' | 'character' | 'long';

const forbidden = /[\\/:*?"<>|]/;

/** Why the server would refuse a name, so that the page can say it while one types. */
export function nameProblem(name: string): NameProblem | undefined {
  if (name === '') return 'empty';
  if (name === '.' || name === '..') return 'dots';
  if (forbidden.test(name)) return 'character';
  if (byteLength(name) > 255) return 'long';
  return undefined;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** "report.tar.gz" → ["report", ".tar.gz"]; ".profile" and "notes" have no ending. */
export function splitName(name: string): [stem: string, ending: string] {
  const tar = /^(.+)(\.tar\.[^.]+)$/i.exec(name);
  if (tar?.[1] && tar[2]) return [tar[1], tar[2]];
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot)];
}

/** "a.txt", 2 → "a (2).txt", shortened to stay within 255 bytes. */
export function numberedName(name: string, n: number): string {
  let [stem, ending] = splitName(name);
  stem = stem.replace(/ \(\d+\)$/, '');
  const tail = ` (${n})${ending}`;
  while (byteLength(stem + tail) > 255 && stem !== '') stem = [...stem].slice(0, -1).join('');
  return stem + tail;
}
