import { useTranslation } from 'react-i18next';
import { toast } from '@/ui/toast';
import type { useActions } from './actions';
import { DeleteDialog, NameDialog } from './dialogs';
import type { Item } from './listing';

export type Asking = { newFolder: true } | { rename: Item } | { remove: Item[] } | undefined;

interface QuestionsProps {
  asking: Asking;
  /** The name of the folder one is in. */
  folder: string;
  actions: ReturnType<typeof useActions>;
  onDone(): void;
}

/** The dialogs of this page; one at a time. */
export default function Questions({ asking, folder, actions, onDone }: QuestionsProps) {
  const { t } = useTranslation();
  const { createFolder, rename, remove } = actions;
  const renamed = asking && 'rename' in asking ? asking.rename : undefined;
  const removed = asking && 'remove' in asking ? asking.remove : [];
  const close = () => {
    for (const action of [createFolder, rename, remove]) action.reset();
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
