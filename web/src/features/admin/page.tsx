import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { addTexts } from '@/lib/i18n';
import texts from '@/lib/locales/en-admin.json';
import { go } from '@/lib/location';
import page from '@/ui/page.module.css';
import { Changes } from './changes';
import { Groups } from './groups';
import { Blobs, Files, Tasks } from './lists';
import classes from './page.module.css';
import { Policies } from './policies';
import { SiteSettings } from './site';
import { Uploads } from './uploads';
import { Users } from './users';

addTexts('admin', texts);

const places = {
  users: Users,
  groups: Groups,
  policies: Policies,
  files: Files,
  blobs: Blobs,
  uploads: Uploads,
  tasks: Tasks,
  site: SiteSettings,
  changes: Changes,
} as const;

type Where = keyof typeof places;

interface Props {
  /** The second segment of the address. */
  where: string | undefined;
  account: ReactNode;
}

/** The tabs may be more than fit beside each other. */
const intoView = (tab: HTMLElement | null) =>
  tab?.scrollIntoView({ block: 'nearest', inline: 'nearest' });

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
            ref={place === here ? intoView : null}
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
