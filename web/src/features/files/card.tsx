import { iconOf } from '@/ui/file-icon';
import { Icon } from '@/ui/icon';
import classes from './list.module.css';
import { Damaged, type ItemProps, itemAttributes } from './row';

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
      <Icon of={iconOf(item.name, item.folder)} size={40} />
      <div className={classes.cardName} title={item.name}>
        <bdi>{item.name}</bdi>
      </div>
      {item.damaged && <Damaged />}
      {item.pending && p.pending}
    </div>
  );
}
