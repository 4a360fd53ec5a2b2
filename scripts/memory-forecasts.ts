/**
 * How often forecasts of memory come true, and how early they are, on simulated fleets of nine days:
 * `npm run bench:forecasts -- [--seeds 11,12] [--pods 240] [--false-alarms]`.
 */

import { parseArgs } from 'node:util';
import { METHODS, type MethodOutcome, measureForecasts } from '../src/tools/lab/memory-forecasts.js';

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '11,12,13,14,15,16,17,18,19,20' },
    pods: { type: 'string', default: '240' },
    'false-alarms': { type: 'boolean', default: false },
  },
});

const HEADS = [
  'alerts',
  'came true',
  'false a day and 100 pods',
  'leaks warned of',
  'hours of warning',
  'forecast / truth',
];

const seeds = options.seeds.split(',').map(Number);
const bySeed = seeds.map((seed) => measureForecasts(seed, Number(options.pods)));

console.log(`| | ${HEADS.join(' | ')} |\n|${' --- |'.repeat(HEADS.length + 1)}`);
for (const [index, { name }] of METHODS.entries()) {
  console.log(
    `| ${[`\`${name}\``, ...figuresOf(bySeed.map((outcomes) => outcomes[index] as MethodOutcome))].join(' | ')} |`,
  );
}
if (options['false-alarms']) {
  for (const [position, outcomes] of bySeed.entries()) {
    for (const { pod, kind, minute, horizon, cameTrue } of outcomes[1]?.alerts ?? []) {
      if (cameTrue) continue;
      console.log(
        `seed ${seeds[position]}: ${pod} (${kind}) on day ${(minute / 1440).toFixed(2)}, ${(horizon / 60).toFixed(1)} h`,
      );
    }
  }
}

function figuresOf(outcomes: readonly MethodOutcome[]): string[] {
  const alerts = outcomes.flatMap((outcome) => outcome.alerts);
  const leaks = outcomes.flatMap((outcome) => outcome.leaks);
  const podDays = outcomes.reduce((sum, outcome) => sum + outcome.podDays, 0);
  const right = alerts.filter(({ cameTrue }) => cameTrue).length;
  const warned = leaks.filter(({ warningMinutes }) => warningMinutes !== undefined);
  const hours = warned.map(({ warningMinutes = Number.NaN }) => warningMinutes / 60);
  const ratios = warned.map(({ warningMinutes = Number.NaN, horizon = Number.NaN }) => horizon / warningMinutes);
  return [
    String(alerts.length),
    alerts.length === 0 ? '' : `${Math.round((100 * right) / alerts.length)} %`,
    ((100 * (alerts.length - right)) / podDays).toFixed(2),
    `${warned.length} of ${leaks.length}`,
    rangeOf(hours),
    rangeOf(ratios),
  ];
}

/** The median, and the range of the middle 80 %. */
function rangeOf(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1);
  return sorted.length === 0 ? '' : `${at(0.5)} (${at(0.1)} to ${at(0.9)})`;
}
