import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { wordsOf } from '@/api/words';
import { nameProblem, splitName } from '@/lib/path';
import { Confirm } from '@/ui/confirm';
import { Dialog } from '@/ui/dialog';
import { Failed } from '@/ui/failed';
import type { Item } from './listing';

interface NameProps {
  open: boolean;
  title: string;
  initial: string;
  submit: string;
  busy: boolean;
  error: unknown;
  onClose(): void;
  onName(name: string): void;
}

/** Asks for a name: of a new folder, or a new one for a file. */
export function NameDialog(p: NameProps) {
  const { t } = useTranslation();
  const [name, setName] = useState(p.initial);
  useEffect(() => setName(p.initial), [p.initial]);

  const problem = nameProblem(name);
  const complain = problem && problem !== 'empty' ? t(`nameProblem.${problem}`) : undefined;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (!problem && !p.busy) p.onName(name);
  };
  return (
    <Dialog
      open={p.open}
      title={p.title}
      onClose={p.onClose}
      closeLabel={t('app.close')}
      actions={
        <>
          <Button variant="default" onClick={p.onClose}>
            {t('app.cancel')}
          </Button>
          <Button type="submit" form="name-form" disabled={!!problem} loading={p.busy}>
            {p.submit}
          </Button>
        </>
      }
    >
      <form id="name-form" onSubmit={submit}>
        <TextInput
          label={t('newFolder.label')}
          value={name}
          error={complain}
          data-autofocus
          autoComplete="off"
          spellCheck={false}
          onChange={(e) => setName(e.currentTarget.value)}
          onFocus={(e) => e.currentTarget.setSelectionRange(0, splitName(p.initial)[0].length)}
        />
      </form>
      <Failed words={wordsOf(p.error)} />
    </Dialog>
  );
}

interface DeleteProps {
  items: Item[];
  busy: boolean;
  error: unknown;
  onClose(): void;
  onDelete(): void;
}

export function DeleteDialog({ items, busy, error, onClose, onDelete }: DeleteProps) {
  const { t } = useTranslation();
  const [first] = items;
  const one = items.length === 1 && first;
  return (
    <Confirm
      open={items.length > 0}
      title={
        one ? t('remove.title', { name: one.name }) : t('remove.titleMany', { count: items.length })
      }
      verb={t('remove.submit')}
      busy={busy}
      onClose={onClose}
      onYes={onDelete}
    >
      <p>{t('remove.text')}</p>
      <Failed words={wordsOf(error)} />
    </Confirm>
  );
}
