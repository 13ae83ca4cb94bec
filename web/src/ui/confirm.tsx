import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from './dialog';

interface Props {
  open: boolean;
  /** The question. */
  title: string;
  /** What happens on yes. */
  verb: string;
  busy?: boolean;
  onClose(): void;
  onYes(): void;
  children?: ReactNode;
}

/** Asks before something is taken away; the safe answer is at hand. */
export function Confirm({ open, title, verb, busy = false, onClose, onYes, children }: Props) {
  const { t } = useTranslation();
  return (
    <Dialog
      open={open}
      title={title}
      onClose={onClose}
      closeLabel={t('app.close')}
      actions={
        <>
          <Button variant="default" data-autofocus onClick={onClose}>
            {t('app.cancel')}
          </Button>
          <Button color="red" loading={busy} onClick={onYes}>
            {verb}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}
