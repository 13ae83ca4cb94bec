import {
  IconDownload,
  IconFolderSymlink,
  IconInfoCircle,
  IconLink,
  IconPencil,
  IconTrash,
  type Icon as TablerIcon,
} from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import { mayArchive } from './actions';
import type { Item } from './listing';

export interface ItemActions {
  download(items: Item[]): void;
  rename(item: Item): void;
  share: ((item: Item) => void) | undefined;
  move(items: Item[]): void;
  remove(items: Item[]): void;
  details(item: Item): void;
}

export interface Verb {
  text: string;
  icon: TablerIcon;
  danger?: boolean;
  act(): void;
}

/** What can be done with some items; the same in the bar and in a row's menu. */
export function verbsFor(t: TFunction, items: Item[], actions: ItemActions): Verb[] {
  const [first] = items;
  const one = items.length === 1 ? first : undefined;
  const verbs: Verb[] = [];
  if (items.every((i) => !i.pending && (!i.folder || mayArchive())))
    verbs.push({
      text: t('files.download'),
      icon: IconDownload,
      act: () => actions.download(items),
    });
  const { share } = actions;
  if (one && share) verbs.push({ text: t('files.share'), icon: IconLink, act: () => share(one) });
  verbs.push({ text: t('files.move'), icon: IconFolderSymlink, act: () => actions.move(items) });
  if (one) {
    verbs.push({ text: t('files.rename'), icon: IconPencil, act: () => actions.rename(one) });
    verbs.push({
      text: t('files.details'),
      icon: IconInfoCircle,
      act: () => actions.details(one),
    });
  }
  verbs.push({
    text: t('files.delete'),
    icon: IconTrash,
    danger: true,
    act: () => actions.remove(items),
  });
  return verbs;
}
