import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { toast } from '@/ui/toast';
import classes from './page.module.css';

interface Props {
  codes: string[];
  /** They are in a safe place, and need not be shown any more. */
  onKept(): void;
}

/** Recovery codes, which nobody can show again. */
export function RecoveryCodes({ codes, onKept }: Props) {
  const { t } = useTranslation();
  const text = `${codes.join('\n')}\n`;
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    toast(t('account.recoveryCopied'));
  };
  return (
    <>
      <p>{t('account.recoveryText')}</p>
      <ul className={classes.codes} aria-label={t('account.recovery')}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className={classes.row}>
        {navigator.clipboard && (
          <Button variant="default" onClick={copy}>
            {t('account.recoveryCopy')}
          </Button>
        )}
        <Button
          component="a"
          variant="default"
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`}
          download={t('account.recoveryFile', { site: location.hostname })}
        >
          {t('account.recoverySave')}
        </Button>
        <Button onClick={onKept}>{t('account.recoveryKept')}</Button>
      </div>
    </>
  );
}
