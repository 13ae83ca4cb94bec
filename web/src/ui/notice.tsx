import type { ReactNode } from 'react';
import classes from './notice.module.css';
import { RequestId } from './request-id';

interface Props {
  what: string;
  /** What is safe, and what to do. */
  more?: (string | undefined)[];
  /** Whose fault, and whether trying again helps. */
  fault?: string | undefined;
  /** What to quote when asking for help. */
  id?: string | undefined;
  tone?: 'red' | 'amber';
  children?: ReactNode;
}

/** What happened, what is safe, what to do. */
export function Notice({ what, more = [], fault, id, tone = 'red', children }: Props) {
  return (
    <div className={`${classes.notice} ${tone === 'amber' ? classes.amber : ''}`} role="alert">
      <p className={classes.what}>{what}</p>
      {more.filter(Boolean).map((line) => (
        <p key={line}>{line}</p>
      ))}
      {fault && <p className={classes.fault}>{fault}</p>}
      {id && <RequestId id={id} />}
      {children}
    </div>
  );
}
