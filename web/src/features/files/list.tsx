import { Checkbox } from '@mantine/core';
import { useElementSize, useMediaQuery } from '@mantine/hooks';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type MouseEvent, type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { Sort } from '@/api/queries';
import type { Path } from '@/lib/path';
import { Icon } from '@/ui/icon';
import type { MenuEntry } from '@/ui/menu';
import { Card } from './card';
import { type KeyActions, onListKey } from './keys';
import classes from './list.module.css';
import type { Item, Listing } from './listing';
import { type ItemProps, Row } from './row';
import type { Selection } from './selection';
import { usePictured } from './sign';
import type { View } from './view';

interface Props {
  listing: Listing;
  selection: Selection;
  view: View;
  sort: Sort;
  label: string;
  actions: KeyActions;
  onSort(by: Sort['orderBy']): void;
  isOver(path: Path): boolean;
  pending(item: Item): ReactNode;
  menu(item: Item): MenuEntry[];
}

const cardWidth = 152;
const cardHeight = 164;
/** The head of the list stays in view above the rows. */
const headHeight = 36;
/** Ask for the next page when this many rows from the end. */
const ahead = 40;

/** A list or grid of any length: only what is in view is in the document. */
export function FileList(props: Props) {
  const { listing, selection, view, actions } = props;
  const { items } = listing;
  const body = useRef<HTMLDivElement>(null);
  const { ref: sizeRef, width } = useElementSize();
  const narrow = useMediaQuery('(max-width: 767px)') ?? false;
  const columns = view === 'grid' ? Math.max(2, Math.floor(width / cardWidth)) : 1;
  const height = view === 'grid' ? cardHeight : narrow ? 56 : 40;
  const head = view === 'list' && !narrow ? headHeight : 0;
  const lines = useVirtualizer({
    count: Math.ceil(items.length / columns),
    getScrollElement: () => body.current,
    estimateSize: () => height,
    overscan: 12,
    scrollMargin: head,
    scrollPaddingStart: head,
  });
  const shown = lines.getVirtualItems();
  const pictured = usePictured();
  const { range } = lines;
  const lookAt = (item: Item, line: number) => {
    const seen = range && line >= range.startIndex && line <= range.endIndex;
    if (!seen || !pictured(item)) return 'away';
    return lines.isScrolling ? 'passing' : 'near';
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: sizes are cached by the virtualizer
  useEffect(() => lines.measure(), [height, columns]);

  const last = shown.at(-1)?.index ?? 0;
  const nearEnd = (last + ahead) * columns >= items.length;
  const { more } = listing;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `more` is new at each render
  useEffect(() => {
    if (nearEnd) more();
  }, [nearEnd, items.length]);

  const { cursor } = selection;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the cursor's moves scroll
  useEffect(() => {
    if (cursor >= 0) lines.scrollToIndex(Math.floor(cursor / columns));
  }, [cursor, columns]);

  const click = (e: MouseEvent, index: number) => {
    selection.to(index, e.shiftKey ? 'range' : e.ctrlKey || e.metaKey ? 'toggle' : 'only');
    body.current?.focus({ preventScroll: true });
  };

  const itemProps = (index: number, start: number): ItemProps | undefined => {
    const item = items[index];
    if (!item) return undefined;
    const left = ((index % columns) * 100) / columns;
    return {
      id: `item-${index}`,
      item,
      index,
      chosen: selection.has(item),
      cursor: index === cursor,
      over: item.folder && props.isOver(item.path),
      look: lookAt(item, Math.floor(index / columns)),
      style:
        view === 'grid'
          ? { top: start, left: `${left}%`, width: `${100 / columns}%`, height: cardHeight - 6 }
          : { transform: `translateY(${start}px)` },
      pending: props.pending(item),
      menu: () => props.menu(item),
      onClick: (e) => click(e, index),
      onOpen: () => actions.open(item),
      onToggle: () => selection.to(index, 'toggle'),
    };
  };

  const Line = view === 'grid' ? Card : Row;
  const page = Math.max(1, Math.floor((body.current?.clientHeight ?? 400) / height) - 1);
  return (
    <div ref={sizeRef} className={classes.frame}>
      {/* biome-ignore lint/a11y/useAriaPropsSupportedByRole: grid and listbox both support them */}
      <div
        ref={body}
        id="files"
        className={`${classes.body} ${view === 'grid' ? classes.grid : ''}`}
        role={view === 'grid' ? 'listbox' : 'grid'}
        aria-label={props.label}
        aria-multiselectable
        aria-rowcount={view === 'grid' ? undefined : listing.complete ? items.length + 1 : -1}
        aria-activedescendant={cursor >= 0 ? `item-${cursor}` : undefined}
        tabIndex={0}
        onKeyDown={(e) =>
          e.target === e.currentTarget &&
          onListKey(e, { count: items.length, columns, page }, items, selection, actions)
        }
      >
        {view === 'list' && <Head {...props} />}
        <div
          className={classes.inner}
          role={view === 'grid' ? 'presentation' : 'rowgroup'}
          style={{ height: lines.getTotalSize() }}
        >
          {shown.flatMap((line) =>
            Array.from({ length: columns }, (_, i) => {
              const p = itemProps(line.index * columns + i, line.start - head);
              return p && <Line key={p.item.uri} {...p} />;
            }),
          )}
        </div>
      </div>
    </div>
  );
}

const sortable = [
  ['name', 'files.name', ''],
  ['size', 'files.size', classes.right],
  ['updated_at', 'files.changed', classes.right],
] as const;

function Head({ listing, selection, sort, onSort }: Props) {
  const { t } = useTranslation();
  const chosen = selection.items.length;
  return (
    <div role="rowgroup" className={classes.sticky}>
      <div role="row" aria-rowindex={1} className={classes.head}>
        <div role="columnheader" className={classes.check}>
          <Checkbox
            aria-label={t('files.selectAll')}
            checked={chosen > 0 && chosen === listing.items.length}
            indeterminate={chosen > 0 && chosen < listing.items.length}
            onChange={() => (chosen > 0 ? selection.clear() : selection.all())}
          />
        </div>
        {sortable.map(([by, text, side]) => {
          const on = sort.orderBy === by;
          const up = sort.direction === 'asc';
          return (
            <div
              key={by}
              role="columnheader"
              className={side}
              aria-sort={on ? (up ? 'ascending' : 'descending') : 'none'}
            >
              <button
                type="button"
                className={classes.sort}
                data-on={on || undefined}
                aria-label={t('files.sortBy', { column: t(text) })}
                onClick={() => onSort(by)}
              >
                {t(text)}
                {on && <Icon of={up ? IconArrowUp : IconArrowDown} size={14} />}
              </button>
            </div>
          );
        })}
        <div role="columnheader">
          <span className="quiet">{t('files.details')}</span>
        </div>
      </div>
    </div>
  );
}
