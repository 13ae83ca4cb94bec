import { failureWords } from '@/api/words';
import { Notice } from '@/ui/notice';

export function Failed({ error }: { error: unknown }) {
  if (!error) return null;
  const { what, todo, fault, id } = failureWords(error);
  return <Notice what={what} more={[todo]} fault={fault} id={id} />;
}
