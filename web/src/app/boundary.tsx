import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { i18next } from '@/lib/i18n';
import { Notice } from '@/ui/notice';
import classes from './app.module.css';

interface Props {
  children: ReactNode;
}

/** What is left when a defect of the page itself stops it. */
export class Boundary extends Component<Props, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    const { t } = i18next;
    return (
      <main className={classes.lost}>
        <Notice what={t('app.crashed')} more={[t('app.crashedSafe'), String(error.message)]} />
        <Button onClick={() => window.location.reload()}>{t('app.reload')}</Button>
      </main>
    );
  }
}
