import '@mantine/core/styles/PasswordInput.css';
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { setUp } from '@/api/operations';
import { siteLoginQuery } from '@/api/queries';
import { failureWords } from '@/api/words';
import { Brand } from '@/ui/brand';
import { Icon } from '@/ui/icon';
import { Notice } from '@/ui/notice';
import classes from './account.module.css';

const shortest = 8;

interface Props {
  token: string;
  onChoose(): void;
  onDrop(data: DataTransfer): void;
  onLater(): void;
}

/** Three steps on one page: the account, where files live, the first file. */
export default function SetUp({ token, onChoose, onDrop, onLater }: Props) {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  const { data: site } = useQuery(siteLoginQuery);
  const taken = !done && site?.setup_required === false;
  return (
    <main className={classes.screen}>
      <div className={classes.brand}>
        <Brand size={36} />
        {t('app.name')}
      </div>
      <div className={`${classes.card} ${classes.wide}`}>
        <h1>{t('setUp.title')}</h1>
        {taken && (
          <div className={classes.form}>
            <Notice tone="amber" what={t('setUp.taken')} more={[t('setUp.takenHow')]} />
            <Button size="md" onClick={onLater}>
              {t('signIn.submit')}
            </Button>
          </div>
        )}
        {!taken && (
          <ol className={classes.steps}>
            <Step n={1} done={done} title={t('setUp.account')}>
              <p className="muted">{t('setUp.accountText')}</p>
              {!done && <AccountForm token={token} onDone={() => setDone(true)} />}
            </Step>
            <Step n={2} done={done} title={t('setUp.where')}>
              <p className="muted">{t('setUp.whereText')}</p>
            </Step>
            <Step n={3} done={false} title={t('setUp.first')}>
              {done ? (
                <FirstFile onChoose={onChoose} onDrop={onDrop} onLater={onLater} />
              ) : (
                <p className="muted">{t('setUp.firstLater')}</p>
              )}
            </Step>
          </ol>
        )}
      </div>
    </main>
  );
}

interface StepProps {
  n: number;
  done: boolean;
  title: string;
  children: ReactNode;
}

function Step({ n, done, title, children }: StepProps) {
  return (
    <li className={classes.step}>
      <span className={classes.number} data-done={done || undefined} aria-hidden="true">
        {done ? <Icon of={IconCheck} size={16} /> : n}
      </span>
      <h2>{title}</h2>
      <div className={classes.content}>{children}</div>
    </li>
  );
}

function AccountForm({ token, onDone }: { token: string; onDone(): void }) {
  const { t } = useTranslation();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const attempt = useMutation({
    mutationFn: () => setUp({ token, email: email.trim(), password }),
    onSuccess: onDone,
  });
  const missing = shortest - password.length;
  const words = attempt.error ? failureWords(attempt.error) : undefined;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (missing <= 0) attempt.mutate();
  };
  if (token === '')
    return (
      <div className={classes.form}>
        <Notice tone="amber" what={t('setUp.noToken')} more={[t('setUp.noTokenHow')]} />
      </div>
    );
  return (
    <form className={classes.form} onSubmit={submit}>
      {words && <Notice what={words.what} more={[words.todo]} fault={words.fault} id={words.id} />}
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
        description={t('setUp.passwordRule')}
        size="md"
        autoComplete="new-password"
        required
        withAsterisk={false}
        error={
          password !== '' && missing > 0 ? t('setUp.passwordShort', { count: missing }) : undefined
        }
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
      />
      <Button type="submit" size="md" loading={attempt.isPending} disabled={missing > 0}>
        {t('setUp.submit')}
      </Button>
    </form>
  );
}

function FirstFile({ onChoose, onDrop, onLater }: Omit<Props, 'token'>) {
  const { t } = useTranslation();
  const [over, setOver] = useState(false);
  return (
    <div
      className={classes.drop}
      data-over={over || undefined}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(e) => {
        e.preventDefault();
        onDrop(e.dataTransfer);
      }}
    >
      <p className="muted">{t('setUp.firstText')}</p>
      <Button size="md" autoFocus onClick={onChoose}>
        {t('setUp.choose')}
      </Button>
      <Button variant="subtle" onClick={onLater}>
        {t('setUp.later')}
      </Button>
    </div>
  );
}
