import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Setting } from '@/api/account';
import type { User } from '@/api/model';
import { settingQuery } from '@/api/queries';
import { failureWords } from '@/api/words';
import { Notice } from '@/ui/notice';
import page from '@/ui/page.module.css';
import { Devices } from './devices';
import { SecondFactor } from './factor';
import classes from './page.module.css';
import { Passkeys } from './passkeys';
import { ChangePassword } from './password';
import { Profile } from './profile';
import { Versions } from './versions';

/** Another text when the server keeps other versions than are shown. */
const kept = (s: Setting) =>
  [s.version_retention_enabled, s.version_retention_max, s.version_retention_ext].join();

interface Props {
  user: User;
  account: ReactNode;
}

/** One's own account: each section does one thing and says when it is done. */
export default function AccountPage({ user, account }: Props) {
  const { t } = useTranslation();
  const { data, error } = useQuery(settingQuery);
  const words = error ? failureWords(error) : undefined;
  return (
    <div className={classes.page}>
      <div className={page.top}>
        <h1>{t('app.account')}</h1>
        {account}
      </div>
      {words && <Notice what={words.what} more={[words.todo]} fault={words.fault} id={words.id} />}
      <Profile user={user} />
      <ChangePassword />
      {data && (
        <SecondFactor user={user} on={data.two_fa_enabled} left={data.recovery_codes_left ?? 0} />
      )}
      {data && <Passkeys list={data.passkeys ?? []} />}
      {data && <Versions key={kept(data)} setting={data} />}
      <Devices />
    </div>
  );
}
