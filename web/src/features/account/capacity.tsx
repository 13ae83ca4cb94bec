import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { capacityQuery } from '@/api/queries';
import { exactBytes, formatBytes } from '@/lib/bytes';
import classes from './account.module.css';

/** Used, reserved and free in one bar, with the numbers. */
export function CapacityBar() {
  const { t } = useTranslation();
  const { data } = useQuery(capacityQuery);
  if (!data) return null;
  // On the wire "used" holds what is reserved, as older clients expect.
  const { total, reserved } = data;
  const used = Math.max(0, data.used - reserved);
  const free = Math.max(0, total - data.used);
  const percent = (part: number) => (total > 0 ? `${Math.min(100, (100 * part) / total)}%` : '0%');
  const exact = { used: exactBytes(used), reserved: exactBytes(reserved), free: exactBytes(free) };
  return (
    <section className={classes.capacity} aria-label={t('capacity.title')}>
      <div className={classes.bar} data-tip={t('capacity.exact', exact)}>
        <div className={classes.used} style={{ width: percent(used) }} />
        <div className={classes.reserved} style={{ width: percent(reserved) }} />
      </div>
      <div className={`${classes.small} num`}>
        <div className={classes.strong}>
          {t('capacity.of', { used: formatBytes(used), total: formatBytes(total) })}
        </div>
        {reserved > 0 && <div>{t('capacity.reserved', { reserved: formatBytes(reserved) })}</div>}
        <div>{t('capacity.free', { free: formatBytes(free) })}</div>
      </div>
    </section>
  );
}
