import type { ReactNode } from 'react';
import { wordsOf } from '@/api/words';
import { Failed } from '@/ui/failed';
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
  return (
    <section className={classes.section} aria-label={title}>
      <h2>{title}</h2>
      {text && <p className="muted">{text}</p>}
      <Failed words={wordsOf(error)} />
      {children}
    </section>
  );
}
