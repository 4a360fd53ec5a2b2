/** Asks Prometheus whether the queries are sound. */

import { examples } from '../../../lib/text/format.js';
import type { PrometheusApi, QueryResult } from '../../prometheus/api.js';
import { PrometheusError } from '../../prometheus/errors.js';
import type { FeatureDefinition } from '../catalog.js';
import type { FeatureSet } from './feature-file.js';

/**
 * Runs each query at one instant, all at the same time. A server that cannot be asked, or does not answer in time, says
 * nothing about the queries; nor does an answer without series.
 *
 * @param timeSeconds Unix time in seconds.
 * @returns how many series each query has, of those that were answered.
 * @throws {Error} with a sentence for each feature whose query is wrong, with the feature's name and place.
 */
export async function requireSoundQueries(
  api: PrometheusApi,
  { features, places }: FeatureSet,
  timeSeconds: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const series = new Map<string, number>();
  const found = await Promise.all(
    features.map(async (feature) => {
      const mistake = await api
        .query({ query: feature.query, timeSeconds, signal })
        .then((result) => {
          series.set(feature.query, result.labels.length);
          return unlabelled(feature, result);
        })
        .catch((error: unknown) => {
          if (!(error instanceof PrometheusError)) throw error;
          return error.about === 'query' ? error.message : undefined;
        });
      const place = places.get(feature.name) ?? 'built in';
      return mistake === undefined ? [] : [`Feature ${feature.name} (${place}): ${mistake}`];
    }),
  );
  const mistakes = found.flat();
  if (mistakes.length > 0) throw new Error(mistakes.join(' '));
  return series;
}

/** Series without the labels of a pod are left out one by one; if that is all of them, the query is wrong. */
function unlabelled({ query, podLabel }: FeatureDefinition, { labels }: QueryResult): string | undefined {
  const [example] = labels;
  if (example === undefined || labels.some((own) => own.namespace && own[podLabel])) return undefined;
  const names = examples(Object.keys(example).sort(), 12) || 'none';
  return (
    `Expected the answer to \`${query}\` to have the labels namespace and ${podLabel}, got ${labels.length} series, ` +
    `none of which has both (labels of the first: ${names}).`
  );
}
