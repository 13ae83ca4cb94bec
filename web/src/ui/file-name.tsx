import { splitName } from '@/lib/path';
import classes from './file-name.module.css';

/** A name on one line. When it is too long its middle goes, not its ending. */
export function FileName({ name, title = name }: { name: string; title?: string }) {
  const [stem, ending] = splitName(name);
  const keep = ending.length <= 12;
  return (
    <span className={classes.name} dir="auto" title={title}>
      <span className={classes.stem}>{keep ? stem : name}</span>
      {keep && <span className={classes.ending}>{ending}</span>}
    </span>
  );
}
