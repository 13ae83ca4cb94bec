import type { Icon as TablerIcon } from '@tabler/icons-react';
import { lazy, type ReactElement, type ReactNode, Suspense, useState } from 'react';

const MenuBody = lazy(() => import('./menu-body'));

export type MenuEntry =
  | {
      text: string;
      act(): void;
      icon?: TablerIcon;
      danger?: boolean;
      /** One of several, of which one is on. */
      on?: boolean;
    }
  | { heading: string }
  | { node: ReactNode };

export interface TriggerProps {
  onClick?(e: { stopPropagation(): void }): void;
  'aria-haspopup'?: 'menu';
  'aria-expanded'?: boolean;
}

interface Props {
  /** A button. What it is given, it must pass on. */
  trigger: ReactElement<TriggerProps>;
  /** Made when the menu opens. */
  entries(): MenuEntry[];
}

/**
 * A menu that costs nothing until it is opened: a list of a thousand rows has a
 * thousand of them.
 */
export function PopMenu({ trigger, entries }: Props) {
  const [wanted, setWanted] = useState(false);
  const [open, setOpen] = useState(false);
  const { type: Trigger, props } = trigger;
  const button = (
    <Trigger
      {...props}
      aria-haspopup="menu"
      aria-expanded={open}
      onClick={(e: { stopPropagation(): void }) => {
        e.stopPropagation();
        setWanted(true);
        setOpen(true);
      }}
    />
  );
  if (!wanted) return button;
  return (
    <Suspense fallback={button}>
      <MenuBody open={open} onOpen={setOpen} trigger={trigger} entries={entries()} />
    </Suspense>
  );
}
