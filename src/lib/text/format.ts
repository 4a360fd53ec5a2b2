/** Numbers, sizes, durations, counts and lists as people read them: a value reads the same wherever it is shown. */

/** Three significant digits, whole numbers in full: `0`, `0.0123`, `1.52`, `180`, `12,345`, `1.2e-7`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return 'unknown';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return value.toExponential(1);
  return value.toLocaleString('en-US', size >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** The largest unit in which the number does not need four digits: `512 B`, `614 MiB`, `1.52 GiB`. */
export function formatBytes(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (Math.abs(amount) >= 999.5 && unit < BYTE_UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  return Number.isFinite(bytes) ? `${formatNumber(amount)} ${BYTE_UNITS[unit]}` : 'unknown';
}

/**
 * A value with its unit: `1.52 GiB`, `0.18 cores`, `512 restarts`. Bytes get the unit that suits their size; any other
 * unit stays, so that the number is the one that a query shows.
 *
 * @param unit base unit; empty where the number is enough.
 */
export function formatQuantity(value: number, unit: string): string {
  if (unit === 'bytes') return formatBytes(value);
  const number = formatNumber(value);
  if (unit === '' || !Number.isFinite(value)) return number;
  return `${number} ${unit === 'cores' && number === '1' ? 'core' : unit}`;
}

/** In at most two units: `0.12 s`, `45 s`, `30 min`, `3 h 15 min`, `2 d 4 h`. A unit is used from 2 on. */
export function formatDuration(seconds: number): string {
  const magnitude = Math.abs(seconds);
  if (magnitude < 10) return `${Number(seconds.toPrecision(2))} s`;
  if (magnitude < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** A duration in the syntax of Prometheus, rounded up, in whole minutes if it is long: `90s`, `4m`. */
export function promDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole % 60 === 0 || whole > 120 ? `${Math.ceil(whole / 60)}m` : `${whole}s`;
}

/** A share of 1 in percent: `97 %`, with two digits `0.42 %`. */
export function formatPercent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** `0 pods`, `1 pod`, `12,345 pods`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatNumber(count)} ${count === 1 ? singular : plural}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** The first few, and the number of the others: `a, b, c and 12 more`. */
export function examples(words: readonly string[], most = 3): string {
  if (words.length <= most) return listed(words);
  return `${words.slice(0, most).join(', ')} and ${formatNumber(words.length - most)} more`;
}
