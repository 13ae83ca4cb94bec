import '@mantine/core/styles/Popover.css';
import '@mantine/core/styles/Menu.css';
import { Menu } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { cloneElement, type ReactElement } from 'react';
import { Icon } from './icon';
import type { MenuEntry, TriggerProps } from './menu';

interface Props {
  open: boolean;
  onOpen(open: boolean): void;
  trigger: ReactElement<TriggerProps>;
  entries: MenuEntry[];
}

export default function MenuBody({ open, onOpen, trigger, entries }: Props) {
  return (
    <Menu opened={open} onChange={onOpen}>
      <Menu.Target>{cloneElement(trigger, { onClick: (e) => e.stopPropagation() })}</Menu.Target>
      <Menu.Dropdown onClick={(e) => e.stopPropagation()}>
        {entries.map((entry) => (
          <Entry key={keyOf(entry)} {...entry} />
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function keyOf(entry: MenuEntry): string {
  return 'text' in entry ? entry.text : 'heading' in entry ? entry.heading : 'node';
}

function Entry(entry: MenuEntry) {
  if ('node' in entry) return entry.node;
  if ('heading' in entry) return <Menu.Label>{entry.heading}</Menu.Label>;
  const { text, act, icon, danger, on } = entry;
  const radio = on !== undefined;
  return (
    <Menu.Item
      c={danger ? 'var(--red)' : 'var(--ink)'}
      leftSection={icon && <Icon of={icon} size={16} />}
      rightSection={on ? <Icon of={IconCheck} size={16} /> : null}
      closeMenuOnClick={!radio}
      onClick={act}
      {...(radio && { role: 'menuitemradio', 'aria-checked': on })}
    >
      {text}
    </Menu.Item>
  );
}
