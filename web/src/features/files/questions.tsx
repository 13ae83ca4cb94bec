import { useTranslation } from 'react-i18next';
import type { Path } from '@/lib/path';
import { toast } from '@/ui/toast';
import type { useActions } from './actions';
import { DeleteDialog, NameDialog } from './dialogs';
import type { Item } from './listing';
import { MoveDialog } from './move';

export type Asking =
  | { newFolder: true }
  | { rename: Item }
  | { move: Item[] }
  | { remove: Item[] }
  | undefined;

interface QuestionsProps {
  asking: Asking;
  /** The folder one is in. */
  path: Path;
  actions: ReturnType<typeof useActions>;
  onDone(): void;
}

/** The dialogs of this page; one at a time. */
export default function Questions({ asking, path, actions, onDone }: QuestionsProps) {
  const { t } = useTranslation();
  const { createFolder, rename, move, remove } = actions;
  const folder = path.at(-1) ?? t('files.root');
  const moved = asking && 'move' in asking ? asking.move : [];
  const renamed = asking && 'rename' in asking ? asking.rename : undefined;
  const removed = asking && 'remove' in asking ? asking.remove : [];
  const close = () => {
    for (const action of [createFolder, rename, move, remove]) action.reset();
    onDone();
  };
  const onRemoved = (failed: number) => {
    const count = removed.length - failed;
    const [only] = removed;
    if (failed > 0) toast(t('remove.some', { count: failed }));
    else if (count === 1 && only) toast(t('remove.done', { name: only.name }));
    else toast(t('remove.doneMany', { count }));
    close();
  };
  const onMoved = (to: Path, copy: boolean) => (failed: number) => {
    const where = to.at(-1) ?? t('files.root');
    const count = moved.length - failed;
    if (failed > 0) toast(t('move.some', { count: failed }));
    else toast(t(copy ? 'move.copied' : 'move.done', { count, where }));
    close();
  };
  return (
    <>
      <NameDialog
        open={!!asking && 'newFolder' in asking}
        title={t('newFolder.title', { folder })}
        initial=""
        submit={t('newFolder.submit')}
        busy={createFolder.isPending}
        error={createFolder.error}
        onClose={close}
        onName={(name) => createFolder.mutate(name, { onSuccess: close })}
      />
      <NameDialog
        open={renamed !== undefined}
        title={t('rename.title', { name: renamed?.name ?? '' })}
        initial={renamed?.name ?? ''}
        submit={t('rename.submit')}
        busy={rename.isPending}
        error={rename.error}
        onClose={close}
        onName={(name) => renamed && rename.mutate({ item: renamed, name }, { onSuccess: close })}
      />
      {moved.length > 0 && (
        <MoveDialog
          items={moved}
          from={path}
          busy={move.isPending}
          error={move.error}
          onClose={close}
          onPlace={(to, copy) =>
            move.mutate({ items: moved, to, copy }, { onSuccess: onMoved(to, copy) })
          }
        />
      )}
      <DeleteDialog
        items={removed}
        busy={remove.isPending}
        error={remove.error}
        onClose={close}
        onDelete={() => remove.mutate(removed, { onSuccess: onRemoved })}
      />
    </>
  );
}
