import { IconArrowsUpDown, IconFolder } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { CapacityBar } from '@/features/account';
import { go } from '@/lib/location';
import { Brand } from '@/ui/brand';
import { Icon } from '@/ui/icon';
import classes from './frame.module.css';

interface Props {
  title: string;
  transfersOpen: boolean;
  onTransfers(): void;
  children: ReactNode;
}

/** The rail beside every page; a bar below it on small screens. */
export function Frame({ title, transfersOpen, onTransfers, children }: Props) {
  const { t } = useTranslation();
  const links = (
    <>
      <a
        className={classes.link}
        href="/files"
        aria-current="page"
        onClick={(e) => {
          e.preventDefault();
          go('/files');
        }}
      >
        <Icon of={IconFolder} size={20} />
        {t('app.files')}
      </a>
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
          {links}
        </nav>
        <CapacityBar />
      </div>
      <main className={classes.main}>{children}</main>
      <nav className={classes.bottom} aria-label={t('app.main')}>
        {links}
      </nav>
    </div>
  );
}
