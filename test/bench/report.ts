/** Tables for people. */

import { format, type Measurement, verdict } from './measurement.js';

/** One line for each measurement, with what is wanted of it. */
export function table(measurements: readonly Measurement[]): string {
  const header = ['pods', 'what', 'median', 'min', 'p95', 'p99', 'max', 'n', 'wanted'];
  const rows = measurements.map((measurement) => {
    const { pods, name, unit, median, min, p95, p99, max, count } = measurement;
    const values = [median, min, p95, p99, max].map((value) => format(value, unit));
    return [String(pods), name, ...values, String(count), verdict(measurement)];
  });
  return align([header, ...rows]);
}

/** Medians of two runs side by side. Measurements that only one of them has are left out. */
export function comparison(before: readonly Measurement[], after: readonly Measurement[]): string {
  const header = ['pods', 'what', 'before', 'after', 'after / before'];
  const rows = after.flatMap((now) => {
    const then = before.find(({ name, pods }) => name === now.name && pods === now.pods);
    if (then === undefined) return [];
    const medians = [then.median, now.median].map((value) => format(value, now.unit));
    return [[String(now.pods), now.name, ...medians, (now.median / then.median).toFixed(2)]];
  });
  return align([header, ...rows]);
}

/** Columns two spaces apart; words to the left, figures to the right. */
export function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const isText = (column: number) => rows[0]?.[column] === 'what' || rows[0]?.[column] === 'wanted';
  return rows
    .map((row) =>
      row
        .map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
