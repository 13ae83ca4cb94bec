import { IconArrowsUpDown } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { CapacityBar } from '@/features/account';
import { go } from '@/lib/location';
import { Brand } from '@/ui/brand';
import { Icon } from '@/ui/icon';
import classes from './frame.module.css';
import { adminLink, links, type Room } from './rooms';

interface Props {
  title: string;
  room: Room;
  transfersOpen: boolean;
  /** Whether the user administers the site. */
  admin: boolean;
  onTransfers(): void;
  children: ReactNode;
}

/** The rail beside every page; a bar below it on small screens. */
export function Frame({ title, room, transfersOpen, admin, onTransfers, children }: Props) {
  const { t } = useTranslation();
  const nav = (
    <>
      {(admin ? [...links, adminLink] : links).map((link) => (
        <a
          key={link.room}
          className={classes.link}
          href={`/${link.room}`}
          aria-current={link.room === room ? 'page' : undefined}
          onClick={(e) => {
            if (e.metaKey || e.ctrlKey) return;
            e.preventDefault();
            go(`/${link.room}`);
          }}
        >
          <Icon of={link.icon} size={20} />
          {t(link.text)}
        </a>
      ))}
      <button
        type="button"
        className={classes.link}
        aria-expanded={transfersOpen}
        onClick={onTransfers}
      >
        <Icon of={IconArrowsUpDown} size={20} />
        {t('app.transfers')}
      </button>
    </>
  );
  return (
    <div className={classes.frame}>
      <div className={classes.rail}>
        <div className={classes.brand}>
          <Brand />
          {title}
        </div>
        <nav className={classes.nav} aria-label={t('app.main')}>
          {nav}
        </nav>
        <CapacityBar />
      </div>
      <main className={classes.main}>{children}</main>
      <nav className={classes.bottom} aria-label={t('app.main')}>
        {nav}
      </nav>
    </div>
  );
}
