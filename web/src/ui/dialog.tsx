import '@mantine/core/styles/Overlay.css';
import '@mantine/core/styles/ModalBase.css';
import '@mantine/core/styles/Modal.css';
import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './dialog.module.css';

interface Props {
  open: boolean;
  /** The question. */
  title: string;
  onClose(): void;
  children?: ReactNode;
  /** Verbs; the safe one carries data-autofocus. */
  actions: ReactNode;
  closeLabel: string;
}

/** A decision to make: a question, what it means, and verbs to choose from. */
export function Dialog({ open, title, onClose, children, actions, closeLabel }: Props) {
  return (
    <Modal
      opened={open}
      onClose={onClose}
      title={title}
      classNames={{ title: classes.title ?? '' }}
      closeButtonProps={{ 'aria-label': closeLabel }}
    >
      <div className={classes.body}>
        {children}
        <div className={classes.actions}>{actions}</div>
      </div>
    </Modal>
  );
}
