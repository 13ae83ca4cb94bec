import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type Device, endDevice, endOtherDevices } from '@/api/account';
import { devicesQuery } from '@/api/queries';
import { formatMoment, formatWhen } from '@/lib/time';
import { toast } from '@/ui/toast';
import { agentName } from './agent';
import classes from './page.module.css';
import { Section } from './section';

/** Where one is signed in, and the way out of each. */
export function Devices() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { data: list, error } = useQuery(devicesQuery);
  const refresh = () => queries.invalidateQueries({ queryKey: devicesQuery.queryKey });
  const end = useMutation({ mutationFn: endDevice, onSettled: refresh });
  const endOthers = useMutation({
    mutationFn: endOtherDevices,
    onSuccess: () => toast(t('account.othersEnded')),
    onSettled: refresh,
  });
  return (
    <Section
      title={t('account.devices')}
      text={t('account.devicesText')}
      error={error ?? end.error ?? endOthers.error}
    >
      <ul className={classes.list}>
        {(list ?? []).map((device) => (
          <Line key={device.id} device={device} onEnd={() => end.mutate(device.id)} />
        ))}
      </ul>
      {list && list.length > 1 && (
        <Button variant="default" loading={endOthers.isPending} onClick={() => endOthers.mutate()}>
          {t('account.endOthers')}
        </Button>
      )}
    </Section>
  );
}

function Line({ device, onEnd }: { device: Device; onEnd(): void }) {
  const { t } = useTranslation();
  const name = agentName(device.user_agent) || t('account.someDevice');
  const seen = Date.parse(device.last_seen);
  return (
    <li className={classes.line}>
      <div>
        <span data-tip={device.user_agent}>{name}</span>
        <div className="muted num">
          {device.current ? (
            <span className={classes.here}>{t('account.thisDevice')}</span>
          ) : (
            <span data-tip={formatMoment(seen)}>
              {t('account.seen', { when: formatWhen(seen, Date.now()) })}
            </span>
          )}
          {device.address && ` · ${device.address}`}
        </div>
      </div>
      {!device.current && (
        <Button
          variant="subtle"
          color="red"
          aria-label={t('account.endDevice', { name })}
          onClick={onEnd}
        >
          {t('app.signOut')}
        </Button>
      )}
    </li>
  );
}
