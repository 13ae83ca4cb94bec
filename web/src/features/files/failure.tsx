import { ApiError } from '@/api/error';
import { failureWords } from '@/api/words';
import { Notice } from '@/ui/notice';

/** A failure inside a dialog or a page, in its three parts. */
export function Failure({ error }: { error: unknown }) {
  if (!error) return null;
  const { what, todo, fault, id } = failureWords(error);
  return <Notice what={what} more={[todo]} fault={fault} id={id} />;
}

/** Nothing is at this path, rather than something went wrong. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.kind === 'refused' && [404, 40016].includes(error.code);
}
