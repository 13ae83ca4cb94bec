import { ActionIcon, Button, TextInput } from '@mantine/core';
import {
  IconFileUpload,
  IconFolderPlus,
  IconFolderUp,
  IconLayoutGrid,
  IconList,
  IconSearch,
  IconUpload,
  IconX,
} from '@tabler/icons-react';
import type { ReactNode, RefObject } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '@/ui/icon';
import { PopMenu } from '@/ui/menu';
import classes from './bars.module.css';
import type { Item } from './listing';
import { type ItemActions, verbsFor } from './verbs';
import type { View } from './view';

interface TopProps {
  filter: string;
  filterRef: RefObject<HTMLInputElement | null>;
  account: ReactNode;
  onFilter(text: string): void;
  /** Enter or the arrow down in the filter go to the list. */
  onLeaveFilter(): void;
  onNewFolder(): void;
  onUpload(what: 'files' | 'folder'): void;
}

export function TopBar(p: TopProps) {
  const { t } = useTranslation();
  return (
    <div className={classes.top}>
      <TextInput
        ref={p.filterRef}
        className={classes.search ?? ''}
        type="search"
        aria-label={t('files.search')}
        placeholder={t('files.searchShort')}
        value={p.filter}
        leftSection={<Icon of={IconSearch} size={16} />}
        rightSection={
          p.filter ? (
            <ActionIcon
              size={24}
              aria-label={t('files.clearFilter')}
              onClick={() => p.onFilter('')}
            >
              <Icon of={IconX} size={14} />
            </ActionIcon>
          ) : (
            <kbd className={classes.key}>/</kbd>
          )
        }
        onChange={(e) => p.onFilter(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === 'Escape') p.onFilter('');
          if (e.key === 'Escape' || e.key === 'Enter' || e.key === 'ArrowDown') {
            e.preventDefault();
            p.onLeaveFilter();
          }
        }}
      />
      <Button
        variant="default"
        aria-label={t('files.newFolder')}
        data-tip={t('files.newFolder')}
        leftSection={<Icon of={IconFolderPlus} />}
        className={classes.action ?? ''}
        onClick={p.onNewFolder}
      >
        <span className={classes.word}>{t('files.newFolder')}</span>
      </Button>
      <PopMenu
        trigger={
          <Button leftSection={<Icon of={IconUpload} />} aria-label={t('files.upload')}>
            {t('files.upload')}
          </Button>
        }
        entries={() => [
          { text: t('files.uploadFiles'), icon: IconFileUpload, act: () => p.onUpload('files') },
          { text: t('files.uploadFolder'), icon: IconFolderUp, act: () => p.onUpload('folder') },
        ]}
      />
      {p.account}
    </div>
  );
}

interface PlaceProps {
  breadcrumb: ReactNode;
  count: string;
  view: View;
  onView(view: View): void;
}

export function PlaceBar({ breadcrumb, count, view, onView }: PlaceProps) {
  const { t } = useTranslation();
  const other = view === 'list' ? 'grid' : 'list';
  const label = other === 'grid' ? t('files.asGrid') : t('files.asList');
  return (
    <div className={classes.place}>
      {breadcrumb}
      <span className={`${classes.count} num`} aria-live="polite">
        {count}
      </span>
      <ActionIcon aria-label={label} data-tip={label} onClick={() => onView(other)}>
        <Icon of={other === 'grid' ? IconLayoutGrid : IconList} />
      </ActionIcon>
    </div>
  );
}

interface ChosenProps {
  items: Item[];
  actions: ItemActions;
  onClear(): void;
}

/** Takes the place of the toolbar while something is chosen. */
export function ChosenBar({ items, actions, onClear }: ChosenProps) {
  const { t } = useTranslation();
  return (
    <div
      className={classes.chosen}
      role="toolbar"
      aria-label={t('files.selected', { count: items.length })}
    >
      <span className="num">{t('files.selected', { count: items.length })}</span>
      {verbsFor(t, items, actions).map((verb) => (
        <Button
          key={verb.text}
          variant="subtle"
          color={verb.danger ? 'red' : 'gray'}
          size="compact-sm"
          c={verb.danger ? 'var(--red)' : 'var(--ink)'}
          aria-label={verb.text}
          leftSection={<Icon of={verb.icon} size={16} />}
          onClick={verb.act}
        >
          <span className={classes.word}>{verb.text}</span>
        </Button>
      ))}
      <ActionIcon
        size={28}
        aria-label={t('files.clear')}
        data-tip={t('files.clear')}
        onClick={onClear}
      >
        <Icon of={IconX} size={16} />
      </ActionIcon>
    </div>
  );
}
