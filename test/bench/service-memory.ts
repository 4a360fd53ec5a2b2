/**
 * Measures the peak memory of the exporter in usual load, with the memory settings of the manifests: scrapes, trainings and
 * the reading of history, all with their default settings except for a shorter time between trainings.
 *
 * Usage: npm run bench:service -- [--pods 10000] [--minutes 15]
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startChild } from './children.js';
import { Exporter } from './exporter.js';

const { values: options } = parseArgs({
  options: { pods: { type: 'string', default: '10000' }, minutes: { type: 'string', default: '15' } },
});
const SCRAPE_MILLISECONDS = 15_000;

const prometheus = await startChild<{ readonly url: string }>('prometheus.js', [options.pods]);
const exporter = new Exporter({
  PROMETHEUS_URL: prometheus.first.url,
  // As in deploy/kubernetes/base/deployment.yaml.
  NODE_OPTIONS: '--max-old-space-size=384',
  RETRAIN_SCHEDULE: '*/3 * * * *',
  HISTORY_DAYS: '8',
});
try {
  const end = Date.now() + Number(options.minutes) * 60_000;
  await exporter.trained();
  while (Date.now() < end) {
    await exporter.scrape();
    await sleep(SCRAPE_MILLISECONDS);
  }
  const { body } = await exporter.request('/healthz');
  const { history } = JSON.parse(body.toString()) as { history: { known_days: number } };
  const { peakBytes, residentBytes } = exporter.memory() ?? { peakBytes: Number.NaN, residentBytes: Number.NaN };
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  console.log(
    `${options.pods} pods, ${options.minutes} minutes, ${exporter.trainings().length} trainings, ` +
      `${history.known_days.toFixed(2)} days of history: peak ${megabytes(peakBytes)}, at the end ${megabytes(residentBytes)}`,
  );
} finally {
  await exporter.stop();
  await prometheus.stop();
}
