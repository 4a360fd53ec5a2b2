/** Gathers what is known about an installation. Failures of single questions are facts as well. */

import type { FeatureDefinition } from '../features/catalog.js';
import { type SourceSelector, sourceSelectors } from '../features/queries/selectors.js';
import type { OwnerQueries } from '../features/workload.js';
import type { PrometheusServerApi } from '../prometheus/api.js';
import { Asker, factOf } from './asker.js';
import type { ClockFacts, Conditions, Facts, FeatureFacts } from './facts.js';
import { gatherAnswer } from './gather-answers.js';
import { gatherHistory } from './gather-history.js';
import { gatherSource, type Source } from './gather-source.js';

/** Where the facts come from. */
export interface Gathering {
  readonly api: PrometheusServerApi;
  readonly features: readonly FeatureDefinition[];
  readonly ownerQueries: OwnerQueries;
  readonly training: Conditions['training'];
  /** How far back the newest values are taken, in seconds, for a backend that hides its latest; 0 if unset. */
  readonly queryOffsetSeconds?: number;
  /** Unix time in seconds. */
  readonly nowSeconds: () => number;
  /** Ends the gathering; what was not answered until then is unknown. */
  readonly signal: AbortSignal;
}

/**
 * Asks Prometheus some 25 questions.
 *
 * @throws {PrometheusError} when it does not answer the first of them: there is nothing to know then.
 */
export async function gatherFacts(gathering: Gathering): Promise<Facts> {
  const { api, features, ownerQueries, training, queryOffsetSeconds = 0, nowSeconds, signal } = gathering;
  // What is hidden from scrapes and trainings must not be found here, nor be missed.
  const asker = new Asker(api, nowSeconds() - queryOffsetSeconds, signal);
  const clock = await gatherClock(asker, nowSeconds);
  const server = await factOf(asker.call((status, limit) => status.buildInfo(limit)));
  // First and alone, as in a scrape: what takes long here takes long there.
  const answers = await Promise.all(
    features.map(
      async (feature): Promise<FeatureFacts> => ({
        feature,
        answer: await factOf(gatherAnswer(asker, feature, nowSeconds)),
      }),
    ),
  );
  const sources = await Promise.all(sourcesOf(features).map((source) => gatherSource(asker, source)));
  const kubeStateMetrics = await factOf(
    Promise.all([
      asker.number(`count(${ownerQueries.pod})`),
      asker.number(`count(${ownerQueries.replicaSet})`),
    ]).then(([podOwners, replicaSetOwners]) => ({ podOwners, replicaSetOwners })),
  );
  const required = sources.find((source) => source.required && source.selector.rangeSeconds === undefined);
  const oldest = required ?? sources.find((source) => source.required);
  const history =
    oldest === undefined
      ? { known: false as const, because: 'No selector of a required feature could be read.' }
      : await factOf(gatherHistory(asker, oldest.selector.text, training));
  return {
    clock: { known: true, value: clock },
    server,
    features: answers,
    sources,
    kubeStateMetrics,
    history,
    warnings: [...asker.warnings],
    infos: [...asker.infos],
  };
}

async function gatherClock(asker: Asker, nowSeconds: () => number): Promise<ClockFacts> {
  const sent = nowSeconds();
  const theirs = await asker.call((api, signal) => api.currentTimeSeconds(signal));
  const received = nowSeconds();
  return { skewSeconds: theirs - (sent + received) / 2, uncertaintySeconds: (received - sent) / 2 };
}

/** The selectors of all features, each once. */
export function sourcesOf(features: readonly FeatureDefinition[]): readonly Source[] {
  const sources = new Map<string, { selector: SourceSelector; features: string[]; required: boolean }>();
  for (const feature of features) {
    for (const selector of sourceSelectors(feature.query)) {
      const source = sources.get(selector.text) ?? { selector, features: [], required: false };
      sources.set(selector.text, source);
      source.features.push(feature.name);
      source.required ||= feature.required;
    }
  }
  return [...sources.values()];
}
