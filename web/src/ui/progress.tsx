import classes from './progress.module.css';

interface Props {
  label: string;
  /** Light: on its way. */
  sent: number;
  /** Full: the server has it. */
  confirmed: number;
  total: number;
  /** Nothing moves; shown without colour. */
  still?: boolean;
  thin?: boolean;
}

/** One bar in two tones. Its spoken value is what is confirmed, never what is only sent. */
export function TwoToneProgress({ label, sent, confirmed, total, still, thin }: Props) {
  const percent = (part: number) => (total === 0 ? 0 : Math.min(100, (100 * part) / total));
  const names = [classes.track, still && classes.still, thin && classes.thin];
  return (
    <div
      className={names.filter(Boolean).join(' ')}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(percent(confirmed))}
    >
      <div className={`${classes.part} ${classes.sent}`} style={{ width: `${percent(sent)}%` }} />
      <div
        className={`${classes.part} ${classes.confirmed}`}
        style={{ width: `${percent(confirmed)}%` }}
      />
    </div>
  );
}
