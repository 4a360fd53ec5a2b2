/** From the settings to the part of the cluster that this process watches. */

import type { Settings } from '../config/settings.js';
import type { FeatureSet } from '../features/queries/feature-file.js';
import { labelText } from '../features/queries/promql.js';
import { readsAllNamespaces, selectorsOf } from './narrow.js';
import type { ShardingPlan } from './shard-namespaces.js';

/** Prometheus still answers an instant with what is this old. */
const LOOKBACK_SECONDS = 300;

/**
 * What this process watches; `undefined` where it is all.
 *
 * @param windowSeconds how far back its queries reach.
 */
export function shardingPlanOf(
  { shard, totalShards, trainingLookbackMinutes, namespaceLabel }: Settings,
  { features, ownerQueries }: Pick<FeatureSet, 'features' | 'ownerQueries'>,
  windowSeconds = trainingLookbackMinutes * 60,
): ShardingPlan | undefined {
  if (totalShards === 1) return undefined;
  return {
    shard: { ordinal: shard ?? 0, total: totalShards },
    namespaceLabel,
    // Pods that only kube-state-metrics knows belong to somebody, too: a check says that they are not scored.
    selectors: selectorsOf([...features.map(({ query }) => query), ownerQueries.pod]),
    windowSeconds: windowSeconds + LOOKBACK_SECONDS,
  };
}

/** A sentence for each query that every shard reads as a whole. */
export function shardingWarnings(
  { features, places }: FeatureSet,
  { namespaceLabel }: Pick<Settings, 'namespaceLabel'>,
): readonly string[] {
  return features
    .filter(({ query }) => readsAllNamespaces(query, namespaceLabel))
    .map(
      ({ name }) =>
        `Feature ${name} (${places.get(name) ?? 'built in'}) has a selector without a matcher for ${namespaceLabel}, so every ` +
        `shard reads the series of all shards. Add ${labelText(namespaceLabel)}=~"{{namespace_regex}}" to it.`,
    );
}
