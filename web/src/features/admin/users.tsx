import { Button, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { groupsQuery, type Person, usersQuery } from '@/api/admin';
import { wordsOf } from '@/api/words';
import { exactBytes, formatBytes } from '@/lib/bytes';
import { Failed } from '@/ui/failed';
import classes from './page.module.css';
import { UserForm } from './user-form';

/** Who is here? */
export function Users() {
  const { t } = useTranslation();
  const [words, setWords] = useState('');
  const [asked] = useDebouncedValue(words, 250);
  const [open, setOpen] = useState<number | 'new'>();
  const query = useInfiniteQuery({ ...usersQuery(asked), placeholderData: keepPreviousData });
  const { data: groups } = useQuery(groupsQuery);
  const people = (query.data?.pages ?? []).flatMap((page) => page.users);
  const close = () => setOpen(undefined);
  return (
    <>
      <div className={classes.bar}>
        <TextInput
          className={classes.search ?? ''}
          type="search"
          aria-label={t('admin.findUser')}
          placeholder={t('admin.findUser')}
          value={words}
          onChange={(e) => setWords(e.currentTarget.value)}
        />
        <Button onClick={() => setOpen('new')}>{t('admin.addUser')}</Button>
      </div>
      <Failed words={wordsOf(query.error)} />
      {open === 'new' && groups && <UserForm groups={groups} onClose={close} />}
      <ul className={classes.list}>
        {people.map((person) => (
          <li key={person.id} className={classes.line}>
            <Facts person={person} />
            <Button
              variant="default"
              aria-label={t('admin.editOf', { name: person.email })}
              aria-expanded={open === person.id}
              onClick={() => setOpen(open === person.id ? undefined : person.id)}
            >
              {t('admin.edit')}
            </Button>
            {open === person.id && groups && (
              <UserForm person={person} groups={groups} onClose={close} />
            )}
          </li>
        ))}
      </ul>
      {query.data && people.length === 0 && <p className="muted">{t('admin.noUser')}</p>}
      {query.hasNextPage && (
        <Button
          variant="default"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {t('trash.more')}
        </Button>
      )}
    </>
  );
}

function Facts({ person }: { person: Person }) {
  const { t } = useTranslation();
  const used = person.storage ?? 0;
  const total = person.capacity ?? 0;
  return (
    <div className={classes.what}>
      <strong>{person.nick}</strong> <span className="muted">{person.email}</span>
      <div className="muted num">
        {person.edges.group?.name} ·{' '}
        <span data-tip={exactBytes(used)}>
          {t('capacity.of', { used: formatBytes(used), total: formatBytes(total) })}
        </span>
        {person.status !== 'active' && (
          <span className={classes.shut}> · {t('admin.shutOut')}</span>
        )}
      </div>
    </div>
  );
}
