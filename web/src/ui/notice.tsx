import type { ReactNode } from 'react';
import classes from './notice.module.css';

interface Props {
  what: string;
  /** What is safe, and what to do. */
  more?: (string | undefined)[];
  /** What to quote when asking for help. */
  id?: string | undefined;
  idLabel?: string;
  tone?: 'red' | 'amber';
  children?: ReactNode;
}

/** What happened, what is safe, what to do. */
export function Notice({ what, more = [], id, idLabel, tone = 'red', children }: Props) {
  return (
    <div className={`${classes.notice} ${tone === 'amber' ? classes.amber : ''}`} role="alert">
      <p className={classes.what}>{what}</p>
      {more.filter(Boolean).map((line) => (
        <p key={line}>{line}</p>
      ))}
      {id && (
        <p className={`mono ${classes.id}`}>
          {idLabel} {id}
        </p>
      )}
      {children}
    </div>
  );
}
