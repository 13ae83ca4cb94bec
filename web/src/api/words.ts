import { i18next } from '@/lib/i18n';
import { ApiError, Code } from './error';

export interface Words {
  what: string;
  todo: string;
  id: string | undefined;
}

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
  [Code.io]: 'io',
} as const;

/** A failure in plain words: what happened, what to do, and the id to quote. */
export function failureWords(error: unknown, size = ''): Words {
  const say = (name: string, details = {}) => ({
    what: i18next.t(`failure.${name}.what` as 'failure.bad.what', details),
    todo: i18next.t(`failure.${name}.todo` as 'failure.bad.todo', details),
    id: error instanceof ApiError ? error.correlationId : undefined,
  });
  if (!(error instanceof ApiError)) return say('inside');
  switch (error.kind) {
    case 'network':
      return say('network');
    case 'strange':
      return say('strange');
    case 'status':
      return error.status === 413 ? say('proxySize', { size }) : say('proxy', error);
    case 'refused': {
      const name = byCode[error.code as keyof typeof byCode];
      if (name) return say(name);
      const ours = error.code >= 40000 && error.code < 50000;
      return ours ? say('bad', { message: error.message }) : say('inside');
    }
  }
}
