import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { IconCopy } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createShare, mySharesKey } from '@/api/shares';
import { wordsOf } from '@/api/words';
import { Dialog } from '@/ui/dialog';
import { Failed } from '@/ui/failed';
import { Icon } from '@/ui/icon';
import { copyLink } from './copy';

const oneDay = 86_400;

interface Props {
  item: { uri: string; name: string };
  onClose(): void;
}

/** Makes a link to a file or folder, and shows it. */
export default function ShareDialog({ item, onClose }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [secret, setSecret] = useState(false);
  const [password, setPassword] = useState('');
  const [days, setDays] = useState('7');
  const [downloads, setDownloads] = useState('');
  const make = useMutation({
    mutationFn: () =>
      createShare({
        uri: item.uri,
        is_private: secret,
        password: secret ? password : '',
        expire: Number(days) * oneDay,
        downloads: Number(downloads),
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: mySharesKey }),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    make.mutate();
  };
  const ends = [1, 7, 30].map((count) => ({
    value: String(count),
    label: t('shares.days', { count }),
  }));
  const link = make.data;
  return (
    <Dialog
      open
      title={t('shares.title', { name: item.name })}
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
              {t('shares.make')}
            </Button>
          )}
        </>
      }
    >
      {link ? (
        <TextInput
          label={t('shares.link')}
          description={secret ? t('shares.linkSecret') : t('shares.linkText')}
          value={link}
          readOnly
          data-autofocus
          onFocus={(e) => e.currentTarget.select()}
        />
      ) : (
        <form id="share-form" onSubmit={submit} style={{ display: 'grid', gap: 16 }}>
          <Checkbox
            label={t('shares.secret')}
            checked={secret}
            onChange={(e) => setSecret(e.currentTarget.checked)}
          />
          {secret && (
            <TextInput
              label={t('shares.password')}
              description={t('shares.passwordText')}
              value={password}
              pattern="[0-9A-Za-z]*"
              maxLength={32}
              autoComplete="off"
              spellCheck={false}
              onChange={(e) => setPassword(e.currentTarget.value)}
            />
          )}
          <NativeSelect
            label={t('shares.ends')}
            value={days}
            data={[...ends, { value: '0', label: t('shares.never') }]}
            onChange={(e) => setDays(e.currentTarget.value)}
          />
          <TextInput
            label={t('shares.downloads')}
            placeholder={t('shares.anyNumber')}
            type="number"
            min={1}
            max={1_000_000}
            value={downloads}
            onChange={(e) => setDownloads(e.currentTarget.value)}
          />
        </form>
      )}
      <Failed words={wordsOf(make.error)} />
    </Dialog>
  );
}
