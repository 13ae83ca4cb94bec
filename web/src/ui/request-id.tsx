import { ActionIcon } from '@mantine/core';
import { IconCopy } from '@tabler/icons-react';
import { i18next } from '@/lib/i18n';
import { Icon } from './icon';
import classes from './request-id.module.css';
import { toast } from './toast';

/** What to quote when asking whoever runs the server; one click copies it. */
export function RequestId({ id }: { id: string }) {
  const { t } = i18next;
  // The clipboard exists in secure contexts only; elsewhere one click selects all of it.
  const copy = async () => {
    await navigator.clipboard.writeText(id);
    toast(t('app.copied'));
  };
  return (
    <span className={classes.line}>
      {t('app.requestId')} <span className={`mono ${classes.id}`}>{id}</span>
      {navigator.clipboard && (
        <ActionIcon
          size={24}
          aria-label={t('app.copyId')}
          data-tip={t('app.copyId')}
          onClick={copy}
        >
          <Icon of={IconCopy} size={14} />
        </ActionIcon>
      )}
    </span>
  );
}
