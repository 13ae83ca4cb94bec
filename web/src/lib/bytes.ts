const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;

/** A size as people expect it: steps of 1024, written KB, MB, GB. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  // 1023.6 KB would round to "1024 KB".
  if (value >= 999.5 && unit > 0 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${trimZeros(value.toFixed(digits))} ${units[unit]}`;
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

const grouped = new Intl.NumberFormat('en');

/** The exact number, for a tooltip: "1,234,567 bytes". */
export function exactBytes(bytes: number): string {
  return `${grouped.format(bytes)} ${bytes === 1 ? 'byte' : 'bytes'}`;
}

export function formatCount(n: number): string {
  return grouped.format(n);
}

/** "84 MB/s". Below one byte a second it is not a speed. */
export function formatSpeed(bytesPerSecond: number): string {
  return bytesPerSecond < 1 ? '' : `${formatBytes(bytesPerSecond)}/s`;
}

/** Reads what `formatBytes` writes, and plain numbers of bytes; NaN for anything else. */
export function parseBytes(text: string): number {
  const found = /^\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?\s*$/i.exec(text);
  if (!found) return Number.NaN;
  const power = ['', 'k', 'm', 'g', 't', 'p'].indexOf((found[2] ?? '').toLowerCase());
  const bytes = Math.round(Number(found[1]) * 1024 ** power);
  return Number.isSafeInteger(bytes) ? bytes : Number.NaN;
}
