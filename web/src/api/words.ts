import { i18next } from '@/lib/i18n';
import { ApiError, Code } from './error';

export interface Words {
  what: string;
  todo: string;
  /** Whose fault it is, and whether trying again helps. */
  fault: string;
  id: string | undefined;
}

type Whose = 'yours' | 'device' | 'line' | 'proxy' | 'server' | 'store' | 'page';
type Again = 'no' | 'changed' | 'now' | 'later';

const byCode = {
  [Code.loginRequired]: 'signedOut',
  [Code.badCredential]: 'signedOut',
  [Code.forbidden]: 'forbidden',
  [Code.owner]: 'forbidden',
  [Code.notFound]: 'gone',
  [Code.pathGone]: 'gone',
  [Code.exists]: 'exists',
  [Code.tooLarge]: 'tooLarge',
  [Code.quota]: 'quota',
  [Code.name]: 'name',
  [Code.locked]: 'locked',
  [Code.stale]: 'stale',
  [Code.changedMeanwhile]: 'stale',
  [Code.wrongPassword]: 'password',
  [Code.partly]: 'partly',
  [Code.factor]: 'factor',
  [Code.ticket]: 'ticket',
  [Code.noPasskeys]: 'noPasskeys',
  [Code.passkey]: 'passkey',
  [Code.picture]: 'picture',
  [Code.presentPassword]: 'presentPassword',
  [Code.io]: 'io',
} as const;

const byStore = {
  rules: 'storeRules',
  away: 'storeAway',
  busy: 'storeBusy',
  keys: 'storeKeys',
  refused: 'storeRefused',
} as const;

const faults = {
  network: ['line', 'later'],
  proxy: ['proxy', 'later'],
  proxySize: ['proxy', 'no'],
  strange: ['proxy', 'later'],
  signedOut: ['yours', 'changed'],
  forbidden: ['yours', 'no'],
  gone: ['yours', 'no'],
  exists: ['yours', 'changed'],
  tooLarge: ['yours', 'no'],
  quota: ['yours', 'changed'],
  name: ['yours', 'changed'],
  locked: ['yours', 'later'],
  stale: ['yours', 'changed'],
  password: ['yours', 'changed'],
  partly: ['server', 'now'],
  factor: ['yours', 'changed'],
  ticket: ['yours', 'changed'],
  noPasskeys: ['server', 'no'],
  passkey: ['yours', 'changed'],
  picture: ['yours', 'changed'],
  presentPassword: ['yours', 'changed'],
  guesses: ['yours', 'later'],
  io: ['server', 'later'],
  storeRules: ['server', 'changed'],
  storeAway: ['line', 'later'],
  storeBusy: ['store', 'later'],
  storeKeys: ['server', 'changed'],
  storeRefused: ['store', 'no'],
  damaged: ['server', 'no'],
  readOnly: ['server', 'no'],
  bad: ['page', 'no'],
  inside: ['server', 'later'],
} as const satisfies Record<string, readonly [Whose, Again]>;

type Failure = keyof typeof faults;

/** "Fault of the server. Trying again later may help." */
export function faultText(whose: Whose, again: Again): string {
  return `${i18next.t(`fault.${whose}`)} ${i18next.t(`again.${again}`)}`;
}

/** A failure in plain words: what happened, what to do, and the id to quote. */
export function failureWords(error: unknown, size = ''): Words {
  const say = (name: Failure, details = {}): Words => ({
    what: i18next.t(`failure.${name}.what` as 'failure.bad.what', details),
    todo: i18next.t(`failure.${name}.todo` as 'failure.bad.todo', details),
    fault: faultText(faults[name][0], faults[name][1]),
    id: error instanceof ApiError ? error.correlationId : undefined,
  });
  if (!(error instanceof ApiError)) return say('inside');
  if (error.store) return say(byStore[error.store.why], error.store);
  switch (error.kind) {
    case 'network':
      return say('network');
    case 'strange':
      return say('strange');
    case 'status':
      return error.status === 413 ? say('proxySize', { size }) : say('proxy', error);
    case 'refused': {
      const name = byCode[error.code as keyof typeof byCode];
      if (name === 'forbidden' && /too many wrong/i.test(error.message)) return say('guesses');
      if (name === 'io') return say(ioFailure(error.message));
      if (name) return say(name);
      const ours = error.code >= 40000 && error.code < 50000;
      return ours ? say('bad', { message: error.message }) : say('inside');
    }
  }
}

/** The same of what may not have failed. */
export function wordsOf(error: unknown): Words | undefined {
  return error ? failureWords(error) : undefined;
}

/** Several troubles of a storage share a code; the sentence tells them apart. */
function ioFailure(message: string): Failure {
  if (/missing or damaged/.test(message)) return 'damaged';
  return /read-only/.test(message) ? 'readOnly' : 'io';
}
