import { ActionIcon } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileObject } from '@/api/model';
import { infoQuery } from '@/api/queries';
import { faultText, wordsOf } from '@/api/words';
import { exactBytes, formatBytes } from '@/lib/bytes';
import { splitName } from '@/lib/path';
import { formatMoment } from '@/lib/time';
import { Failed } from '@/ui/failed';
import { iconOf } from '@/ui/file-icon';
import { Icon } from '@/ui/icon';
import { Notice } from '@/ui/notice';
import classes from './details.module.css';
import type { Item } from './listing';
import { Sign, usePictured } from './sign';
import { Versions } from './versions';

interface Props {
  item: Item;
  /** What happened to an upload that is not finished. */
  story(sessionId: string): ReactNode;
  onClose(): void;
}

/** Facts about one file, beside the list: looking never takes the page away. */
export default function Details({ item, story, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <aside
      className={classes.drawer}
      aria-label={t('details.title')}
      onKeyDown={(e) => e.key === 'Escape' && onClose()}
    >
      <div className={classes.title}>
        <h2>{t('details.title')}</h2>
        <ActionIcon aria-label={t('app.close')} onClick={onClose}>
          <Icon of={IconX} />
        </ActionIcon>
      </div>
      <Facts item={item} story={story} />
    </aside>
  );
}

function Facts({ item, story }: Pick<Props, 'item' | 'story'>) {
  const { t } = useTranslation();
  const { data, error } = useQuery(infoQuery(item.uri));
  const pictured = usePictured()(item);
  const contents = data?.extended_info?.entities.filter((e) => e.type === 0) ?? [];
  const ending = splitName(item.name)[1].slice(1).toUpperCase();
  const kind = ending ? t('details.file', { ending }) : t('details.plainFile');
  const folder = [t('files.root'), ...item.path.slice(0, -1)].join(' / ');
  return (
    <>
      {pictured && (
        <div className={classes.preview}>
          <Sign item={item} look="near" size={48} />
        </div>
      )}
      <div className={classes.head}>
        <Icon of={iconOf(item.name, item.folder)} size={36} />
        <h3 title={item.name}>
          <bdi>{item.name}</bdi>
        </h3>
      </div>
      {isDamaged(item, data) && (
        <div className={classes.notice}>
          <Notice
            what={t('failure.damaged.what')}
            more={[t('failure.damaged.todo')]}
            fault={faultText('server', 'no')}
          />
        </div>
      )}
      <dl className={classes.facts}>
        <Fact name={t('details.kind')}>{item.folder ? t('details.folder') : kind}</Fact>
        {!item.folder && !item.pending && (
          <Fact name={t('details.size')}>
            <span className="num">
              {formatBytes(item.size)} · {exactBytes(item.size)}
            </span>
          </Fact>
        )}
        <Fact name={t('details.where')}>{folder}</Fact>
        <Fact name={t('details.changed')}>{formatMoment(item.changedAt)}</Fact>
        {data && <MoreFacts file={data} bytes={!item.folder && !item.pending} />}
      </dl>
      <Failed words={wordsOf(error)} />
      {data && contents.length > 1 && <Versions item={item} file={data} versions={contents} />}
      {item.sessionId && story(item.sessionId)}
    </>
  );
}

/** Of the current version; the drawer may know better than the list. */
function isDamaged(item: Item, file: FileObject | undefined): boolean {
  const versions = file?.extended_info?.entities ?? [];
  const current = versions.find((e) => e.id === file?.primary_entity);
  return current ? current.damaged === true : item.damaged;
}

/** `bytes`: it has a content to tell of. */
function MoreFacts({ file, bytes }: { file: FileObject; bytes: boolean }) {
  const { t } = useTranslation();
  const { entities = [], storage_policy: policy } = file.extended_info ?? {};
  const current = entities.find((e) => e.id === file.primary_entity);
  const digests = (current?.repr_digest ?? '').split(',').map((d) => d.trim());
  return (
    <>
      <Fact name={t('details.created')}>{formatMoment(Date.parse(file.created_at))}</Fact>
      {policy && <Fact name={t('details.storage')}>{policy.name}</Fact>}
      {policy?.sync && <Fact name={t('details.durability')}>{t(`durability.${policy.sync}`)}</Fact>}
      {bytes && (
        <Fact name={t('details.digests')}>
          {digests.some(Boolean) ? (
            digests.map((d) => (
              <div key={d} className="mono">
                {d.replace(/=:(.*):$/, ' $1')}
              </div>
            ))
          ) : (
            <span className="muted">{t('details.noDigest')}</span>
          )}
        </Fact>
      )}
      <Fact name={t('details.id')}>
        <span className="mono">{file.id}</span>
      </Fact>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
