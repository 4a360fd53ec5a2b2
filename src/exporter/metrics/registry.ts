/** All metrics, and how they are rendered for a scrape. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { Registry } from 'prom-client';
import type { PassOutcome } from '../detection/detection.js';
import { anomaly } from './anomaly.js';
import { buildInfo } from './build-info.js';
import { explanation } from './explanation.js';
import { findings } from './findings.js';
import { model } from './model.js';
import type { MetricModule, MetricSources } from './module.js';
import { pass } from './pass.js';
import { processMetrics } from './process.js';
import { sharding } from './sharding.js';
import { snapshot } from './snapshot.js';
import { TableRegistry } from './table-gauge.js';
import { training } from './training.js';
import { upstream } from './upstream.js';
import { webConfig } from './web-config.js';
import { workload } from './workload.js';

/** The metric modules, in the order of the text. */
export const METRIC_MODULES: readonly MetricModule[] = [
  anomaly,
  explanation,
  workload,
  pass,
  model,
  snapshot,
  training,
  findings,
  upstream,
  sharding,
  webConfig,
  buildInfo,
  processMetrics,
];

/** Renders all metrics. */
export interface Metrics {
  /**
   * The text of one scrape.
   *
   * @param runPass starts or joins a detection pass; called once, by the first `collect` that asks.
   */
  render(
    runPass: () => Promise<PassOutcome>,
  ): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Registers every module in a registry of its own. */
export function createMetrics(sources: Omit<MetricSources, 'pass'>): Metrics {
  const registry = new TableRegistry();
  // prom-client's `collect` knows nothing of the scrape that it is called for; the asynchronous context does.
  const scrape = new AsyncLocalStorage<() => Promise<PassOutcome>>();
  const currentPass = () => {
    const runPass = scrape.getStore();
    if (runPass === undefined) throw new Error('Metrics were collected outside of a scrape.');
    return runPass();
  };
  for (const module of METRIC_MODULES) module.register(registry, { ...sources, pass: currentPass });
  return {
    async render(runPass) {
      let outcome: Promise<PassOutcome> | undefined;
      const once = () => {
        outcome ??= runPass();
        return outcome;
      };
      const body = await scrape.run(once, () => registry.metrics());
      return { contentType: Registry.PROMETHEUS_CONTENT_TYPE, body };
    },
  };
}
