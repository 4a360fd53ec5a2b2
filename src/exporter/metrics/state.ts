/** What the metrics are made from, as it is at the end of the pass of a scrape. */

import type { ReloadState } from '../../lib/files/live-file.js';
import type { FindingsState } from '../check/runner.js';
import type { ContextState } from '../context/pod-context.js';
import type { Detection, PassOutcome } from '../detection/detection.js';
import type { EpisodesState } from '../episodes/episodes.js';
import type { ForecastState } from '../forecast/forecast-state.js';
import type { KeeperState } from '../keeper/keeper.js';
import type { Model } from '../model/model.js';
import type { SnapshotState } from '../model/snapshot/manager.js';
import type { ShardingState } from '../sharding/shard-namespaces.js';
import type { TrainingState } from '../training/trainer.js';
import { type Family, NO_SAMPLES, type Samples } from './family.js';

/** The pods for which the gauges of features are there. */
export type ExplainScope = 'flagged' | 'all' | 'off';

/** Scores, model and trainings: what a replay of the past knows as well. */
export interface DetectorState {
  readonly outcome: PassOutcome;
  readonly model: Model | undefined;
  readonly training: Pick<TrainingState, 'runs' | 'failures' | 'lastSucceeded' | 'lastDurationSeconds' | 'model'>;
  readonly explain: ExplainScope;
  /** Version of the exporter. */
  readonly version: string;
}

/** The state of a running exporter. */
export interface ScrapeState extends DetectorState {
  readonly training: Pick<TrainingState, keyof DetectorState['training'] | 'missedRuns'>;
  /** Time limit of a detection pass. */
  readonly requestTimeoutSeconds: number;
  /** The account of the snapshot; `undefined` where none is kept. */
  readonly snapshot: SnapshotState | undefined;
  /** The account of the history of workloads; `undefined` where nothing is remembered. */
  readonly history: KeeperState | undefined;
  readonly episodes: EpisodesState;
  readonly context: ContextState;
  readonly forecast: ForecastState;
  readonly findings: FindingsState;
  /** `undefined` where this process watches all namespaces. */
  readonly sharding: ShardingState | undefined;
  /** Requests to Prometheus so far, by HTTP status or `error`. */
  readonly prometheusRequests: ReadonlyMap<string, number>;
  /** Addresses for people; empty where nobody said them. */
  readonly links: { readonly page: string; readonly dashboard: string };
  /** Lines of the log so far that nobody read. */
  readonly droppedLogLines: number;
  /** `undefined` without a web configuration. */
  readonly webConfigReload: ReloadState | undefined;
  /** `undefined` without a tuning file. */
  readonly tuningReload: ReloadState | undefined;
}

/** The detection of the pass; `undefined` where the pass failed. */
export function detectionOf({ outcome }: DetectorState): Detection | undefined {
  return outcome.kind === 'detection' ? outcome.detection : undefined;
}

/** A gauge that has samples where there is a detection. */
export function ofDetection(
  name: string,
  help: string,
  labels: readonly string[],
  read: (detection: Detection, state: DetectorState) => Samples | Promise<Samples>,
): Family<DetectorState> {
  const samples = (state: DetectorState) => {
    const detection = detectionOf(state);
    return detection === undefined ? NO_SAMPLES : read(detection, state);
  };
  return { name, help, type: 'gauge', labels, samples };
}
