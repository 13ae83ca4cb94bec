import { Button, TextInput } from '@mantine/core';
import { IconCopy } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createShare, editShare, mySharesKey, type Share } from '@/api/shares';
import { wordsOf } from '@/api/words';
import { Dialog } from '@/ui/dialog';
import { Failed } from '@/ui/failed';
import { Icon } from '@/ui/icon';
import { copyLink } from './copy';
import { bodyOf, TermsFields, termsOf } from './terms';

interface Props {
  item: { uri: string; name: string };
  /** The link to change; without one, another is made. */
  share?: Share;
  onClose(): void;
}

/** Makes a link to a file or folder, or gives one other terms, and shows it. */
export default function ShareDialog({ item, share, onClose }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [terms, setTerms] = useState(() => termsOf(share));
  const make = useMutation({
    mutationFn: () => {
      const body = bodyOf(terms, item.uri, share);
      return share ? editShare(share.id, body) : createShare(body);
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: mySharesKey }),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    make.mutate();
  };
  const link = make.data;
  return (
    <Dialog
      open
      title={t(share ? 'shares.editTitle' : 'shares.title', { name: item.name })}
      onClose={onClose}
      closeLabel={t('app.close')}
      actions={
        <>
          <Button variant="default" onClick={onClose}>
            {link ? t('app.close') : t('app.cancel')}
          </Button>
          {link ? (
            <Button leftSection={<Icon of={IconCopy} />} onClick={() => void copyLink(link)}>
              {t('shares.copy')}
            </Button>
          ) : (
            <Button type="submit" form="share-form" loading={make.isPending}>
              {t(share ? 'shares.edit' : 'shares.make')}
            </Button>
          )}
        </>
      }
    >
      {link ? (
        <TextInput
          label={t('shares.link')}
          description={terms.secret ? t('shares.linkSecret') : t('shares.linkText')}
          value={link}
          readOnly
          data-autofocus
          onFocus={(e) => e.currentTarget.select()}
        />
      ) : (
        <form id="share-form" onSubmit={submit} style={{ display: 'grid', gap: 16 }}>
          <TermsFields terms={terms} share={share} onChange={setTerms} />
        </form>
      )}
      <Failed words={wordsOf(make.error)} />
    </Dialog>
  );
}
