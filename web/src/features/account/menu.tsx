import { useMantineColorScheme } from '@mantine/core';
import { IconLogout, IconUserCog } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { User } from '@/api/model';
import { signOut } from '@/api/operations';
import { go } from '@/lib/location';
import { PopMenu } from '@/ui/menu';
import classes from './account.module.css';

interface Props {
  user: User;
  /** Shown inside where there is no rail to hold it. */
  capacity?: ReactNode;
}

const schemes = ['auto', 'light', 'dark'] as const;

export function AccountMenu({ user, capacity }: Props) {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const name = user.nickname || user.email || user.id;
  const words = { auto: t('app.system'), light: t('app.light'), dark: t('app.dark') };
  const who = (
    <div className={classes.who}>
      <strong>{name}</strong>
      {user.email && user.email !== name && <div className="muted">{user.email}</div>}
      {capacity}
    </div>
  );
  return (
    <PopMenu
      trigger={
        <button type="button" className={classes.avatar} aria-label={t('app.account')}>
          {[...name][0]?.toLocaleUpperCase()}
        </button>
      }
      entries={() => [
        { node: who },
        { heading: t('app.theme') },
        ...schemes.map((scheme) => ({
          text: words[scheme],
          on: colorScheme === scheme,
          act: () => setColorScheme(scheme),
        })),
        { heading: t('app.account') },
        { text: t('account.settings'), icon: IconUserCog, act: () => go('/account') },
        { text: t('app.signOut'), icon: IconLogout, act: () => void signOut() },
      ]}
    />
  );
}
