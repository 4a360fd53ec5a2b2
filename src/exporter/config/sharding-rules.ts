/** Which shard a process is: by its settings or flags, or by the name of its pod in a StatefulSet. */

import { NAMESPACE_LABEL } from '../features/queries/template.js';
import { type Environment, SETTINGS, type Settings } from './settings.js';

/** The settings that are flags of the command line too, as in kube-state-metrics. */
export type ShardFlags = Readonly<Partial<Record<'shard' | 'totalShards', string>>>;

/** The environment with the flags in the place of their variables. */
export function withShardFlags(environment: Environment, { shard, totalShards }: ShardFlags): Environment {
  const { shard: one, totalShards: all } = SETTINGS;
  return {
    ...environment,
    ...(shard !== undefined && { [one.env]: shard }),
    ...(totalShards !== undefined && { [all.env]: totalShards }),
  };
}

/**
 * A sentence for each mistake: shards share the values of one label, and each queries its own. cAdvisor and
 * kube-state-metrics must have the same one.
 *
 * @param settings those that are valid on their own.
 */
export function shardingMistakes(settings: Partial<Settings>): readonly string[] {
  const { namespaceLabel, totalShards = 1, metricsSource } = settings;
  if (totalShards === 1 || namespaceLabel === undefined || namespaceLabel === NAMESPACE_LABEL) return [];
  if (metricsSource === 'opentelemetry') return [];
  return [
    `NAMESPACE_LABEL: expected "${NAMESPACE_LABEL}" with TOTAL_SHARDS="${totalShards}", got "${namespaceLabel}". Scrape cAdvisor ` +
      `with honor_labels: true instead. Example: NAMESPACE_LABEL="${NAMESPACE_LABEL}"`,
  ];
}

/**
 * The ordinal of the shard. Without `SHARD`, it is the number at the end of the pod's name, as a StatefulSet gives it:
 * `POD_NAME`, or `HOSTNAME`, which Kubernetes sets to the same.
 *
 * @param settings those that are valid on their own.
 * @returns a sentence in place of the ordinal where the settings contradict each other.
 */
export function shardOrdinal(
  { shard, totalShards = Number.POSITIVE_INFINITY }: Partial<Settings>,
  environment: Environment,
): number | string {
  const least = 'from 0 to TOTAL_SHARDS - 1';
  if (shard !== undefined) {
    if (shard < totalShards) return shard;
    return `SHARD: expected a number ${least}, got ${shard} with TOTAL_SHARDS="${totalShards}". Example: SHARD="${totalShards - 1}"`;
  }
  if (totalShards === Number.POSITIVE_INFINITY || totalShards === 1) return 0;
  const pod = environment.POD_NAME?.trim();
  const [variable, name] = pod ? ['POD_NAME', pod] : ['HOSTNAME', environment.HOSTNAME?.trim() ?? ''];
  const digits = /-(\d{1,9})$/.exec(name)?.[1];
  if (digits !== undefined && Number(digits) < totalShards) return Number(digits);
  const got = name === '' ? 'neither POD_NAME nor HOSTNAME' : `${variable}="${name}"`;
  return (
    `SHARD: expected it together with TOTAL_SHARDS="${totalShards}", or the name of a pod that ends in a number ` +
    `${least}, as in a StatefulSet; got no SHARD and ${got}. Example: SHARD="0"`
  );
}
