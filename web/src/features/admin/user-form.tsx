import '@mantine/core/styles/PasswordInput.css';
import { PasswordInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Group, type Person, remove, saveUser } from '@/api/admin';
import { session } from '@/api/call';
import { formatBytes } from '@/lib/bytes';
import { toast } from '@/ui/toast';
import { Check, Choice, Form, Remove, Text, useSize } from './parts';

interface Props {
  /** Without one, a new user. */
  person?: Person;
  groups: Group[];
  onClose(): void;
}

const shortest = 8;
const anonymous = 3;
const users = 2;

export function UserForm({ person, groups, onClose }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [email, setEmail] = useState(person?.email ?? '');
  const [nick, setNick] = useState(person?.nick ?? '');
  const [group, setGroup] = useState(String(person?.group_users ?? users));
  const [active, setActive] = useState(person === undefined || person.status === 'active');
  const [password, setPassword] = useState('');
  const quota = useSize(person?.quota, -1);

  const done = (text: string) => {
    toast(text);
    onClose();
    return queries.invalidateQueries({ queryKey: ['admin', 'users'] });
  };
  const save = useMutation({
    mutationFn: () =>
      saveUser(person?.id, {
        user: {
          email,
          ...(nick.trim() !== '' && { nick }),
          group_users: Number(group),
          quota: quota.value,
          status: active ? 'active' : person?.status === 'inactive' ? 'inactive' : 'manual_banned',
        },
        password,
      }),
    onSuccess: () => done(t('account.saved')),
  });
  const drop = useMutation({
    mutationFn: (id: number) => remove('user', id),
    onSuccess: () => done(t('admin.gone', { name: email })),
  });

  const short = password !== '' && password.length < shortest;
  const missing = person === undefined && password === '';
  const self = person !== undefined && person.hash_id === session.current()?.user.id;
  return (
    <Form
      error={save.error ?? drop.error}
      busy={save.isPending}
      wrong={quota.wrong || short || missing || email.trim() === ''}
      onSave={() => save.mutate()}
      onClose={onClose}
      danger={
        person &&
        !self && (
          <Remove
            title={t('admin.deleteUser', { name: person.email })}
            text={t('admin.deleteUserText', { size: formatBytes(person.storage ?? 0) })}
            busy={drop.isPending}
            onRemove={() => drop.mutate(person.id)}
          />
        )
      }
    >
      <Text label={t('signIn.email')} type="email" required value={email} onValue={setEmail} />
      <Text label={t('account.name')} value={nick} onValue={setNick} />
      <Choice
        label={t('admin.group')}
        value={group}
        options={groups
          .filter((g) => g.id !== anonymous)
          .map((g) => ({ value: String(g.id), label: g.name }))}
        onValue={setGroup}
      />
      {quota.field(t('admin.quota'), t('admin.quotaHow'))}
      <PasswordInput
        label={t('account.newPassword')}
        description={person ? t('admin.passwordHow') : t('setUp.passwordRule')}
        autoComplete="new-password"
        error={short ? t('setUp.passwordShort', { count: shortest - password.length }) : undefined}
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
      />
      <Check label={t('admin.maySignIn')} value={active} onValue={setActive} />
    </Form>
  );
}
