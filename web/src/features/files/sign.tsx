import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { picturedQuery } from '@/api/thumbs';
import { splitName } from '@/lib/path';
import { iconOf } from '@/ui/file-icon';
import { Icon } from '@/ui/icon';
import type { Item } from './listing';

const Thumb = lazy(() => import('./thumb'));

/** Who looks at a file: `passing` while the list is scrolled. */
export type Look = 'away' | 'passing' | 'near';

/** Whether a file has a picture. */
export function usePictured(): (item: Item) => boolean {
  const { data } = useQuery(picturedQuery);
  return (item) =>
    !item.folder &&
    !item.pending &&
    !item.damaged &&
    data?.has(splitName(item.name)[1].slice(1).toLowerCase()) === true;
}

interface Props {
  item: Item;
  look: Look;
  size: number;
}

/** What a file is known by: its picture where it has one, else its icon. */
export function Sign({ item, look, size }: Props) {
  const icon = <Icon of={iconOf(item.name, item.folder)} size={size} />;
  if (look === 'away') return icon;
  return (
    <Suspense fallback={icon}>
      <Thumb key={item.version} item={item} ask={look === 'near'} icon={icon} />
    </Suspense>
  );
}
