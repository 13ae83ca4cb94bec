import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { allowOrigin, type Policy, testPolicy } from '@/api/admin';
import { wordsOf } from '@/api/words';
import { Failed } from '@/ui/failed';
import { toast } from '@/ui/toast';
import { unbar } from '@/upload/transports/stores';
import classes from './page.module.css';

/** Does the bucket do what clients need? Each defect with what mends it. */
export function Trial({ policy }: { policy: Policy }) {
  const { t } = useTranslation();
  const test = useMutation({ mutationFn: () => testPolicy(policy.id) });
  const allow = useMutation({
    mutationFn: () => allowOrigin(policy.id),
    onSuccess: () => {
      unbar();
      toast(t('admin.corsDone'));
      test.mutate();
    },
  });
  return (
    <>
      <Button
        variant="default"
        loading={test.isPending}
        aria-label={t('admin.testOf', { name: policy.name })}
        onClick={() => test.mutate()}
      >
        {t('admin.test')}
      </Button>
      {(test.data || test.error) && (
        <section className={classes.trial} aria-live="polite">
          <Failed words={wordsOf(test.error ?? allow.error)} />
          {test.data && <strong>{t(test.data.ok ? 'admin.testGood' : 'admin.testBad')}</strong>}
          <ul>
            {test.data?.steps.map((step) => (
              <li key={step.name} data-ok={step.ok}>
                <span>
                  {step.name}: {t(step.ok ? 'admin.works' : 'admin.fails')}
                </span>
                {!step.ok && (
                  <p>
                    {step.cause}
                    <br />
                    <span className="muted">{step.remedy}</span>
                  </p>
                )}
              </li>
            ))}
          </ul>
          {test.data && !test.data.ok && !policy.settings.relay && (
            <Button variant="default" loading={allow.isPending} onClick={() => allow.mutate()}>
              {t('admin.cors')}
            </Button>
          )}
        </section>
      )}
    </>
  );
}
