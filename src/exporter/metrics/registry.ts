/** All metrics, and their rendering for a scrape. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { SharedWork } from '../../lib/shared-work.js';
import type { PassOutcome } from '../detection/detection.js';
import { anomaly, workload } from './anomaly.js';
import { budget } from './budget.js';
import { context } from './context.js';
import { detector } from './detector.js';
import { episodes } from './episodes.js';
import { explanation } from './explanation.js';
import type { Family } from './family.js';
import { forecast } from './forecast.js';
import { history } from './history.js';
import { FamilyRegistry, registerFamily } from './register-family.js';
import { service } from './service.js';
import type { ScrapeState } from './state.js';

/** All families of the exporter, in the order of the text. Those of the process follow them. */
export const FAMILIES: readonly Family<ScrapeState>[] = [
  ...anomaly,
  ...explanation,
  ...workload,
  ...episodes,
  ...context,
  ...forecast,
  ...detector,
  ...budget,
  ...history,
  ...service,
];

/** Renders all metrics. */
export type Metrics = ReturnType<typeof createMetrics>;

/**
 * Registers every family in a registry of its own.
 *
 * @param readState called once a scrape, at the end of its pass.
 */
export function createMetrics(readState: () => Omit<ScrapeState, 'outcome'>) {
  const registry = new FamilyRegistry();
  // prom-client's `collect` knows nothing of the scrape that it is called for; the asynchronous context does.
  const scrape = new AsyncLocalStorage<ScrapeState>();
  const stateOf = async () => {
    const state = scrape.getStore();
    if (state === undefined) throw new Error('Metrics were collected outside of a scrape.');
    return state;
  };
  for (const family of FAMILIES) registerFamily(registry, family, stateOf);
  registerProcessMetrics(registry);
  const rendering = new SharedWork<PassOutcome, { readonly contentType: string; readonly body: string }>();
  const renderOf = async (outcome: PassOutcome) => {
    const body = await scrape.run({ outcome, ...readState() }, () => registry.metrics());
    return { contentType: Registry.PROMETHEUS_CONTENT_TYPE, body };
  };
  return {
    /**
     * The text of one scrape. Scrapes whose passes have the same outcome at the same time share it.
     *
     * @param runPass starts or joins a detection pass, and does not reject.
     */
    async render(runPass: () => Promise<PassOutcome>) {
      const outcome = await runPass();
      return rendering.run(
        outcome,
        () => true,
        () => renderOf(outcome),
      );
    },
  };
}

/**
 * What is left out of prom-client's metrics of the process: gauges whose names end in `_total`, which only a counter's
 * may (`promtool check metrics`), and the minimum, mean and deviation of the event loop's lag, which are 9223372036 and
 * NaN where one scrape closely follows another.
 */
const LEFT_OUT = /^nodejs_(?:active_\w+_total|eventloop_lag_(?:min|mean|stddev)_seconds)$/;

/** Adds CPU, memory, event loop and garbage collection of this process, in prom-client's order: some set others. */
function registerProcessMetrics(registry: Registry): void {
  const offered = new Registry();
  collectDefaultMetrics({ register: offered });
  for (const { name } of offered.getMetricsAsArray()) {
    const metric = offered.getSingleMetric(name);
    if (metric !== undefined && !LEFT_OUT.test(name)) registry.registerMetric(metric);
  }
}
