import { Button, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { blobsQuery, filesQuery, tasksQuery } from '@/api/admin';
import { wordsOf } from '@/api/words';
import { formatBytes } from '@/lib/bytes';
import { formatMoment, formatWhen } from '@/lib/time';
import { Failed } from '@/ui/failed';
import { stateName, taskName } from '@/ui/task';
import classes from './page.module.css';
import { Check } from './parts';

interface ListProps {
  query: { error: Error | null; data?: unknown; hasNextPage: boolean; fetchNextPage(): unknown };
  /** What is said of an empty list. */
  none: string;
  tools: ReactNode;
  children: ReactNode[];
}

function List({ query, none, tools, children }: ListProps) {
  const { t } = useTranslation();
  return (
    <>
      <div className={classes.bar}>{tools}</div>
      <Failed words={wordsOf(query.error)} />
      <ul className={classes.list}>{children}</ul>
      {query.data !== undefined && children.length === 0 && <p className="muted">{none}</p>}
      {query.hasNextPage && (
        <Button variant="default" onClick={() => void query.fetchNextPage()}>
          {t('trash.more')}
        </Button>
      )}
    </>
  );
}

interface LineProps {
  name: string;
  owner: string | undefined;
  at: string;
  children: ReactNode;
}

function Line({ name, owner, at, children }: LineProps) {
  const when = Date.parse(at);
  return (
    <li className={classes.line}>
      <div className={classes.what}>
        <strong>{name}</strong> <span className="muted">{owner}</span>
        <div className="muted num">
          {children} · <span data-tip={formatMoment(when)}>{formatWhen(when, Date.now())}</span>
        </div>
      </div>
    </li>
  );
}

/** What is here, and whose is it? */
export function Files() {
  const { t } = useTranslation();
  const [words, setWords] = useState('');
  const [asked] = useDebouncedValue(words, 250);
  const query = useInfiniteQuery({ ...filesQuery(asked), placeholderData: keepPreviousData });
  const files = (query.data?.pages ?? []).flatMap((page) => page.files);
  const tools = (
    <TextInput
      className={classes.search ?? ''}
      type="search"
      aria-label={t('admin.findFile')}
      placeholder={t('admin.findFile')}
      value={words}
      onChange={(e) => setWords(e.currentTarget.value)}
    />
  );
  return (
    <List query={query} none={t('admin.noFile')} tools={tools}>
      {files.map((file) => (
        <Line key={file.id} name={file.name} owner={file.edges.owner?.email} at={file.updated_at}>
          {file.type === 1 ? t('admin.folder') : formatBytes(file.size)}
        </Line>
      ))}
    </List>
  );
}

/** Which bytes are kept, and are they whole? */
export function Blobs() {
  const { t } = useTranslation();
  const [damaged, setDamaged] = useState(false);
  const query = useInfiniteQuery(blobsQuery(damaged));
  const blobs = (query.data?.pages ?? []).flatMap((page) => page.entities);
  const tools = (
    <>
      <p className="muted">{t('admin.blobsText')}</p>
      <Check label={t('admin.onlyDamaged')} value={damaged} onValue={setDamaged} />
    </>
  );
  return (
    <List query={query} none={t(damaged ? 'admin.noDamage' : 'admin.noBlob')} tools={tools}>
      {blobs.map((blob) => (
        <Line key={blob.id} name={blob.source} owner={blob.edges.user?.email} at={blob.created_at}>
          {formatBytes(blob.size)} · {blob.edges.storage_policy?.name}
          {(blob.reference_count ?? 1) > 1 &&
            ` · ${t('admin.shared', { count: blob.reference_count })}`}
          {blob.damaged && <span className={classes.shut}> · {blob.damaged}</span>}
        </Line>
      ))}
    </List>
  );
}

/** What goes on behind the answers? */
export function Tasks() {
  const { t } = useTranslation();
  const query = useInfiniteQuery({ ...tasksQuery, refetchInterval: 5_000 });
  const tasks = (query.data?.pages ?? []).flatMap((page) => page.tasks);
  return (
    <List
      query={query}
      none={t('work.none')}
      tools={<p className="muted">{t('admin.tasksText')}</p>}
    >
      {tasks.map((task) => (
        <Line
          key={task.id}
          name={taskName(t, task)}
          owner={(task.edges as { user?: { email?: string } }).user?.email}
          at={task.updated_at}
        >
          {stateName(t, task.status)}
          {task.public_state.error && (
            <span className={classes.shut}> · {task.public_state.error}</span>
          )}
        </Line>
      ))}
    </List>
  );
}
