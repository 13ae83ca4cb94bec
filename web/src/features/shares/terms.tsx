import { Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { serverNow } from '@/api/call';
import type { Body } from '@/api/model';
import type { Share } from '@/api/shares';
import { formatDay } from '@/lib/time';

const oneDay = 86_400;

/** What a link asks for and when it ends, as it is typed. */
export interface Terms {
  secret: boolean;
  password: string;
  /** Days from now; '0': never; 'kept': as it was. */
  ends: string;
  downloads: string;
}

export function termsOf(share: Share | undefined): Terms {
  if (!share) return { secret: false, password: '', ends: '7', downloads: '' };
  const left = share.remain_downloads;
  return {
    secret: share.is_private === true,
    password: share.password ?? '',
    ends: endOf(share) === undefined ? (share.expires ? '7' : '0') : 'kept',
    downloads: left === undefined ? '' : String(left),
  };
}

/** When a link ends that has not, and will. */
function endOf(share: Share | undefined): number | undefined {
  const at = Date.parse(share?.expires ?? '');
  return at > serverNow() ? at : undefined;
}

/** Terms on the wire. They take the place of all that `share` has. */
export function bodyOf(terms: Terms, uri: string, share?: Share): Body<'createShare'> {
  const kept = Math.ceil(((endOf(share) ?? 0) - serverNow()) / 1000);
  return {
    uri,
    is_private: terms.secret,
    password: terms.secret ? terms.password : '',
    expire: terms.ends === 'kept' ? Math.max(1, kept) : Number(terms.ends) * oneDay,
    downloads: Number(terms.downloads),
    ...(share && {
      share_view: share.share_view === true,
      show_readme: share.show_readme === true,
    }),
  };
}

interface Props {
  terms: Terms;
  /** The link that is changed. */
  share: Share | undefined;
  onChange(terms: Terms): void;
}

export function TermsFields({ terms, share, onChange }: Props) {
  const { t } = useTranslation();
  const set = (some: Partial<Terms>) => onChange({ ...terms, ...some });
  const end = endOf(share);
  const ends = [1, 7, 30].map((count) => ({
    value: String(count),
    label: t(share ? 'shares.daysFromNow' : 'shares.days', { count }),
  }));
  if (end !== undefined)
    ends.unshift({ value: 'kept', label: t('shares.endsKept', { when: formatDay(end) }) });
  return (
    <>
      <Checkbox
        label={t('shares.secret')}
        checked={terms.secret}
        onChange={(e) => set({ secret: e.currentTarget.checked })}
      />
      {terms.secret && (
        <TextInput
          label={t('shares.password')}
          description={t(share?.password ? 'shares.passwordKept' : 'shares.passwordText')}
          value={terms.password}
          pattern="[0-9A-Za-z]*"
          maxLength={32}
          autoComplete="off"
          spellCheck={false}
          onChange={(e) => set({ password: e.currentTarget.value })}
        />
      )}
      <NativeSelect
        label={t('shares.ends')}
        value={terms.ends}
        data={[...ends, { value: '0', label: t('shares.never') }]}
        onChange={(e) => set({ ends: e.currentTarget.value })}
      />
      <TextInput
        label={t(share ? 'shares.downloadsLeft' : 'shares.downloads')}
        placeholder={t('shares.anyNumber')}
        type="number"
        min={1}
        max={1_000_000}
        value={terms.downloads}
        onChange={(e) => set({ downloads: e.currentTarget.value })}
      />
    </>
  );
}
