import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import {
  type Group,
  groupsQuery,
  type Policy,
  policiesQuery,
  remove,
  saveGroup,
} from '@/api/admin';
import { GroupBit, may, withBit } from '@/api/permission';
import { wordsOf } from '@/api/words';
import { formatBytes } from '@/lib/bytes';
import { Failed } from '@/ui/failed';
import { toast } from '@/ui/toast';
import classes from './page.module.css';
import { Check, Choice, Form, Remove, Text, useCount, useSize } from './parts';

/** Those that come with the site. */
const builtin = 3;
const admins = 1;

const day = 24 * 60 * 60;

/** What may who do, and where do their bytes go? */
export function Groups() {
  const { t } = useTranslation();
  const [open, setOpen] = useState<number | 'new'>();
  const { data: groups, error } = useQuery(groupsQuery);
  const { data: policies } = useQuery(policiesQuery);
  const close = () => setOpen(undefined);
  return (
    <>
      <div className={classes.bar}>
        <p className="muted">{t('admin.groupsText')}</p>
        <Button onClick={() => setOpen('new')}>{t('admin.addGroup')}</Button>
      </div>
      <Failed words={wordsOf(error)} />
      {open === 'new' && policies && <GroupForm policies={policies} onClose={close} />}
      <ul className={classes.list}>
        {(groups ?? []).map((group) => (
          <li key={group.id} className={classes.line}>
            <div className={classes.what}>
              <strong>{group.name}</strong>
              <div className="muted num">
                {t('admin.groupFacts', {
                  size: formatBytes(group.max_storage ?? 0),
                  policy: group.edges.storage_policies?.name ?? '',
                })}
                {may(group.permissions, GroupBit.admin) && ` · ${t('admin.administers')}`}
              </div>
            </div>
            <Button
              variant="default"
              aria-label={t('admin.editOf', { name: group.name })}
              aria-expanded={open === group.id}
              onClick={() => setOpen(open === group.id ? undefined : group.id)}
            >
              {t('admin.edit')}
            </Button>
            {open === group.id && policies && (
              <GroupForm group={group} policies={policies} onClose={close} />
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

interface Props {
  group?: Group;
  policies: Policy[];
  onClose(): void;
}

function GroupForm({ group, policies, onClose }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState(group?.name ?? '');
  const [policy, setPolicy] = useState(String(group?.storage_policy_id ?? policies[0]?.id));
  const [bits, setBits] = useState(group?.permissions ?? '');
  const quota = useSize(group?.max_storage ?? 0, 0);
  const was = group?.settings;
  const trash = useCount(Math.floor((was?.trash_retention ?? 7 * day) / day), 0);
  const versions = useCount(was?.max_versions ?? 10, 1);
  const uploads = useCount(was?.max_open_uploads ?? 1000, 1);
  const wrong = quota.wrong || trash.wrong || versions.wrong || uploads.wrong;
  const done = (text: string) => {
    toast(text);
    onClose();
    return queries.invalidateQueries({ queryKey: ['admin'] });
  };
  const save = useMutation({
    mutationFn: () =>
      saveGroup(group?.id, {
        group: {
          name,
          max_storage: quota.value,
          permissions: bits,
          storage_policy_id: Number(policy),
          settings: {
            trash_retention: trash.value * day,
            max_versions: versions.value,
            max_open_uploads: uploads.value,
          },
        },
      }),
    onSuccess: () => done(t('account.saved')),
  });
  const drop = useMutation({
    mutationFn: (id: number) => remove('group', id),
    onSuccess: () => done(t('admin.gone', { name })),
  });
  const bit = (label: string, n: number) => (
    <Check label={label} value={may(bits, n)} onValue={(on) => setBits(withBit(bits, n, on))} />
  );
  return (
    <Form
      error={save.error ?? drop.error}
      busy={save.isPending}
      wrong={wrong || name.trim() === ''}
      onSave={() => save.mutate()}
      onClose={onClose}
      danger={
        group &&
        group.id > builtin && (
          <Remove
            title={t('admin.deleteGroup', { name: group.name })}
            text={t('admin.deleteGroupText')}
            busy={drop.isPending}
            onRemove={() => drop.mutate(group.id)}
          />
        )
      }
    >
      <Text label={t('account.name')} required value={name} onValue={setName} />
      {quota.field(t('admin.quota'), t('admin.groupQuotaHow'))}
      <Choice
        label={t('admin.policy')}
        how={t('admin.policyHow')}
        value={policy}
        options={policies.map((p) => ({ value: String(p.id), label: p.name }))}
        onValue={setPolicy}
      />
      {trash.field(t('admin.trashFor'), t('admin.trashForHow'))}
      {versions.field(t('admin.versions'), t('admin.versionsHow'))}
      {uploads.field(t('admin.openUploads'), t('admin.openUploadsHow'))}
      <div>
        {bit(t('admin.mayShare'), GroupBit.share)}
        {bit(t('admin.mayZip'), GroupBit.archive)}
        {group?.id !== builtin && bit(t('admin.mayLink'), GroupBit.directLink)}
        {group?.id !== admins && group?.id !== builtin && bit(t('admin.mayAdmin'), GroupBit.admin)}
      </div>
    </Form>
  );
}
