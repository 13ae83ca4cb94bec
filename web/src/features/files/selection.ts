import { useCallback, useMemo, useState } from 'react';
import type { Item } from './listing';

interface State {
  chosen: ReadonlySet<string>;
  /** Where the keyboard is. */
  cursor: string | undefined;
  /** Where a range begins. */
  anchor: string | undefined;
}

const nothing: State = { chosen: new Set(), cursor: undefined, anchor: undefined };

export type Step = 'only' | 'toggle' | 'range' | 'cursor';

export interface Selection {
  items: Item[];
  has(item: Item): boolean;
  cursor: number;
  /** Goes to an item, and chooses it alone, too, or all from the anchor to it. */
  to(index: number, step: Step): void;
  all(): void;
  clear(): void;
}

/** What is chosen in a list. Items that are gone are not chosen, whatever was clicked before. */
export function useSelection(items: Item[]): Selection {
  const [state, setState] = useState(nothing);
  const indexOf = useMemo(() => new Map(items.map((item, i) => [item.uri, i])), [items]);

  const to = useCallback(
    (index: number, step: Step) => {
      const item = items[index];
      if (!item) return;
      setState((s) => {
        if (step === 'cursor') return { ...s, cursor: item.uri };
        if (step === 'range') {
          const from = indexOf.get(s.anchor ?? item.uri) ?? index;
          const [low, high] = from < index ? [from, index] : [index, from];
          const chosen = new Set(items.slice(low, high + 1).map((i) => i.uri));
          return { chosen, cursor: item.uri, anchor: s.anchor ?? item.uri };
        }
        const chosen = new Set(step === 'toggle' ? s.chosen : []);
        if (step === 'toggle' && chosen.has(item.uri)) chosen.delete(item.uri);
        else chosen.add(item.uri);
        return { chosen, cursor: item.uri, anchor: item.uri };
      });
    },
    [items, indexOf],
  );

  return {
    items: useMemo(() => items.filter((i) => state.chosen.has(i.uri)), [items, state.chosen]),
    has: (item) => state.chosen.has(item.uri),
    cursor: indexOf.get(state.cursor ?? '') ?? -1,
    to,
    all: () => setState((s) => ({ ...s, chosen: new Set(items.map((i) => i.uri)) })),
    clear: () => setState((s) => ({ ...nothing, cursor: s.cursor })),
  };
}
