import { Button, NativeSelect, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { wordsOf } from '@/api/words';
import { formatBytes, parseBytes } from '@/lib/bytes';
import { Confirm } from '@/ui/confirm';
import { Failed } from '@/ui/failed';
import classes from './page.module.css';

interface TextProps {
  label: string;
  how?: string;
  value: string;
  required?: boolean;
  type?: 'email' | 'text';
  error?: string | undefined;
  onValue(value: string): void;
}

export function Text({ label, how, value, required, type = 'text', error, onValue }: TextProps) {
  return (
    <TextInput
      label={label}
      description={how}
      type={type}
      required={required ?? false}
      withAsterisk={false}
      maxLength={320}
      value={value}
      error={error}
      onChange={(e) => onValue(e.currentTarget.value)}
    />
  );
}

/** A size as people write it. Empty text is `none`, what it stands for says `how`. */
export function useSize(bytes: number | undefined, none: number) {
  const { t } = useTranslation();
  const [text, setText] = useState(bytes === undefined || bytes === none ? '' : sizeText(bytes));
  const value = text.trim() === '' ? none : parseBytes(text);
  const wrong = Number.isNaN(value);
  const field = (label: string, how: string) => (
    <Text
      label={label}
      how={how}
      value={text}
      error={wrong ? t('admin.noSize') : undefined}
      onValue={setText}
    />
  );
  return { value, wrong, field };
}

/** A whole number from `least` on. */
export function useCount(count: number, least: number) {
  const { t } = useTranslation();
  const [text, setText] = useState(String(count));
  const value = Number(text);
  const wrong = !(Number.isSafeInteger(value) && value >= least && text.trim() !== '');
  const field = (label: string, how: string) => (
    <Text
      label={label}
      how={how}
      value={text}
      error={wrong ? t('admin.noCount', { least }) : undefined}
      onValue={setText}
    />
  );
  return { value, wrong, field };
}

/** Short where that is exact, so that nothing changes by being looked at. */
function sizeText(bytes: number): string {
  const short = formatBytes(bytes);
  return parseBytes(short) === bytes ? short : String(bytes);
}

interface ChoiceProps {
  label: string;
  how?: string;
  value: string;
  options: { value: string; label: string }[];
  onValue(value: string): void;
}

export function Choice({ label, how, value, options, onValue }: ChoiceProps) {
  return (
    <NativeSelect
      label={label}
      description={how}
      value={value}
      data={options}
      onChange={(e) => onValue(e.currentTarget.value)}
    />
  );
}

interface CheckProps {
  label: string;
  value: boolean;
  onValue(value: boolean): void;
}

export function Check({ label, value, onValue }: CheckProps) {
  return (
    <label className={classes.check}>
      <input type="checkbox" checked={value} onChange={(e) => onValue(e.currentTarget.checked)} />
      {label}
    </label>
  );
}

interface FormProps {
  error: Error | null;
  busy: boolean;
  wrong?: boolean;
  onSave(): void;
  onClose(): void;
  /** A verb that takes something away. */
  danger?: ReactNode;
  children: ReactNode;
}

export function Form({ error, busy, wrong = false, onSave, onClose, danger, children }: FormProps) {
  const { t } = useTranslation();
  return (
    <form
      className={`${classes.form} ${classes.open}`}
      onSubmit={(e) => {
        e.preventDefault();
        if (!wrong) onSave();
      }}
    >
      {children}
      <Failed words={wordsOf(error)} />
      <div className={classes.verbs}>
        <Button type="submit" loading={busy} disabled={wrong}>
          {t('account.save')}
        </Button>
        <Button variant="default" onClick={onClose}>
          {t('app.cancel')}
        </Button>
        {danger && <div data-danger>{danger}</div>}
      </div>
    </form>
  );
}

interface RemoveProps {
  title: string;
  text: string;
  busy: boolean;
  onRemove(): void;
}

/** A verb that asks first. */
export function Remove({ title, text, busy, onRemove }: RemoveProps) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const close = () => setAsking(false);
  return (
    <>
      <Button variant="subtle" color="red" loading={busy} onClick={() => setAsking(true)}>
        {t('admin.delete')}
      </Button>
      <Confirm
        open={asking}
        title={title}
        verb={t('trash.remove')}
        onClose={close}
        onYes={() => {
          close();
          onRemove();
        }}
      >
        <p>{text}</p>
      </Confirm>
    </>
  );
}
