import classes from './list.module.css';
import { Damaged, type ItemProps, itemAttributes } from './row';
import { Sign } from './sign';

/** One file of the grid. */
export function Card(p: ItemProps) {
  const { item } = p;
  return (
    <div
      role="option"
      tabIndex={-1}
      className={`${classes.card} ${item.folder ? classes.folder : ''}`}
      {...itemAttributes(p)}
    >
      <span className={classes.sign}>
        <Sign item={item} look={p.look} size={40} />
      </span>
      <div className={classes.cardName} title={item.name}>
        <bdi>{item.name}</bdi>
      </div>
      {item.damaged && <Damaged />}
      {item.pending && p.pending}
    </div>
  );
}
