import { ActionIcon, Checkbox } from '@mantine/core';
import { IconAlertTriangle, IconDots } from '@tabler/icons-react';
import type { CSSProperties, MouseEvent, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { exactBytes, formatBytes } from '@/lib/bytes';
import { formatMoment, formatWhen } from '@/lib/time';
import { FileName } from '@/ui/file-name';
import { Icon } from '@/ui/icon';
import { type MenuEntry, PopMenu } from '@/ui/menu';
import { dropOn } from './drop';
import classes from './list.module.css';
import type { Item } from './listing';
import { type Look, Sign } from './sign';

export interface ItemProps {
  id: string;
  item: Item;
  index: number;
  chosen: boolean;
  cursor: boolean;
  over: boolean;
  /** Whether somebody looks at its picture. */
  look: Look;
  style: CSSProperties;
  /** What to show for a file that has not arrived. */
  pending: ReactNode;
  /** Entries of its menu. */
  menu(): MenuEntry[];
  onClick(e: MouseEvent): void;
  onOpen(): void;
  onToggle(): void;
}

/** Attributes that a row and a card share. */
export function itemAttributes(p: ItemProps) {
  return {
    id: p.id,
    style: p.style,
    'aria-selected': p.chosen,
    'data-cursor': p.cursor || undefined,
    'data-over': p.over || undefined,
    'data-pending': p.item.pending || undefined,
    ...(p.item.folder && dropOn(p.item.path)),
    onClick: p.onClick,
    onDoubleClick: p.onOpen,
  };
}

/** Beside the name of a file whose bytes are not what they were. */
export function Damaged() {
  const { t } = useTranslation();
  return (
    <span className={classes.damaged} data-tip={t('failure.damaged.what')}>
      <Icon of={IconAlertTriangle} size={14} />
      {t('files.damaged')}
    </span>
  );
}

export function Row(p: ItemProps) {
  const { t } = useTranslation();
  const { item } = p;
  const when = formatWhen(item.changedAt, Date.now());
  const unsized = item.folder || item.pending;
  return (
    <div
      role="row"
      tabIndex={-1}
      aria-rowindex={p.index + 2}
      className={`${classes.row} ${item.folder ? classes.folder : ''}`}
      {...itemAttributes(p)}
    >
      <div role="gridcell" className={classes.check}>
        <Checkbox
          checked={p.chosen}
          aria-label={t('files.select', { name: item.name })}
          tabIndex={-1}
          onChange={p.onToggle}
          onClick={(e) => e.stopPropagation()}
        />
      </div>
      <div role="gridcell" className={classes.name}>
        <span className={classes.sign}>
          <Sign item={item} look={p.look} size={20} />
        </span>
        <div className={classes.text}>
          <div className={classes.label}>
            <FileName name={item.name} />
            {item.damaged && <Damaged />}
          </div>
          <div className={`${classes.under} num`}>
            {unsized ? when : `${formatBytes(item.size)} · ${when}`}
          </div>
        </div>
      </div>
      {item.pending ? (
        <div role="gridcell" className={classes.pendingCell}>
          {p.pending}
        </div>
      ) : (
        <>
          <div role="gridcell" className={`${classes.fact} ${classes.right} num`}>
            {!unsized && <span data-tip={exactBytes(item.size)}>{formatBytes(item.size)}</span>}
          </div>
          <div role="gridcell" className={`${classes.fact} ${classes.right} num`}>
            <span data-tip={formatMoment(item.changedAt)}>{when}</span>
          </div>
          <div role="gridcell" className={classes.check}>
            <PopMenu
              trigger={
                <ActionIcon
                  tabIndex={-1}
                  aria-label={t('files.more', { name: item.name })}
                  onDoubleClick={(e) => e.stopPropagation()}
                >
                  <Icon of={IconDots} />
                </ActionIcon>
              }
              entries={p.menu}
            />
          </div>
        </>
      )}
    </div>
  );
}
