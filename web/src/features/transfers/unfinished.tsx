import { Button } from '@mantine/core';
import { IconFileUpload } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { wordsOf } from '@/api/words';
import { formatBytes } from '@/lib/bytes';
import { pathOf } from '@/lib/path';
import { Confirm } from '@/ui/confirm';
import { Failed } from '@/ui/failed';
import { iconOf } from '@/ui/file-icon';
import { FileName } from '@/ui/file-name';
import { Icon } from '@/ui/icon';
import { TwoToneProgress } from '@/ui/progress';
import type { Upload } from '@/upload/server';
import classes from './panel.module.css';
import { StoryButton, UploadStory, useOpened } from './story';
import { isLively, nameOf, useUnfinishedActions } from './use-unfinished';
import { dayOf } from './words';

/** An upload that waits for its file, in the panel. */
export function UnfinishedRow({ upload }: { upload: Upload }) {
  const { t } = useTranslation();
  const path = pathOf(upload.uri);
  const [open, setOpen] = useOpened(upload.sessionId);
  const facts = {
    received: formatBytes(upload.receivedBytes),
    size: formatBytes(upload.size),
    until: dayOf(upload.expires),
  };
  return (
    <div className={classes.unfinished}>
      <div className={classes.line}>
        <Icon of={iconOf(nameOf(path), false)} />
        <span className={classes.name}>
          <FileName name={nameOf(path)} title={path.join(' / ')} />
        </span>
        <StoryButton open={open} onOpen={setOpen} />
      </div>
      {!upload.straight && (
        <TwoToneProgress
          thin
          still
          label={t('transfers.ofFile', { name: nameOf(path) })}
          sent={upload.receivedBytes}
          confirmed={upload.receivedBytes}
          total={upload.size}
        />
      )}
      <span className={`${classes.state} num`}>
        {t(upload.straight ? 'unfinished.parts' : 'unfinished.progress', facts)}
        {isLively(upload) && ` · ${t('unfinished.elsewhere')}`}
      </span>
      <div className={classes.buttons}>
        <DiscardButton upload={upload} />
        <ContinueButton uploads={[upload]} text={t('unfinished.continueHow')} />
      </div>
      {open && <UploadStory upload={upload} />}
    </div>
  );
}

interface ContinueProps {
  uploads: Upload[];
  text: string;
}

export function ContinueButton({ uploads, text }: ContinueProps) {
  const input = useRef<HTMLInputElement>(null);
  const { continueWith } = useUnfinishedActions();
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        multiple={uploads.length > 1}
        data-testid="continue-input"
        onChange={(e) => {
          continueWith([...(e.currentTarget.files ?? [])], uploads);
          e.currentTarget.value = '';
        }}
      />
      <Button
        size="compact-sm"
        variant="light"
        leftSection={<Icon of={IconFileUpload} size={16} />}
        onClick={(e) => {
          e.stopPropagation();
          input.current?.click();
        }}
      >
        {text}
      </Button>
    </>
  );
}

export function DiscardButton({ upload }: { upload: Upload }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const { discard } = useUnfinishedActions();
  const action = useMutation({ mutationFn: discard, onSuccess: () => setAsking(false) });
  return (
    <>
      <Button
        size="compact-sm"
        variant="subtle"
        color="gray"
        onClick={(e) => {
          e.stopPropagation();
          setAsking(true);
        }}
      >
        {t('unfinished.discard')}
      </Button>
      <Confirm
        open={asking}
        title={t('unfinished.discardTitle', { name: nameOf(pathOf(upload.uri)) })}
        verb={t('unfinished.discard')}
        busy={action.isPending}
        onClose={() => setAsking(false)}
        onYes={() => action.mutate(upload)}
      >
        <p>
          {upload.straight
            ? t('unfinished.discardParts')
            : t('unfinished.discardText', { bytes: formatBytes(upload.receivedBytes) })}
        </p>
        <Failed words={wordsOf(action.error)} />
      </Confirm>
    </>
  );
}
