import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { addPasskey, deletePasskey, type Passkey } from '@/api/account';
import { PasskeyAbandoned, passkeysKnown } from '@/api/passkey';
import { settingQuery, siteLoginQuery } from '@/api/queries';
import { formatWhen } from '@/lib/time';
import { toast } from '@/ui/toast';
import classes from './page.module.css';
import { Section } from './section';

/** Sign-ins without a password. */
export function Passkeys({ list }: { list: Passkey[] }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { data: site } = useQuery(siteLoginQuery);
  const [name, setName] = useState('');
  const refresh = () => queries.invalidateQueries({ queryKey: settingQuery.queryKey });
  const add = useMutation({
    mutationFn: () => addPasskey(name.trim() || t('account.passkeyName')),
    onSuccess: () => {
      setName('');
      toast(t('account.passkeyAdded'));
      return refresh();
    },
  });
  const remove = useMutation({ mutationFn: deletePasskey, onSettled: refresh });
  const can = site?.authn === true && passkeysKnown();
  const error = add.error instanceof PasskeyAbandoned ? null : add.error;
  return (
    <Section
      title={t('account.passkeys')}
      text={can ? t('account.passkeysText') : t('account.passkeysOff')}
      error={error ?? remove.error}
    >
      {list.length > 0 && (
        <ul className={classes.list}>
          {list.map((key) => (
            <li key={key.id} className={classes.line}>
              <div>
                {key.name}
                <div className="muted">
                  {key.used_at
                    ? t('account.usedWhen', {
                        when: formatWhen(Date.parse(key.used_at), Date.now()),
                      })
                    : t('account.neverUsed')}
                </div>
              </div>
              <Button
                variant="subtle"
                color="red"
                aria-label={t('account.removePasskey', { name: key.name })}
                onClick={() => remove.mutate(key.id)}
              >
                {t('account.remove')}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {can && (
        <form
          className={classes.form}
          onSubmit={(e) => {
            e.preventDefault();
            add.mutate();
          }}
        >
          <TextInput
            className={classes.field ?? ''}
            label={t('account.passkeyLabel')}
            placeholder={t('account.passkeyName')}
            maxLength={100}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
          />
          <Button type="submit" variant="default" loading={add.isPending}>
            {t('account.addPasskey')}
          </Button>
        </form>
      )}
    </Section>
  );
}
