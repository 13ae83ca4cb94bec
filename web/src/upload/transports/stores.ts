// Which stores this page sends to by itself, and which of them do not let it. The rest of
// the way there is loaded when it is needed: see straight.ts.
import { ApiError, type StoreFault } from '@/api/error';

const kinds = ['s3', 'ks3', 'cos', 'obs', 'oss'] as const;
export type Kind = (typeof kinds)[number];

export interface Policy {
  type: string;
  relay?: boolean | undefined;
}

/** Undefined where the bytes go through the server, or the store is not known here. */
export function kindOf(policy: Policy | undefined): Kind | undefined {
  return policy?.relay ? undefined : kinds.find((kind) => kind === policy?.type);
}

/** Rules are mended, and laptops are carried home. */
const life = 15 * 60_000;
const key = 'wharf.relay';

interface Mark {
  fault: StoreFault;
  until: number;
  /** Whose files went there: another's may lie elsewhere. */
  owners: string[];
}

/** By origin. */
type Marks = Record<string, Mark>;

const ownerOf = (uri: string) => uri.split('/', 3).join('/');

/** Of this window, where nothing can be kept for the others. */
let own: string | undefined;

function kept(): string | undefined {
  try {
    return own ?? localStorage.getItem(key) ?? undefined;
  } catch {
    return own;
  }
}

function keep(all: Marks): void {
  const text = JSON.stringify(all);
  try {
    localStorage.setItem(key, text);
    own = undefined;
  } catch {
    own = text;
  }
}

function marks(now: number): Marks {
  try {
    const all = JSON.parse(kept() ?? '{}') as Marks;
    return Object.fromEntries(Object.entries(all).filter(([, mark]) => mark.until > now));
  } catch {
    return {}; // not ours
  }
}

/** For a while, files go round this store. */
export function bar(address: string, uri: string, fault: StoreFault, now = Date.now()): void {
  const all = marks(now);
  all[new URL(address).origin] = { fault, until: now + life, owners: [ownerOf(uri)] };
  keep(all);
}

/** Why files at `uri` are to go through the server, as far as is known without asking. */
export function barredFor(uri: string, now = Date.now()): ApiError | undefined {
  const owner = ownerOf(uri);
  return errorOf(Object.values(marks(now)).find(({ owners }) => owners.includes(owner)));
}

/** Why nothing is sent to this address, where a file at `uri` would go. */
export function barredAt(address: string, uri: string, now = Date.now()): ApiError | undefined {
  const all = marks(now);
  const mark = all[new URL(address).origin];
  if (!mark) return undefined;
  mark.owners = [...new Set([...mark.owners, ownerOf(uri)])];
  keep(all);
  return errorOf(mark);
}

/** The rules were changed: all stores are tried again. */
export function unbar(): void {
  keep({});
}

const errorOf = (mark: Mark | undefined) =>
  mark && new ApiError({ kind: 'network', correlationId: '', store: mark.fault });
