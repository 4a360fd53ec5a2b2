/** What the benchmark found, as numbers that can be written to a file and compared. */

/** Base units; `ratio` and `count` have none. */
export type Unit = 'seconds' | 'bytes' | 'ratio' | 'count';

/** Many values of one thing. */
export interface Measurement {
  readonly name: string;
  /** Size of the cluster. */
  readonly pods: number;
  readonly unit: Unit;
  /** How many values there are. */
  readonly count: number;
  readonly median: number;
  readonly min: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** @param values at least one. */
export function summarize(name: string, pods: number, unit: Unit, values: readonly number[]): Measurement {
  const sorted = Float64Array.from(values).sort();
  return {
    name,
    pods,
    unit,
    count: sorted.length,
    median: quantile(sorted, 0.5),
    min: quantile(sorted, 0),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: quantile(sorted, 1),
  };
}

/** The value that at least such a share of all does not exceed: one that was seen, so that no tail is made up. */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** What is wanted of one measurement. */
interface Target {
  readonly name: string;
  readonly pods: number;
  readonly statistic: 'median' | 'p99' | 'max';
  readonly limit: number;
}

const target = (name: string, statistic: Target['statistic'], limits: Readonly<Record<number, number>>): Target[] =>
  Object.entries(limits).map(([pods, limit]) => ({ name, pods: Number(pods), statistic, limit }));

/** Where the exporter must stand on a machine with two processors. */
const TARGETS: readonly Target[] = [
  ...target('scrape', 'median', { 1000: 0.02, 10000: 0.13, 100000: 1.6 }),
  ...target('longest block in a scrape', 'max', { 10000: 0.06, 100000: 0.25 }),
  ...target('longest block in detect', 'max', { 10000: 0.06, 100000: 0.25 }),
  ...target('longest block in detect, all pods', 'max', { 10000: 0.06, 100000: 0.25 }),
  ...target('training', 'median', { 10000: 4, 100000: 45 }),
  ...target('scrape p99 while training / idle', 'median', { 10000: 1.5 }),
  ...target('peak memory', 'max', { 1000: 150e6, 10000: 350e6, 100000: 1.2e9 }),
  ...target('start to first scores, with snapshot', 'median', { 1000: 1, 10000: 1, 100000: 1 }),
  ...target('forest, 10000 rows x 3 x 100 trees', 'median', { 10000: 0.02 }),
];

/** `≤ 20 ms (median): met`, or by what factor it is missed; empty where nothing is wanted. */
export function verdict(measurement: Measurement): string {
  const wanted = TARGETS.find(({ name, pods }) => name === measurement.name && pods === measurement.pods);
  if (wanted === undefined) return '';
  const value = measurement[wanted.statistic];
  const outcome = value <= wanted.limit ? 'met' : `MISSED by ${(100 * (value / wanted.limit - 1)).toFixed(0)} %`;
  return `${wanted.statistic} <= ${format(wanted.limit, measurement.unit)}: ${outcome}`;
}

/** With three digits that count, in a unit that is read with ease. */
export function format(value: number, unit: Unit): string {
  if (unit === 'bytes') return `${(value / 1e6).toFixed(value < 1e7 ? 1 : 0)} MB`;
  if (unit === 'ratio') return value.toFixed(2);
  if (unit === 'count') return value.toLocaleString('en', { maximumFractionDigits: 1 });
  if (value >= 10) return `${value.toFixed(1)} s`;
  return value >= 1 ? `${value.toFixed(2)} s` : `${(value * 1000).toPrecision(3)} ms`;
}
