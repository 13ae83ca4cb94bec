import { useSyncExternalStore } from 'react';
import { Listeners } from '@/lib/observable';
import classes from './toast.module.css';

interface Toast {
  id: number;
  text: string;
}

const listeners = new Listeners();
let toasts: readonly Toast[] = [];
let lastId = 0;

/** A short sentence that goes away by itself; never the only place for a failure. */
export function toast(text: string): void {
  const id = ++lastId;
  toasts = [...toasts.slice(-2), { id, text }];
  listeners.notify();
  setTimeout(() => {
    toasts = toasts.filter((t) => t.id !== id);
    listeners.notify();
  }, 5000);
}

export function Toasts() {
  const shown = useSyncExternalStore(listeners.subscribe, () => toasts);
  return (
    <output className={classes.stack} aria-live="polite">
      {shown.map((t) => (
        <div key={t.id} className={classes.toast}>
          {t.text}
        </div>
      ))}
    </output>
  );
}
