/** Which part of the cluster is watched, in the form of kube-state-metrics. */

import { Gauge } from 'prom-client';
import type { MetricModule } from './module.js';

const ORDINAL = 'anomaly_exporter_shard_ordinal';
const TOTAL = 'anomaly_exporter_total_shards';
const NAMESPACES = 'anomaly_exporter_shard_namespaces';

export const sharding: MetricModule = {
  names: [ORDINAL, TOTAL, NAMESPACES],
  register(registry, sources) {
    const registers = [registry];
    new Gauge({
      name: ORDINAL,
      help: 'Which of the shards this process is, from 0 on; as the value and as a label.',
      labelNames: ['shard_ordinal'],
      registers,
      collect() {
        this.reset();
        const ordinal = sources.sharding()?.shard.ordinal ?? 0;
        this.set({ shard_ordinal: String(ordinal) }, ordinal);
      },
    });
    new Gauge({
      name: TOTAL,
      help: 'Number of processes that share the namespaces among them.',
      registers,
      collect() {
        this.set(sources.sharding()?.shard.total ?? 1);
      },
    });
    new Gauge({
      name: NAMESPACES,
      help: 'Namespaces that this shard watches; absent where one process watches all, and until they are known.',
      registers,
      collect() {
        this.remove();
        const namespaces = sources.sharding()?.namespaces;
        if (namespaces !== undefined) this.set(namespaces);
      },
    });
  },
};
