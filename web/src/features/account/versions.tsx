import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changeSetting, type Setting } from '@/api/account';
import { settingQuery } from '@/api/queries';
import { toast } from '@/ui/toast';
import classes from './page.module.css';
import { Section } from './section';

/** Of which files former contents are kept, and how many. */
export function Versions({ setting }: { setting: Setting }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [keep, setKeep] = useState(setting.version_retention_enabled);
  const shown = setting.version_retention_enabled ? String(setting.version_retention_max) : '';
  const [most, setMost] = useState(shown);
  const [ext, setExt] = useState((setting.version_retention_ext ?? []).join(', '));
  const save = useMutation({
    mutationFn: () =>
      changeSetting({
        version_retention_enabled: keep,
        ...(keep && most !== shown && { version_retention_max: Number(most) }), // 0: what the site allows
        version_retention_ext: ext.split(/[\s,;]+/).filter(Boolean),
      }),
    onSuccess: () => {
      toast(t('account.saved'));
      return queries.invalidateQueries({ queryKey: settingQuery.queryKey });
    },
  });
  return (
    <Section title={t('account.versions')} text={t('account.versionsText')} error={save.error}>
      <form
        className={classes.form}
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate();
        }}
      >
        <Checkbox
          label={t('account.versionsKeep')}
          checked={keep}
          onChange={(e) => setKeep(e.currentTarget.checked)}
        />
        {keep && (
          <>
            <TextInput
              className={classes.field ?? ''}
              label={t('account.versionsMost')}
              description={t('account.versionsMostHow')}
              type="number"
              min={2}
              max={10_000}
              value={most}
              onChange={(e) => setMost(e.currentTarget.value)}
            />
            <TextInput
              className={classes.field ?? ''}
              label={t('account.versionsExt')}
              description={t('account.versionsExtHow')}
              placeholder="txt, md, odt"
              autoCapitalize="none"
              spellCheck={false}
              value={ext}
              onChange={(e) => setExt(e.currentTarget.value)}
            />
          </>
        )}
        <Button type="submit" loading={save.isPending}>
          {t('account.save')}
        </Button>
      </form>
    </Section>
  );
}
