import type { KeyboardEvent } from 'react';
import type { Item } from './listing';
import type { Selection } from './selection';

export interface KeyActions {
  open(item: Item): void;
  up(): void;
  rename(item: Item): void;
  remove(items: Item[]): void;
}

interface Shape {
  count: number;
  /** 1 in a list. */
  columns: number;
  /** Rows in view. */
  page: number;
}

/** The keyboard in a list or grid of files, as file managers have it. */
export function onListKey(
  e: KeyboardEvent,
  shape: Shape,
  items: Item[],
  selection: Selection,
  actions: KeyActions,
): void {
  const target = targetOf(e.key, selection.cursor, shape);
  const item = items[selection.cursor];
  const chosen = selection.items.length > 0 ? selection.items : item ? [item] : [];
  const only = chosen.length === 1 ? chosen[0] : undefined;
  const command = e.ctrlKey || e.metaKey;

  if (target !== undefined)
    selection.to(target, e.shiftKey ? 'range' : command ? 'cursor' : 'only');
  else if (e.key === ' ' && selection.cursor >= 0) selection.to(selection.cursor, 'toggle');
  else if (e.key === 'Enter' && item) actions.open(item);
  else if (e.key === 'Backspace' || (e.altKey && e.key === 'ArrowUp')) actions.up();
  else if (e.key === 'F2' && only) actions.rename(only);
  else if (e.key === 'Delete' && chosen.length > 0) actions.remove(chosen);
  else if (command && e.key.toLowerCase() === 'a') selection.all();
  else if (e.key === 'Escape') selection.clear();
  else return;
  e.preventDefault();
}

function targetOf(
  key: string,
  cursor: number,
  { count, columns, page }: Shape,
): number | undefined {
  const clamp = (n: number) => Math.max(0, Math.min(count - 1, n));
  switch (key) {
    case 'ArrowDown':
      return cursor < 0 ? 0 : clamp(cursor + columns);
    case 'ArrowUp':
      return cursor < 0 ? 0 : clamp(cursor - columns);
    case 'ArrowRight':
      return columns > 1 ? clamp(cursor + 1) : undefined;
    case 'ArrowLeft':
      return columns > 1 ? clamp(cursor - 1) : undefined;
    case 'PageDown':
      return clamp(cursor + page * columns);
    case 'PageUp':
      return clamp(cursor - page * columns);
    case 'Home':
      return 0;
    case 'End':
      return clamp(count - 1);
    default:
      return undefined;
  }
}
