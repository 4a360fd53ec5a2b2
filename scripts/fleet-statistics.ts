/**
 * How fleets look in numbers, simulated beside recorded: noise, autocorrelation, course of the day, tail.
 * `node dist/scripts/fleet-statistics.js [--seeds 1,2,3] [DIRECTORY …]`, each directory as `evaluate` reads it.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { podColumns } from '../src/tools/lab/fleet/columns.js';
import { createFleet } from '../src/tools/lab/fleet/fleet.js';

/** A pod's values of one column, by minute. */
interface Series {
  readonly minutes: readonly number[];
  readonly values: readonly number[];
}

/** The figures of a series. */
type Figures = readonly number[];

const HEADS = ['noise', 'r(1)', 'r(10)', 'r(60)', 'course', 'q99.9 / q50'];
const DAY_MINUTES = 1440;
/** Fewer say nothing of a tail. */
const FEWEST_VALUES = 600;
const COLUMNS = {
  CPU: ['cpu_cores', 'cpu_usage_pct_of_limit'],
  memory: ['memory_bytes', 'memory_usage_pct_of_limit'],
} as const;

const { values: options, positionals: directories } = parseArgs({
  options: { seeds: { type: 'string', default: '1,2,3' } },
  allowPositionals: true,
});

for (const column of ['CPU', 'memory'] as const) {
  const rows = [
    ...directories.map((directory) => ({ name: basename(directory), series: recorded(directory, column) })),
    ...options.seeds.split(',').map((seed) => ({
      name: `simulated, seed ${seed}`,
      series: simulated(Number(seed), column),
    })),
  ].filter(({ series }) => series.length > 0);
  console.log(`\n| ${column} | series | ${HEADS.join(' | ')} |\n|${' --- |'.repeat(HEADS.length + 2)}`);
  for (const { name, series } of rows) {
    const figures = series.map(figuresOf);
    const cells = HEADS.map((_, index) => rangeOf(figures.map((one) => one[index] as number)));
    console.log(`| ${name} | ${series.length} | ${cells.join(' | ')} |`);
  }
}

/** All pods that are there for three days at least, without those that faults hit. */
function simulated(seed: number, column: keyof typeof COLUMNS): Series[] {
  const fleet = createFleet({ seed, days: 9, pods: 240, incident: false });
  return fleet.pods
    .filter(({ born, end }) => Math.min(fleet.learningMinutes, end) - Math.max(0, born) > 3 * DAY_MINUTES)
    .map((pod) => {
      const columns = podColumns(fleet, pod, 0, fleet.learningMinutes);
      const values = column === 'CPU' ? columns.cpuCores : columns.memoryBytes;
      const minutes = [...values.keys()].filter((minute) => !Number.isNaN(values[minute]));
      return { minutes, values: minutes.map((minute) => values[minute] as number) };
    })
    .filter(({ values }) => values.length >= FEWEST_VALUES);
}

function recorded(directory: string, column: keyof typeof COLUMNS): Series[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.csv.gz'))
    .flatMap((name) => {
      const text = gunzipSync(readFileSync(join(directory, name))).toString();
      const [header = '', ...lines] = text.trimEnd().split('\n');
      const heads = header.split(',');
      const position = heads.findIndex((head) => (COLUMNS[column] as readonly string[]).includes(head));
      const pods = new Map<string, { minutes: number[]; values: number[] }>();
      for (const line of position < 0 ? [] : lines) {
        const fields = line.split(',');
        if (fields[position] === '') continue;
        const key = `${fields[1]}/${fields[2]}`;
        const pod = pods.get(key) ?? { minutes: [], values: [] };
        pods.set(key, pod);
        pod.minutes.push(Math.floor(Number(fields[0]) / 60));
        pod.values.push(Number(fields[position]));
      }
      return [...pods.values()].filter(({ values }) => values.length >= FEWEST_VALUES).map(withoutRepeats);
    });
}

/** Samples of five minutes that are written for each minute: one of them is enough. */
function withoutRepeats(series: Series): Series {
  const { values } = series;
  const repeats = values.filter((value, i) => i > 0 && value === values[i - 1]).length / values.length;
  const isFifth = values.slice(0, 500).every((value, i, part) => i % 5 === 0 || value === part[i - 1]);
  if (repeats < 0.79 || !isFifth) return series;
  const keep = (_: number, i: number) => i % 5 === 0;
  return { minutes: series.minutes.filter(keep), values: values.filter(keep) };
}

function figuresOf({ minutes, values }: Series): Figures {
  const median = quantile(values, 0.5);
  const steps = values.slice(1).map((value, i) => Math.abs(value - (values[i] as number)));
  const hours = Array.from({ length: 24 }, (): number[] => []);
  values.forEach((value, i) => {
    hours[Math.floor(((minutes[i] as number) % DAY_MINUTES) / 60)]?.push(value);
  });
  const ofHours = hours.filter(({ length }) => length > 0).map((hour) => quantile(hour, 0.5));
  return [
    (1.4826 * quantile(steps, 0.5)) / Math.SQRT2 / median,
    ...[1, 10, 60].map((lag) => autocorrelation(values, lag)),
    Math.max(...ofHours) / Math.min(...ofHours),
    quantile(values, 0.999) / median,
  ];
}

function autocorrelation(values: readonly number[], lag: number): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let covariance = 0;
  let variance = 0;
  values.forEach((value, i) => {
    variance += (value - mean) ** 2;
    if (i >= lag) covariance += (value - mean) * ((values[i - lag] as number) - mean);
  });
  return covariance / variance;
}

function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] as number;
}

/** Median over the series, and between which values eight in ten are. */
function rangeOf(figures: readonly number[]): string {
  const known = figures.filter(Number.isFinite);
  const [low, middle, high] = [0.1, 0.5, 0.9].map((q) => Number(quantile(known, q).toPrecision(2)));
  return `${middle} (${low} to ${high})`;
}
