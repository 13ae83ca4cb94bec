import { ActionIcon } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '@/ui/icon';
import type { Job } from '@/upload/job';
import type { Upload } from '@/upload/server';

const Timeline = lazy(() => import('./timeline'));

/** Opens and closes the story of an upload, in its own line. */
export function StoryButton({ open, onOpen }: { open: boolean; onOpen(open: boolean): void }) {
  const { t } = useTranslation();
  const label = t(open ? 'timeline.hide' : 'timeline.show');
  return (
    <ActionIcon
      size={24}
      aria-label={label}
      data-tip={label}
      aria-expanded={open}
      onClick={() => onOpen(!open)}
    >
      <Icon of={IconHistory} size={16} />
    </ActionIcon>
  );
}

// Rows come and go as one scrolls; what is open stays open.
const opened = new Set<string>();

export function useOpened(key: string): [boolean, (open: boolean) => void] {
  const [open, setOpen] = useState(opened.has(key));
  const change = (next: boolean) => {
    if (next) opened.add(key);
    else opened.delete(key);
    setOpen(next);
  };
  return [open, change];
}

export function JobStory({ job }: { job: Job }) {
  const live = ['running', 'retrying', 'confirming'].includes(job.state);
  // Asked anew when the state changes: the last event is the one that matters.
  return (
    <Suspense>
      <Timeline
        key={job.state}
        sessionId={job.sessionId}
        story={job.story}
        durability={job.durability}
        live={live}
      />
    </Suspense>
  );
}

export function UploadStory({ upload }: { upload: Upload }) {
  return (
    <Suspense>
      <Timeline
        sessionId={upload.sessionId}
        story={[]}
        durability={upload.durability}
        live={false}
      />
    </Suspense>
  );
}
