import { Button, NativeSelect, TextInput, useMantineColorScheme } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changeSetting, pictureUrl, setPicture } from '@/api/account';
import type { User } from '@/api/model';
import { toast } from '@/ui/toast';
import classes from './page.module.css';
import { Section } from './section';

const schemes = ['auto', 'light', 'dark'] as const;

/** Named in themselves, so that whoever needs one finds it. */
const languages = [
  ['en-US', 'English'],
  ['de-DE', 'Deutsch'],
  ['es-ES', 'Español'],
  ['fr-FR', 'Français'],
  ['it-IT', 'Italiano'],
  ['ja-JP', '日本語'],
  ['ko-KR', '한국어'],
  ['pt-BR', 'Português'],
  ['ru-RU', 'Русский'],
  ['zh-CN', '简体中文'],
  ['zh-TW', '繁體中文'],
] as const;

export function Profile({ user }: { user: User }) {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [nick, setNick] = useState(user.nickname);
  const [language, setLanguage] = useState(user.language ?? 'en-US');
  const save = useMutation({
    mutationFn: () => changeSetting({ nick: nick.trim(), language }),
    onSuccess: () => toast(t('account.saved')),
  });
  const words = { auto: t('app.system'), light: t('app.light'), dark: t('app.dark') };
  const listed = languages.some(([code]) => code === language);
  return (
    <Section title={t('account.profile')} text={user.email ?? ''} error={save.error}>
      <Picture user={user} />
      <form
        className={classes.form}
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate();
        }}
      >
        <TextInput
          className={classes.field ?? ''}
          label={t('account.name')}
          required
          withAsterisk={false}
          maxLength={255}
          value={nick}
          onChange={(e) => setNick(e.currentTarget.value)}
        />
        <NativeSelect
          className={classes.field ?? ''}
          label={t('account.language')}
          description={t('account.languageHow')}
          value={language}
          onChange={(e) => setLanguage(e.currentTarget.value)}
        >
          {!listed && <option value={language}>{language}</option>}
          {languages.map(([code, name]) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </NativeSelect>
        <NativeSelect
          className={classes.field ?? ''}
          label={t('app.theme')}
          description={t('account.themeHow')}
          value={colorScheme}
          onChange={(e) => setColorScheme(e.currentTarget.value as (typeof schemes)[number])}
        >
          {schemes.map((scheme) => (
            <option key={scheme} value={scheme}>
              {words[scheme]}
            </option>
          ))}
        </NativeSelect>
        <Button type="submit" loading={save.isPending} disabled={nick.trim() === ''}>
          {t('account.save')}
        </Button>
      </form>
    </Section>
  );
}

function Picture({ user }: { user: User }) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  const [version, setVersion] = useState(() => Date.now());
  const set = useMutation({
    mutationFn: async (file: File | undefined) => setPicture(file && (await smaller(file))),
    onSuccess: () => setVersion(Date.now()),
  });
  const has = user.avatar === 'file';
  return (
    <>
      <div className={classes.row}>
        {has ? (
          <img
            className={classes.picture}
            src={pictureUrl(user.id, version)}
            alt={t('account.picture')}
          />
        ) : (
          <span className={classes.picture} aria-hidden="true">
            {[...(user.nickname || user.email || '?')][0]?.toLocaleUpperCase()}
          </span>
        )}
        <Button variant="default" loading={set.isPending} onClick={() => input.current?.click()}>
          {t('account.choosePicture')}
        </Button>
        {has && (
          <Button variant="subtle" onClick={() => set.mutate(undefined)}>
            {t('account.removePicture')}
          </Button>
        )}
        <input
          ref={input}
          type="file"
          hidden
          accept="image/*"
          aria-label={t('account.choosePicture')}
          onChange={(e) => {
            const file = e.currentTarget.files?.[0];
            e.currentTarget.value = '';
            if (file) set.mutate(file);
          }}
        />
      </div>
      {set.error && <PictureFailure error={set.error} />}
    </>
  );
}

function PictureFailure({ error }: { error: Error }) {
  const { t } = useTranslation();
  return (
    <Section title={t('account.picture')} error={error}>
      {null}
    </Section>
  );
}

/** The picture as this browser draws it, small enough to send; any kind it knows. */
async function smaller(file: File): Promise<Blob> {
  const most = 512;
  const drawn = await createImageBitmap(file).catch(() => undefined);
  if (!drawn) return file; // the server says what is wrong with it
  const scale = Math.min(1, most / Math.min(drawn.width, drawn.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(drawn.width * scale));
  canvas.height = Math.max(1, Math.round(drawn.height * scale));
  canvas.getContext('2d')?.drawImage(drawn, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
  return blob ?? file;
}
