import type { ApiError } from '@/api/error';
import { locksOf } from '@/api/operations';
import type { Lock } from './job';

export function locksIn(error: ApiError): Lock {
  const locks = locksOf(error);
  return {
    tokens: locks.flatMap((lock) => (lock.token ? [lock.token] : [])),
    by: locks[0]?.owner.application.type ?? '',
  };
}
