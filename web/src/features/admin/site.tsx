import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { nodesQuery, type SiteKey, saveSite, siteQuery } from '@/api/admin';
import { siteBasicQuery } from '@/api/queries';
import { wordsOf } from '@/api/words';
import { Failed } from '@/ui/failed';
import { toast } from '@/ui/toast';
import classes from './page.module.css';
import { Text } from './parts';

/** What is the site called, and what holds for all uploads? */
export function SiteSettings() {
  const { data, error } = useQuery(siteQuery);
  return (
    <>
      <Failed words={wordsOf(error)} />
      {data && <SiteForm now={data} />}
      <Nodes />
    </>
  );
}

/** Which servers is it made of? */
function Nodes() {
  const { t } = useTranslation();
  const { data, error } = useQuery(nodesQuery);
  return (
    <>
      <h2>{t('admin.nodes')}</h2>
      <Failed words={wordsOf(error)} />
      <ul className={classes.list}>
        {data?.map((node) => (
          <li key={node.id} className={classes.line}>
            <div className={classes.what}>
              <strong>{node.type === 'master' ? t('admin.thisServer') : node.name}</strong>
              <div className="muted">
                {node.status === 'active' ? t('admin.nodeServes') : node.status}
              </div>
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}

const hour = 3600;

function SiteForm({ now }: { now: Record<SiteKey, string> }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState(now.siteName);
  const [hours, setHours] = useState(String(Number(now.upload_session_timeout) / hour));
  const seconds = Math.round(Number(hours) * hour);
  const wrong = !(seconds >= 60 && seconds <= 7 * 24 * hour);
  const save = useMutation({
    mutationFn: () => saveSite({ siteName: name, upload_session_timeout: String(seconds) }),
    onSuccess: () => {
      toast(t('account.saved'));
      return Promise.all(
        [siteQuery.queryKey, siteBasicQuery.queryKey].map((queryKey) =>
          queries.invalidateQueries({ queryKey }),
        ),
      );
    },
  });
  return (
    <form
      className={classes.form}
      onSubmit={(e) => {
        e.preventDefault();
        if (!wrong) save.mutate();
      }}
    >
      <Text
        label={t('admin.siteName')}
        how={t('admin.siteNameHow')}
        required
        value={name}
        onValue={setName}
      />
      <Text
        label={t('admin.life')}
        how={t('admin.lifeHow')}
        value={hours}
        error={wrong ? t('admin.lifeWrong') : undefined}
        onValue={setHours}
      />
      <p className="muted">{t('admin.siteUrl', { url: now.siteURL || t('admin.siteUrlNone') })}</p>
      <Failed words={wordsOf(save.error)} />
      <div className={classes.verbs}>
        <Button type="submit" loading={save.isPending} disabled={wrong || name.trim() === ''}>
          {t('account.save')}
        </Button>
      </div>
    </form>
  );
}
