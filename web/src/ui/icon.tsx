import type { Icon as TablerIcon } from '@tabler/icons-react';

interface Props {
  of: TablerIcon;
  size?: number;
}

/** Every icon in one weight. It says nothing by itself: a word or a label stands beside it. */
export function Icon({ of: Shape, size = 18 }: Props) {
  return <Shape size={size} stroke={1.5} aria-hidden="true" style={{ flex: 'none' }} />;
}
