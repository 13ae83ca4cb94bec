import type { ReactNode } from 'react';
import { failureWords } from '@/api/words';
import { Notice } from '@/ui/notice';
import classes from './page.module.css';

interface Props {
  title: string;
  /** What it is for. */
  text?: string;
  error?: Error | null;
  children: ReactNode;
}

/** A section, with what failed in it. */
export function Section({ title, text, error, children }: Props) {
  const words = error ? failureWords(error) : undefined;
  return (
    <section className={classes.section} aria-label={title}>
      <h2>{title}</h2>
      {text && <p className="muted">{text}</p>}
      {words && <Notice what={words.what} more={[words.todo]} fault={words.fault} id={words.id} />}
      {children}
    </section>
  );
}
