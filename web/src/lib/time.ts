const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' });
const full = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeStyle: 'medium' });

const minute = 60_000;
const hour = 60 * minute;
const oneDay = 24 * hour;

/** Relative up to a week ("3 hours ago"), the date after that. */
export function formatWhen(at: number, now: number): string {
  const past = now - at;
  const size = Math.abs(past);
  if (size < minute) return 'just now';
  if (size < hour) return relative.format(-Math.round(past / minute), 'minute');
  if (size < oneDay) return relative.format(-Math.round(past / hour), 'hour');
  if (size < 7 * oneDay) return relative.format(-Math.round(past / oneDay), 'day');
  return day.format(at);
}

/** The day, with its year. */
export function formatDay(at: number): string {
  return day.format(at);
}

/** The moment in full, for a tooltip. */
export function formatMoment(at: number): string {
  return full.format(at);
}

const clock = new Intl.DateTimeFormat('en', { timeStyle: 'medium', hourCycle: 'h23' });

/** The time of day, to the second. */
export function formatClock(at: number): string {
  return clock.format(at);
}

/** Time left, rounded so that it does not flicker: "40 s", "3 min", "2 h 10 min". */
export function formatLeft(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '';
  if (seconds < 10) return `${Math.max(1, Math.ceil(seconds))} s`;
  if (seconds < 90) return `${Math.ceil(seconds / 5) * 5} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}
