/** Which part of the cluster is watched, in the form of kube-state-metrics. */

import { type Family, sample, samplesByLabel } from './family.js';
import type { ScrapeState } from './state.js';

export const sharding: readonly Family<ScrapeState>[] = [
  {
    name: 'anomaly_exporter_shard_ordinal',
    help: 'Ordinal of this shard, from 0; as the value and as a label.',
    type: 'gauge',
    labels: ['shard_ordinal'],
    samples(state) {
      const ordinal = state.sharding?.shard.ordinal ?? 0;
      return samplesByLabel([[String(ordinal), ordinal]]);
    },
  },
  {
    name: 'anomaly_exporter_total_shards',
    help: 'Number of processes that share the namespaces.',
    type: 'gauge',
    labels: [],
    samples: (state) => sample(state.sharding?.shard.total ?? 1),
  },
  {
    name: 'anomaly_exporter_shard_namespaces',
    help: 'Namespaces that this shard watches; absent if one process watches all, and until they are known.',
    type: 'gauge',
    labels: [],
    samples: (state) => sample(state.sharding?.namespaces),
  },
];
