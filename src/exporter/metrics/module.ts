/** The shape of every metric module: a file that exports one of these, and a line in `registry.ts`. */

import type { Registry } from 'prom-client';
import type { FindingsState } from '../check/keeper.js';
import type { PassOutcome } from '../detection/detection.js';
import type { Model } from '../model/model.js';
import type { SnapshotState } from '../model/snapshot/manager.js';
import type { ShardingState } from '../sharding/shard-namespaces.js';
import type { TrainingState } from '../training/trainer.js';

/** The pods for which the gauges of features are there. */
export type ExplainScope = 'flagged' | 'all' | 'off';

/** How the last reading of the web configuration went. */
export interface WebConfigReload {
  readonly successful: boolean;
  /** End of the last reading that succeeded, Unix time. */
  readonly lastSuccessSeconds: number;
}

/** What metrics are read from, at the time of the scrape. */
export interface MetricSources {
  /**
   * The pass of the scrape that is being rendered. The first call of a scrape starts or joins a pass, the others get
   * the same outcome. Does not reject.
   */
  readonly pass: () => Promise<PassOutcome>;
  readonly model: () => Model | undefined;
  readonly training: () => TrainingState;
  /** The account of the snapshot; `undefined` where none is kept. */
  readonly snapshot: () => SnapshotState | undefined;
  readonly findings: () => FindingsState;
  /** `undefined` where this process watches all namespaces. */
  readonly sharding: () => ShardingState | undefined;
  /** Requests to Prometheus so far, by HTTP status or `error`. */
  readonly prometheusRequests: () => ReadonlyMap<string, number>;
  /** `undefined` without a web configuration. */
  readonly webConfigReload: () => WebConfigReload | undefined;
  readonly explain: ExplainScope;
  /** Version of the exporter. */
  readonly version: string;
}

/** One or more metrics that belong together. */
export interface MetricModule {
  /** Names of the families that `register` adds. */
  readonly names: readonly string[];
  /**
   * Adds the metrics. Their `collect` awaits first; from `reset` to the last `set` nothing is awaited, so that
   * overlapping scrapes cannot mix.
   */
  register(registry: Registry, sources: MetricSources): void;
}
