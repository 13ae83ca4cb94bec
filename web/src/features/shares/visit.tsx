import { wordsOf } from '@/api/words';
import { save } from '@/lib/save';
import { Failed } from '@/ui/failed';
import '@mantine/core/styles/PasswordInput.css';
import { Button, PasswordInput } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/error';
import { FileType } from '@/api/model';
import * as api from '@/api/operations';
import { siteBasicQuery } from '@/api/queries';
import { type Share, shareDownloadUrl, shareQuery } from '@/api/shares';
import { formatBytes } from '@/lib/bytes';
import { go, place as here } from '@/lib/location';
import { keepPassword, keptPassword, type SharePlace, shareHref, shareUri } from '@/lib/share';
import { formatDay } from '@/lib/time';
import { Brand } from '@/ui/brand';
import { iconOf } from '@/ui/file-icon';
import { Icon } from '@/ui/icon';
import { Folder } from './folder';
import classes from './visit.module.css';

const anonymousDenied = 40088;
const passwordWrong = 40069;

/** What somebody sees who was sent a link, with an account here or without. */
export default function Visit({ place }: { place: SharePlace }) {
  const { t } = useTranslation();
  const { data: site } = useQuery(siteBasicQuery);
  const [password, setPassword] = useState(place.password || keptPassword(place.id));
  const { data: share, error, isFetching, refetch } = useQuery(shareQuery(place.id, password));
  // A link may bring its password along; it shall not stay in the address.
  useEffect(() => {
    if (!place.password) return;
    keepPassword(place.id, place.password);
    setPassword(place.password);
    go(shareHref(place), 'replace');
  }, [place]);
  const title = site?.title || t('app.name');
  useEffect(() => {
    document.title = share ? `${share.name} · ${title}` : title;
  });
  const submit = (typed: string) => {
    keepPassword(place.id, typed);
    if (typed === password) void refetch();
    setPassword(typed);
  };

  let body: ReactNode;
  if (error) body = <Refused error={error} onAgain={() => void refetch()} />;
  else if (!share) body = <p aria-busy="true">{t('files.loading')}</p>;
  else if (!share.unlocked)
    body = (
      <PasswordForm share={share} wrong={password !== ''} busy={isFetching} onPassword={submit} />
    );
  else body = <Opened share={share} place={{ ...place, password }} />;
  return (
    <div className={classes.screen}>
      <header className={classes.brand}>
        <Brand />
        {title}
      </header>
      <main className={classes.card}>{body}</main>
    </div>
  );
}

function Refused({ error, onAgain }: { error: unknown; onAgain(): void }) {
  const { t } = useTranslation();
  const refused = error instanceof ApiError && error.kind === 'refused';
  if (refused && [404, 40001].includes(error.code))
    return (
      <>
        <h1>{t('visit.gone')}</h1>
        <p className="muted">{t('visit.goneMore')}</p>
      </>
    );
  if (refused && error.code === anonymousDenied) return <SignInFirst />;
  return (
    <>
      <Failed words={wordsOf(error)} />
      <Button variant="default" onClick={onAgain}>
        {t('app.tryAgain')}
      </Button>
    </>
  );
}

function SignInFirst() {
  const { t } = useTranslation();
  return (
    <>
      <h1>{t('visit.signIn')}</h1>
      <Button onClick={() => go(`/signin?next=${encodeURIComponent(here().href)}`)}>
        {t('signIn.submit')}
      </Button>
    </>
  );
}

interface PasswordProps {
  share: Share;
  wrong: boolean;
  busy: boolean;
  onPassword(password: string): void;
}

function PasswordForm({ share, wrong, busy, onPassword }: PasswordProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  if (!share.password_protected) return <SignInFirst />;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (typed !== '') onPassword(typed);
  };
  return (
    <>
      <h1>{t('visit.from', { who: share.owner.nickname, name: share.name })}</h1>
      <form className={classes.form} onSubmit={submit}>
        <PasswordInput
          label={t('visit.password')}
          size="md"
          autoComplete="off"
          autoFocus
          value={typed}
          error={wrong ? t('visit.wrong') : undefined}
          onChange={(e) => setTyped(e.currentTarget.value)}
        />
        <Button type="submit" size="md" loading={busy}>
          {t('visit.open')}
        </Button>
      </form>
    </>
  );
}

function Opened({ share, place }: { share: Share; place: SharePlace }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const download = useMutation({
    mutationFn: (file: { uri: string; name: string }) => fetchShared(file.uri, file.name),
    onSuccess: () => {
      // Not asked for again: after the last one the link opens nothing.
      queries.setQueryData(shareQuery(place.id, place.password).queryKey, (old) =>
        old?.remain_downloads === undefined
          ? old
          : { ...old, remain_downloads: Math.max(0, old.remain_downloads - 1) },
      );
    },
  });
  const single = share.source_type === FileType.file;
  const left = share.remain_downloads;
  const facts = [
    single && formatBytes(share.size),
    share.expires && t('visit.until', { when: formatDay(Date.parse(share.expires)) }),
    left !== undefined && t('visit.left', { count: left }),
  ].filter(Boolean);
  return (
    <>
      <h1>{t('visit.from', { who: share.owner.nickname, name: share.name })}</h1>
      {facts.length > 0 && <p className="muted num">{facts.join(' · ')}</p>}
      <DownloadFailed error={download.error} />
      {single ? (
        <div className={classes.single}>
          <Icon of={iconOf(share.name, false)} size={48} />
          <Button
            size="md"
            leftSection={<Icon of={IconDownload} />}
            loading={download.isPending}
            disabled={left === 0}
            onClick={() =>
              download.mutate({ uri: shareUri({ ...place, path: [] }), name: share.name })
            }
          >
            {t('files.download')}
          </Button>
        </div>
      ) : (
        <Folder
          share={share}
          place={place}
          busy={download.isPending}
          onDownload={(file) => download.mutate({ uri: file.path, name: file.name })}
        />
      )}
    </>
  );
}

function DownloadFailed({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (error instanceof ApiError && error.is(404)) return <p role="alert">{t('visit.used')}</p>;
  if (error instanceof ApiError && error.is(passwordWrong))
    return <p role="alert">{t('visit.wrong')}</p>;
  return <Failed words={wordsOf(error)} />;
}

async function fetchShared(uri: string, name: string): Promise<void> {
  const href = await shareDownloadUrl(uri);
  await api.checkDownload(href);
  save(href, name);
}
