import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { correction, generate } from 'lean-qr';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changeSetting, offerFactor } from '@/api/account';
import type { User } from '@/api/model';
import { settingQuery, siteBasicQuery } from '@/api/queries';
import { toast } from '@/ui/toast';
import classes from './page.module.css';
import { Section } from './section';

/** Codes of an app beside the password. */
export function SecondFactor({ user, on }: { user: User; on: boolean }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [leaving, setLeaving] = useState(false);
  const offer = useMutation({ mutationFn: offerFactor });
  const turn = useMutation({
    mutationFn: (code: string) => changeSetting({ two_fa_enabled: !on, two_fa_code: code }),
    onSuccess: () => {
      toast(on ? t('account.factorIsOff') : t('account.factorIsOn'));
      offer.reset();
      setLeaving(false);
      return queries.invalidateQueries({ queryKey: settingQuery.queryKey });
    },
  });
  return (
    <Section
      title={t('account.factor')}
      text={on ? t('account.factorOn') : t('account.factorText')}
      error={offer.error ?? turn.error}
    >
      {!on && !offer.data && (
        <Button variant="default" loading={offer.isPending} onClick={() => offer.mutate()}>
          {t('account.factorBegin')}
        </Button>
      )}
      {!on && offer.data && <Secret secret={offer.data} user={user} />}
      {on && !leaving && (
        <Button variant="default" onClick={() => setLeaving(true)}>
          {t('account.factorEnd')}
        </Button>
      )}
      {(on ? leaving : offer.data) && (
        <CodeForm
          submit={on ? t('account.factorEnd') : t('account.factorConfirm')}
          pending={turn.isPending}
          onCode={(code) => turn.mutate(code)}
        />
      )}
    </Section>
  );
}

/** What the app needs, as a picture and as text. */
function Secret({ secret, user }: { secret: string; user: User }) {
  const { t } = useTranslation();
  const { data } = useQuery(siteBasicQuery);
  const site = data?.title || t('app.name');
  const label = encodeURIComponent(`${site}:${user.email ?? user.nickname}`);
  const text = `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(site)}`;
  return (
    <>
      <p>{t('account.factorScan')}</p>
      <Squares text={text} label={t('account.factorPicture')} />
      <p className={classes.secret}>{secret.replace(/(.{4})(?=.)/g, '$1 ')}</p>
    </>
  );
}

function Squares({ text, label }: { text: string; label: string }) {
  const edge = 4; // the quiet zone that readers want
  const code = generate(text, { minCorrectionLevel: correction.M });
  const size = code.size + 2 * edge;
  let path = '';
  for (let y = 0; y < code.size; y++)
    for (let x = 0; x < code.size; x++)
      if (code.get(x, y)) path += `M${x + edge} ${y + edge}h1v1h-1z`;
  return (
    <svg
      className={classes.squares}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      role="img"
      aria-label={label}
    >
      <path d={path} fill="#000" />
    </svg>
  );
}

interface CodeProps {
  submit: string;
  pending: boolean;
  onCode(code: string): void;
}

function CodeForm({ submit, pending, onCode }: CodeProps) {
  const { t } = useTranslation();
  const [code, setCode] = useState('');
  return (
    <form
      className={classes.form}
      onSubmit={(e) => {
        e.preventDefault();
        onCode(code.replace(/\s/g, ''));
        setCode('');
      }}
    >
      <TextInput
        className={classes.field ?? ''}
        label={t('signIn.code')}
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        withAsterisk={false}
        value={code}
        onChange={(e) => setCode(e.currentTarget.value)}
      />
      <Button type="submit" loading={pending} disabled={code.trim() === ''}>
        {submit}
      </Button>
    </form>
  );
}
