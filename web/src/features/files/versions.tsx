import { ActionIcon, Button } from '@mantine/core';
import { IconDownload, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Entity, FileObject } from '@/api/model';
import * as api from '@/api/operations';
import { capacityQuery, infoQuery, listingKey } from '@/api/queries';
import { wordsOf } from '@/api/words';
import { formatBytes } from '@/lib/bytes';
import { uriOf } from '@/lib/path';
import { save } from '@/lib/save';
import { formatMoment, formatWhen } from '@/lib/time';
import { Confirm } from '@/ui/confirm';
import { Failed } from '@/ui/failed';
import { Icon } from '@/ui/icon';
import { toast } from '@/ui/toast';
import type { Item } from './listing';
import classes from './versions.module.css';

interface Props {
  item: Item;
  file: FileObject;
  versions: Entity[];
}

/** The contents that a file has had; any of them can be it again. */
export function Versions({ item, file, versions }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [dropping, setDropping] = useState<Entity>();
  const changed = () =>
    Promise.all(
      [
        infoQuery(item.uri).queryKey,
        listingKey(uriOf(item.path.slice(0, -1))),
        capacityQuery.queryKey,
      ].map((queryKey) => queries.invalidateQueries({ queryKey })),
    );
  const current = useMutation({
    mutationFn: (version: Entity) => api.setCurrentVersion(item.uri, version.id),
    onSuccess: async (_, version) => {
      await changed();
      toast(t('versions.isCurrent', { when: formatMoment(Date.parse(version.created_at)) }));
    },
  });
  const drop = useMutation({
    mutationFn: (version: Entity) => api.deleteVersion(item.uri, version.id),
    onSuccess: async () => {
      setDropping(undefined);
      await changed();
    },
  });
  const fetch = useMutation({
    mutationFn: async (version: Entity) =>
      save(await api.downloadUrl(item.uri, version.id), item.name),
  });
  return (
    <section aria-label={t('details.versions')}>
      <h4 className={classes.title}>{t('details.versions')}</h4>
      <ul className={classes.list}>
        {versions.map((v) => (
          <li key={v.id} className={classes.version}>
            <div className={classes.what}>
              <span className="num" data-tip={formatMoment(Date.parse(v.created_at))}>
                {formatWhen(Date.parse(v.created_at), Date.now())}
              </span>
              <span className="muted num">
                {formatBytes(v.size)}
                {v.damaged && ` · ${t('files.damaged')}`}
              </span>
            </div>
            {v.id === file.primary_entity ? (
              <span className="muted">{t('versions.current')}</span>
            ) : (
              <>
                <Button
                  size="compact-xs"
                  variant="default"
                  disabled={v.damaged === true}
                  loading={current.isPending && current.variables === v}
                  onClick={() => current.mutate(v)}
                >
                  {t('versions.makeCurrent')}
                </Button>
                <ActionIcon
                  size={28}
                  aria-label={t('versions.download')}
                  data-tip={t('versions.download')}
                  disabled={v.damaged === true}
                  onClick={() => fetch.mutate(v)}
                >
                  <Icon of={IconDownload} size={16} />
                </ActionIcon>
                <ActionIcon
                  size={28}
                  aria-label={t('versions.drop')}
                  data-tip={t('versions.drop')}
                  onClick={() => setDropping(v)}
                >
                  <Icon of={IconTrash} size={16} />
                </ActionIcon>
              </>
            )}
          </li>
        ))}
      </ul>
      <Failed words={wordsOf(current.error ?? fetch.error)} />
      <Confirm
        open={dropping !== undefined}
        title={t('versions.dropTitle', {
          when: formatMoment(Date.parse(dropping?.created_at ?? file.created_at)),
        })}
        verb={t('remove.submitForever')}
        busy={drop.isPending}
        onClose={() => setDropping(undefined)}
        onYes={() => dropping && drop.mutate(dropping)}
      >
        <p>{t('versions.dropText')}</p>
        <Failed words={wordsOf(drop.error)} />
      </Confirm>
    </section>
  );
}
