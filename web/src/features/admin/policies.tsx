import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Policy, policiesQuery, remove, savePolicy } from '@/api/admin';
import type { Durability } from '@/api/model';
import { wordsOf } from '@/api/words';
import { formatBytes } from '@/lib/bytes';
import { Failed } from '@/ui/failed';
import { toast } from '@/ui/toast';
import classes from './page.module.css';
import { Check, Choice, Form, Remove, Text, useSize } from './parts';
import { type Kind, kinds, usePlace } from './place';
import { Trial } from './trial';

/** The one that comes with the site. */
const builtin = 1;

/** Where are bytes, and under which rules? */
export function Policies() {
  const { t } = useTranslation();
  const [open, setOpen] = useState<number | 'new'>();
  const { data: policies, error } = useQuery(policiesQuery);
  const close = () => setOpen(undefined);
  return (
    <>
      <div className={classes.bar}>
        <p className="muted">{t('admin.policiesText')}</p>
        <Button onClick={() => setOpen('new')}>{t('admin.addPolicy')}</Button>
      </div>
      <Failed words={wordsOf(error)} />
      {open === 'new' && <PolicyForm onClose={close} />}
      <ul className={classes.list}>
        {(policies ?? []).map((policy) => (
          <li key={policy.id} className={classes.line}>
            <div className={classes.what}>
              <strong>{policy.name}</strong>{' '}
              <span className="muted">
                {policy.type} {policy.bucket_name}
              </span>
              <div className="muted num">
                {t('admin.policyFacts', {
                  chunk: formatBytes(policy.settings.chunk_size),
                  groups: (policy.edges.groups ?? []).map((g) => g.name).join(', ') || '–',
                })}
              </div>
            </div>
            <Button
              variant="default"
              aria-label={t('admin.editOf', { name: policy.name })}
              aria-expanded={open === policy.id}
              onClick={() => setOpen(open === policy.id ? undefined : policy.id)}
            >
              {t('admin.edit')}
            </Button>
            {policy.type !== 'local' && <Trial policy={policy} />}
            {open === policy.id && <PolicyForm policy={policy} onClose={close} />}
          </li>
        ))}
      </ul>
    </>
  );
}

const kindNames = {
  local: 'admin.kindLocal',
  s3: 'admin.kindS3',
  ks3: 'admin.kindKs3',
  cos: 'admin.kindCos',
  obs: 'admin.kindObs',
  oss: 'admin.kindOss',
} as const;

const suffixes = (text: string) => text.split(/[\s,]+/).filter((s) => s !== '');

function PolicyForm({ policy, onClose }: { policy?: Policy; onClose(): void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const was = policy?.settings;
  const [kind, setKind] = useState((policy?.type ?? 'local') as Kind);
  const far = usePlace(kind, policy);
  const [name, setName] = useState(policy?.name ?? '');
  const [allowed, setAllowed] = useState((was?.file_type ?? []).join(', '));
  const [denied, setDenied] = useState((was?.denied_file_type ?? []).join(', '));
  const [sync, setSync] = useState(was?.sync ?? 'answer');
  const [encrypt, setEncrypt] = useState(was?.encryption ?? false);
  const [sha256, setSha256] = useState(was?.sha256 ?? false);
  const chunk = useSize(was?.chunk_size ?? 25 * 1024 ** 2, 0);
  const largest = useSize(policy?.max_size, 0);
  const done = (text: string) => {
    toast(text);
    onClose();
    return queries.invalidateQueries({ queryKey: ['admin'] });
  };
  const save = useMutation({
    mutationFn: () =>
      savePolicy(policy?.id, {
        policy: {
          name,
          type: kind,
          ...far.place,
          max_size: largest.value,
          settings: {
            chunk_size: chunk.value,
            file_type: suffixes(allowed),
            denied_file_type: suffixes(denied),
            sync: sync as Durability,
            encryption: encrypt,
            sha256,
            ...far.settings,
          },
        },
      }),
    onSuccess: () => done(t('account.saved')),
  });
  const drop = useMutation({
    mutationFn: (id: number) => remove('policy', id),
    onSuccess: () => done(t('admin.gone', { name })),
  });
  return (
    <Form
      error={save.error ?? drop.error}
      busy={save.isPending}
      wrong={far.wrong || chunk.wrong || largest.wrong || name.trim() === ''}
      onSave={() => save.mutate()}
      onClose={onClose}
      danger={
        policy &&
        policy.id !== builtin && (
          <Remove
            title={t('admin.deletePolicy', { name: policy.name })}
            text={t('admin.deletePolicyText')}
            busy={drop.isPending}
            onRemove={() => drop.mutate(policy.id)}
          />
        )
      }
    >
      <Text label={t('account.name')} required value={name} onValue={setName} />
      {policy === undefined && (
        <Choice
          label={t('admin.store')}
          value={kind}
          options={kinds.map((value) => ({ value, label: t(kindNames[value]) }))}
          onValue={(value) => setKind(value as Kind)}
        />
      )}
      {far.fields}
      {largest.field(t('admin.largest'), t('admin.largestHow'))}
      {chunk.field(t('admin.chunk'), t('admin.chunkHow'))}
      <Choice
        label={t('admin.sync')}
        how={t('admin.syncHow')}
        value={sync}
        options={[
          { value: 'answer', label: t('admin.syncAnswer') },
          { value: 'complete', label: t('admin.syncComplete') },
          { value: 'never', label: t('admin.syncNever') },
        ]}
        onValue={setSync}
      />
      <Text
        label={t('admin.allowed')}
        how={t('admin.allowedHow')}
        value={allowed}
        onValue={setAllowed}
      />
      <Text
        label={t('admin.denied')}
        how={t('admin.deniedHow')}
        value={denied}
        onValue={setDenied}
      />
      <Check label={t('admin.encrypt')} value={encrypt} onValue={setEncrypt} />
      <Check label={t('admin.sha256')} value={sha256} onValue={setSha256} />
    </Form>
  );
}
