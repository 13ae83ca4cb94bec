import '@mantine/core/styles/PasswordInput.css';
import { PasswordInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Policy } from '@/api/admin';
import { Check, Text } from './parts';

export const kinds = ['local', 's3', 'ks3', 'cos', 'obs', 'oss'] as const;
export type Kind = (typeof kinds)[number];

/** Which parts of an address a kind of store takes. */
const others: Record<Kind, boolean> = {
  local: false,
  s3: true,
  ks3: true,
  cos: false,
  obs: false,
  oss: false,
};

/** Where a policy keeps its bytes at a vendor. */
export function usePlace(kind: Kind, policy: Policy | undefined) {
  const { t } = useTranslation();
  const was = policy?.settings;
  const [server, setServer] = useState(policy?.server ?? '');
  const [outside, setOutside] = useState(was?.public_endpoint ?? '');
  const [region, setRegion] = useState(was?.region ?? '');
  const [bucket, setBucket] = useState(policy?.bucket_name ?? '');
  const [access, setAccess] = useState(policy?.access_key ?? '');
  const [secret, setSecret] = useState('');
  const [pathStyle, setPathStyle] = useState(was?.s3_path_style ?? false);
  const [relay, setRelay] = useState(was?.relay ?? false);
  const [straight, setStraight] = useState(was?.direct_download ?? policy === undefined);
  if (kind === 'local') return { wrong: false, place: {}, settings: {}, fields: null };

  const fields = (
    <>
      {policy === undefined && (
        <Text label={t('admin.bucket')} required value={bucket} onValue={setBucket} />
      )}
      <Text label={t('admin.region')} required value={region} onValue={setRegion} />
      <Text
        label={t('admin.endpoint')}
        how={t('admin.endpointHow')}
        value={server}
        onValue={setServer}
      />
      {others[kind] && (
        <Text
          label={t('admin.publicEndpoint')}
          how={t('admin.publicEndpointHow')}
          value={outside}
          onValue={setOutside}
        />
      )}
      <Text label={t('admin.accessKey')} required value={access} onValue={setAccess} />
      <PasswordInput
        label={t('admin.secretKey')}
        description={t(policy ? 'admin.secretKeyStays' : 'admin.secretKeyHow')}
        required={policy === undefined}
        withAsterisk={false}
        autoComplete="off"
        value={secret}
        onChange={(e) => setSecret(e.currentTarget.value)}
      />
      {others[kind] && (
        <Check label={t('admin.pathStyle')} value={pathStyle} onValue={setPathStyle} />
      )}
      <Check label={t('admin.relay')} value={relay} onValue={setRelay} />
      {!relay && <Check label={t('admin.directDownload')} value={straight} onValue={setStraight} />}
    </>
  );
  return {
    wrong: [bucket, region, access].some((text) => text.trim() === ''),
    place: {
      server: server.trim(),
      access_key: access.trim(),
      secret_key: secret,
      ...(policy ? {} : { bucket_name: bucket.trim() }),
    },
    settings: {
      region: region.trim(),
      relay,
      direct_download: straight,
      ...(others[kind] ? { s3_path_style: pathStyle, public_endpoint: outside.trim() } : {}),
    },
    fields,
  };
}
