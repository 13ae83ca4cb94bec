import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { correction, generate } from 'lean-qr';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changeSetting, makeRecoveryCodes, offerFactor } from '@/api/account';
import type { User } from '@/api/model';
import { settingQuery, siteBasicQuery } from '@/api/queries';
import { toast } from '@/ui/toast';
import classes from './page.module.css';
import { RecoveryCodes } from './recovery';
import { Section } from './section';

interface FactorProps {
  user: User;
  on: boolean;
  /** Recovery codes that were not used. */
  left: number;
}

/** Codes of an app beside the password, and codes for when the app is gone. */
export function SecondFactor({ user, on, left }: FactorProps) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [asking, setAsking] = useState<'off' | 'codes'>();
  const offer = useMutation({ mutationFn: offerFactor });
  const done = () => {
    offer.reset();
    setAsking(undefined);
    return queries.invalidateQueries({ queryKey: settingQuery.queryKey });
  };
  const codes = useMutation({
    mutationFn: (code: string) => makeRecoveryCodes(code, !on),
    onSuccess: () => {
      toast(on ? t('account.recoveryMade') : t('account.factorIsOn'));
      return done();
    },
  });
  const leave = useMutation({
    mutationFn: (code: string) => changeSetting({ two_fa_enabled: false, two_fa_code: code }),
    onSuccess: () => {
      toast(t('account.factorIsOff'));
      codes.reset();
      return done();
    },
  });
  const ask = (what: 'off' | 'codes') => {
    codes.reset();
    leave.reset();
    setAsking(what);
  };
  const words = { off: t('account.factorEnd'), codes: t('account.recoveryNew') };
  return (
    <Section
      title={t('account.factor')}
      text={on ? t('account.factorOn') : t('account.factorText')}
      error={offer.error ?? codes.error ?? leave.error}
    >
      {!on && !offer.data && (
        <Button variant="default" loading={offer.isPending} onClick={() => offer.mutate()}>
          {t('account.factorBegin')}
        </Button>
      )}
      {!on && offer.data && (
        <>
          <Secret secret={offer.data} user={user} />
          <CodeForm
            submit={t('account.factorConfirm')}
            pending={codes.isPending}
            onCode={(code) => codes.mutate(code)}
          />
        </>
      )}
      {on && codes.data && <RecoveryCodes codes={codes.data} onKept={codes.reset} />}
      {on && !codes.data && <p>{t('account.recoveryLeft', { count: left })}</p>}
      {on && !asking && !codes.data && (
        <div className={classes.row}>
          <Button variant="default" onClick={() => ask('codes')}>
            {words.codes}
          </Button>
          <Button variant="default" onClick={() => ask('off')}>
            {words.off}
          </Button>
        </div>
      )}
      {on && asking && (
        <CodeForm
          key={asking}
          submit={words[asking]}
          how={t(asking === 'codes' ? 'account.recoveryHow' : 'account.codeOrRecovery')}
          pending={codes.isPending || leave.isPending}
          onCode={(code) => (asking === 'codes' ? codes : leave).mutate(code)}
          onLeave={() => setAsking(undefined)}
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
  /** What can be entered; without it digits alone. */
  how?: string;
  pending: boolean;
  onCode(code: string): void;
  onLeave?(): void;
}

function CodeForm({ submit, how, pending, onCode, onLeave }: CodeProps) {
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
        description={how}
        inputMode={how ? 'text' : 'numeric'}
        autoComplete="one-time-code"
        required
        withAsterisk={false}
        value={code}
        onChange={(e) => setCode(e.currentTarget.value)}
      />
      <div className={classes.row}>
        <Button type="submit" loading={pending} disabled={code.trim() === ''}>
          {submit}
        </Button>
        {onLeave && (
          <Button variant="subtle" onClick={onLeave}>
            {t('account.leave')}
          </Button>
        )}
      </div>
    </form>
  );
}
