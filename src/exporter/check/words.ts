/** Numbers and lists as people write them. */

/** `1 pod`, `41 pods`, `no pods`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  if (count === 0) return `no ${plural}`;
  return `${count.toLocaleString('en-US')} ${count === 1 ? singular : plural}`;
}

/** `0.12 s`, `45 s`, `30 min`, `3 h 15 min`, `2 d 4 h`. */
export function duration(seconds: number): string {
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

/** `512 KiB`, `21 MiB`, `1.4 GiB`. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let amount = count;
  let unit = 0;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${amount < 10 && unit > 0 ? amount.toFixed(1) : Math.round(amount)} ${units[unit]}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** The first few, and how many more there are: `a, b, c and 12 more`. */
export function examples(words: readonly string[], most = 3): string {
  if (words.length <= most) return listed(words);
  return `${words.slice(0, most).join(', ')} and ${(words.length - most).toLocaleString('en-US')} more`;
}

/** A duration that Prometheus reads, in whole minutes where it is that long: `90s`, `4m`. */
export function promDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole % 60 === 0 || whole > 120 ? `${Math.ceil(whole / 60)}m` : `${whole}s`;
}
