import { IconChevronRight } from '@tabler/icons-react';
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import { folderHref, go } from '@/lib/location';
import type { Path } from '@/lib/path';
import { Icon } from '@/ui/icon';
import classes from './breadcrumb.module.css';
import { dropOn } from './drop';

interface Props {
  path: Path;
  isOver(path: Path): boolean;
}

/** Where one is; each step is a way back and a place to drop files. */
export function Breadcrumb({ path, isOver }: Props) {
  const { t } = useTranslation();
  const steps = [t('files.root'), ...path];
  return (
    <nav aria-label={t('files.path')} className={classes.path}>
      {steps.map((name, depth) => {
        const here = path.slice(0, depth);
        const last = depth === path.length;
        const className = `${classes.step} ${isOver(here) ? classes.over : ''}`;
        return (
          <Fragment key={here.join('/')}>
            {depth > 0 && <Icon of={IconChevronRight} size={14} />}
            {last ? (
              <h1 className={className} {...dropOn(here)}>
                <bdi>{name}</bdi>
              </h1>
            ) : (
              <a
                className={className}
                href={folderHref(here)}
                {...dropOn(here)}
                onClick={(e) => {
                  if (e.metaKey || e.ctrlKey) return;
                  e.preventDefault();
                  go(folderHref(here));
                }}
              >
                <bdi>{name}</bdi>
              </a>
            )}
          </Fragment>
        );
      })}
    </nav>
  );
}
