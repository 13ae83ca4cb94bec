import { Notice } from './notice';

interface Props {
  /** Of the failure, if there is one. */
  words: { what: string; todo: string; fault: string; id: string | undefined } | undefined;
}

/** A failure inside a dialog or a page, in its parts. */
export function Failed({ words }: Props) {
  if (!words) return null;
  const { what, todo, fault, id } = words;
  return <Notice what={what} more={[todo]} fault={fault} id={id} />;
}
