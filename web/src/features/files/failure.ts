import { ApiError } from '@/api/error';

/** Nothing is at this path, rather than something went wrong. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.kind === 'refused' && [404, 40016].includes(error.code);
}
