import '@mantine/core/styles/PasswordInput.css';
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, Code } from '@/api/error';
import { signIn } from '@/api/operations';
import { siteBasicQuery, siteLoginQuery } from '@/api/queries';
import { failureWords } from '@/api/words';
import { Brand } from '@/ui/brand';
import { Notice } from '@/ui/notice';
import classes from './account.module.css';

interface Props {
  /** Said when one did not come here by oneself. */
  ended: boolean;
  /** Uploads of this page that wait for the sign-in. */
  waiting: number;
}

export default function SignIn({ ended, waiting }: Props) {
  const { t } = useTranslation();
  const { data: site } = useQuery(siteBasicQuery);
  const { data: login } = useQuery(siteLoginQuery);
  return (
    <main className={classes.screen}>
      <div className={classes.brand}>
        <Brand size={36} />
        {site?.title || t('app.name')}
      </div>
      <div className={classes.card}>
        <h1>{t('signIn.title')}</h1>
        {login?.setup_required ? (
          <div className={classes.form}>
            <Notice tone="amber" what={t('signIn.noAccount')} more={[t('signIn.noAccountHow')]} />
          </div>
        ) : (
          <SignInForm ended={ended} waiting={waiting} />
        )}
      </div>
    </main>
  );
}

function SignInForm({ ended, waiting }: Props) {
  const { t } = useTranslation();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  // The address moves on by itself once there is a sign-in.
  const attempt = useMutation({ mutationFn: () => signIn(email.trim(), password) });
  const words = attempt.error ? failureWords(attempt.error) : undefined;
  const wrong = attempt.error instanceof ApiError && attempt.error.is(Code.wrongPassword);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    attempt.mutate();
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      {words && (
        <Notice
          what={words.what}
          more={[words.todo]}
          fault={wrong ? undefined : words.fault}
          id={wrong ? undefined : words.id}
        />
      )}
      {ended && !words && (
        <Notice
          tone="amber"
          what={t('signIn.again')}
          more={[waiting > 0 ? t('signIn.kept', { count: waiting }) : undefined]}
        />
      )}
      <TextInput
        label={t('signIn.email')}
        type="email"
        size="md"
        autoComplete="username"
        autoFocus
        required
        withAsterisk={false}
        value={email}
        onChange={(e) => setEmail(e.currentTarget.value)}
      />
      <PasswordInput
        label={t('signIn.password')}
        size="md"
        autoComplete="current-password"
        required
        withAsterisk={false}
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
      />
      <Button type="submit" size="md" loading={attempt.isPending}>
        {t('signIn.submit')}
      </Button>
    </form>
  );
}
