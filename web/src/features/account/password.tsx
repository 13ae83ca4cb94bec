import '@mantine/core/styles/PasswordInput.css';
import { Button, PasswordInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changeSetting } from '@/api/account';
import { devicesQuery } from '@/api/queries';
import { toast } from '@/ui/toast';
import classes from './page.module.css';
import { Section } from './section';

const shortest = 8;

export function ChangePassword() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [was, setWas] = useState('');
  const [now, setNow] = useState('');
  const change = useMutation({
    mutationFn: () => changeSetting({ current_password: was, new_password: now }),
    onSuccess: () => {
      setWas('');
      setNow('');
      toast(t('account.passwordChanged'));
      return queries.invalidateQueries({ queryKey: devicesQuery.queryKey });
    },
  });
  const missing = shortest - now.length;
  return (
    <Section title={t('signIn.password')} text={t('account.passwordText')} error={change.error}>
      <form
        className={classes.form}
        onSubmit={(e) => {
          e.preventDefault();
          if (missing <= 0) change.mutate();
        }}
      >
        <PasswordInput
          className={classes.field ?? ''}
          label={t('account.presentPassword')}
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={was}
          onChange={(e) => setWas(e.currentTarget.value)}
        />
        <PasswordInput
          className={classes.field ?? ''}
          label={t('account.newPassword')}
          description={t('setUp.passwordRule')}
          autoComplete="new-password"
          required
          withAsterisk={false}
          error={
            now !== '' && missing > 0 ? t('setUp.passwordShort', { count: missing }) : undefined
          }
          value={now}
          onChange={(e) => setNow(e.currentTarget.value)}
        />
        <Button type="submit" loading={change.isPending} disabled={was === '' || missing > 0}>
          {t('account.changePassword')}
        </Button>
      </form>
    </Section>
  );
}
