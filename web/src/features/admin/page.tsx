import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { go } from '@/lib/location';
import page from '@/ui/page.module.css';
import { Changes } from './changes';
import { Groups } from './groups';
import classes from './page.module.css';
import { Policies } from './policies';
import { SiteSettings } from './site';
import { Uploads } from './uploads';
import { Users } from './users';

const places = {
  users: Users,
  groups: Groups,
  policies: Policies,
  uploads: Uploads,
  site: SiteSettings,
  changes: Changes,
} as const;

type Where = keyof typeof places;

interface Props {
  /** The second segment of the address. */
  where: string | undefined;
  account: ReactNode;
}

/** What concerns everybody on the site: each place answers one question. */
export default function AdminPage({ where, account }: Props) {
  const { t } = useTranslation();
  const here: Where = where !== undefined && where in places ? (where as Where) : 'users';
  const Place = places[here];
  return (
    <div className={classes.page}>
      <div className={page.top}>
        <h1>{t('admin.title')}</h1>
        {account}
      </div>
      <nav className={classes.tabs} aria-label={t('admin.title')}>
        {(Object.keys(places) as Where[]).map((place) => (
          <a
            key={place}
            href={`/admin/${place}`}
            aria-current={place === here ? 'page' : undefined}
            onClick={(e) => {
              if (e.metaKey || e.ctrlKey) return;
              e.preventDefault();
              go(`/admin/${place}`);
            }}
          >
            {t(`admin.${place}`)}
          </a>
        ))}
      </nav>
      <Place />
    </div>
  );
}
