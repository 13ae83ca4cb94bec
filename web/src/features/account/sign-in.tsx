import '@mantine/core/styles/PasswordInput.css';
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { finishSignIn, signInByPasskey } from '@/api/account';
import { ApiError, Code } from '@/api/error';
import { signIn } from '@/api/operations';
import { PasskeyAbandoned, passkeysKnown } from '@/api/passkey';
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
  const [ticket, setTicket] = useState<string>();
  const { data: site } = useQuery(siteLoginQuery);
  // The address moves on by itself once there is a sign-in.
  const attempt = useMutation({
    mutationFn: () => signIn(email.trim(), password),
    onSuccess: setTicket,
  });
  const byKey = useMutation({ mutationFn: signInByPasskey });
  const error = attempt.error ?? byKey.error;
  const words = error && !(error instanceof PasskeyAbandoned) ? failureWords(error) : undefined;
  const wrong = error instanceof ApiError && error.is(Code.wrongPassword);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    byKey.reset();
    attempt.mutate();
  };
  if (ticket) return <CodeForm ticket={ticket} onAgain={() => setTicket(undefined)} />;
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
      {site?.authn && passkeysKnown() && (
        <Button
          variant="default"
          size="md"
          loading={byKey.isPending}
          onClick={() => {
            attempt.reset();
            byKey.mutate();
          }}
        >
          {t('signIn.byPasskey')}
        </Button>
      )}
    </form>
  );
}

/** The second step, where an account has one. */
function CodeForm({ ticket, onAgain }: { ticket: string; onAgain(): void }) {
  const { t } = useTranslation();
  const [code, setCode] = useState('');
  const [lost, setLost] = useState(false);
  const attempt = useMutation({ mutationFn: () => finishSignIn(ticket, code.replace(/\s/g, '')) });
  const words = attempt.error ? failureWords(attempt.error) : undefined;
  const over = attempt.error instanceof ApiError && attempt.error.is(Code.ticket);
  return (
    <form
      className={classes.form}
      onSubmit={(e) => {
        e.preventDefault();
        if (over) onAgain();
        else attempt.mutate();
      }}
    >
      {words && <Notice what={words.what} more={[words.todo]} />}
      <TextInput
        key={String(lost)}
        label={lost ? t('signIn.recovery') : t('signIn.code')}
        description={lost ? t('signIn.recoveryHow') : t('signIn.codeHow')}
        size="md"
        inputMode={lost ? 'text' : 'numeric'}
        autoComplete={lost ? 'off' : 'one-time-code'}
        autoFocus
        required
        withAsterisk={false}
        value={code}
        onChange={(e) => setCode(e.currentTarget.value)}
      />
      <Button type="submit" size="md" loading={attempt.isPending}>
        {over ? t('signIn.anew') : t('signIn.submit')}
      </Button>
      {!over && (
        <Button
          variant="subtle"
          onClick={() => {
            setCode('');
            attempt.reset();
            setLost(!lost);
          }}
        >
          {lost ? t('signIn.byApp') : t('signIn.byRecovery')}
        </Button>
      )}
    </form>
  );
}
