import { ActionIcon, Button } from '@mantine/core';
import { IconCopy } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { wordsOf } from '@/api/words';
import { go } from '@/lib/location';
import type { Path } from '@/lib/path';
import { Failed } from '@/ui/failed';
import { Icon } from '@/ui/icon';
import { toast } from '@/ui/toast';
import classes from './empty.module.css';
import { isGone } from './failure';

interface EmptyProps {
  path: Path;
  onUpload(): void;
}

/** One sentence, one button, and the same from a terminal. */
export function EmptyFolder({ path, onUpload }: EmptyProps) {
  const { t } = useTranslation();
  const command = `wharf put FILE ${quoted(['', ...path, ''].join('/'))}`;
  const copy = async () => {
    await navigator.clipboard.writeText(command);
    toast(t('files.copied'));
  };
  return (
    <div className={classes.empty}>
      <p>{t('files.empty')}</p>
      <Button onClick={onUpload}>{t('files.emptyButton')}</Button>
      <p>{t('files.emptyCommand')}</p>
      <div className={classes.command}>
        <code className="mono" tabIndex={0}>
          {command}
        </code>
        {navigator.clipboard && (
          <ActionIcon
            size={28}
            aria-label={t('files.copy')}
            data-tip={t('files.copy')}
            onClick={copy}
          >
            <Icon of={IconCopy} size={16} />
          </ActionIcon>
        )}
      </div>
    </div>
  );
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w:/.%~-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function NothingFound({ query, onClear }: { query: string; onClear(): void }) {
  const { t } = useTranslation();
  return (
    <div className={`${classes.empty} ${classes.plain}`}>
      <p>{t('files.nothingFound', { query })}</p>
      <Button variant="default" onClick={onClear}>
        {t('files.clearFilter')}
      </Button>
    </div>
  );
}

export function ListFailure({ error, onAgain }: { error: unknown; onAgain(): void }) {
  const { t } = useTranslation();
  const gone = isGone(error);
  return (
    <div className={`${classes.empty} ${classes.plain}`}>
      {gone ? (
        <p>
          {t('files.gone')} {t('files.goneMore')}
        </p>
      ) : (
        <Failed words={wordsOf(error)} />
      )}
      <Button variant="default" onClick={gone ? () => go('/files') : onAgain}>
        {gone ? t('app.toFiles') : t('app.tryAgain')}
      </Button>
    </div>
  );
}

/** Where the rows will be. */
export function LoadingRows() {
  const { t } = useTranslation();
  return (
    <div className={classes.rows} aria-busy="true">
      <span className="quiet">{t('files.loading')}</span>
      {[62, 45, 71, 38, 55, 66].map((width) => (
        <div key={width} className={classes.bone} style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}
