/** The state of the exporter in one report, gathered from the parts that keep account of it. */

import type { FindingsState } from './check/runner.js';
import type { PassOutcome } from './detection/detection.js';
import type { HealthReport } from './http/schemas.js';
import type { BaselineKind } from './model/baseline.js';
import type { Model } from './model/model.js';
import type { SnapshotState } from './model/snapshot/manager.js';
import { emptyShardMessage } from './sharding/shard.js';
import type { ShardingState } from './sharding/shard-namespaces.js';
import type { TrainingState } from './training/trainer.js';

/** What passes came to so far. */
export interface PassHistory {
  /** The last pass; `undefined` before the first. */
  readonly last: PassOutcome | undefined;
  /** The last failure to ask Prometheus. */
  readonly lastUpstreamError: { readonly message: string; readonly timeSeconds: number } | undefined;
}

/** What the report is made of. */
export interface HealthSources {
  readonly version: string;
  /** Without credentials. */
  readonly prometheusUrl: string;
  readonly baseline: BaselineKind;
  readonly model: Model | undefined;
  readonly training: TrainingState;
  /** `undefined` where none is kept. */
  readonly snapshot: SnapshotState | undefined;
  readonly findings: FindingsState;
  /** `undefined` where this process watches all namespaces. */
  readonly sharding?: ShardingState | undefined;
  readonly passes: PassHistory;
  readonly nowSeconds: number;
}

/** Builds the report of `/healthz`. */
export function healthReport(sources: HealthSources): HealthReport {
  const { version, model, training, passes } = sources;
  // A shard without namespaces has nothing to score, with or without a model.
  const canScore = model !== undefined || sources.sharding?.namespaces === 0;
  return {
    status: canScore && !hasFailed(passes.last) ? 'ok' : 'degraded',
    version,
    prometheus: {
      url: sources.prometheusUrl,
      up: prometheusUp(passes.last),
      last_error: errorAt(passes.lastUpstreamError),
    },
    model: modelHealth(sources),
    training: {
      running: training.running,
      runs: training.runs,
      failures: training.failures,
      last_success: isoTime(training.lastSuccessSeconds),
      last_error: errorAt(training.lastError),
      next_run: training.nextRun?.toISOString() ?? null,
    },
    snapshot: snapshotHealth(sources.snapshot),
    shard: shardHealth(sources.sharding),
    check: checkHealth(sources.findings),
    last_pass: lastPass(passes.last),
  };
}

function hasFailed(last: PassOutcome | undefined): boolean {
  return last !== undefined && last.kind !== 'detection' && last.kind !== 'no_model';
}

/** A pass without a model asks Prometheus nothing, and so says nothing about it. */
function prometheusUp(last: PassOutcome | undefined): boolean | null {
  if (last === undefined || last.kind === 'no_model') return null;
  // A failure of the exporter is not one of Prometheus, which may have answered every query.
  return last.kind !== 'upstream_error' && last.queries.every(({ success }) => success);
}

function modelHealth({ model, training, baseline, nowSeconds }: HealthSources): HealthReport['model'] {
  const trainedAt = training.model?.trainedSeconds;
  return {
    trained: model !== undefined,
    origin: training.model?.origin ?? null,
    trained_at: isoTime(trainedAt),
    window_start: isoTime(model?.windowStartSeconds),
    window_end: isoTime(model?.windowEndSeconds),
    age_seconds: trainedAt === undefined ? null : nowSeconds - trainedAt,
    fingerprint: model?.fingerprint ?? null,
    baseline,
    features: model?.features.map(({ name }) => name) ?? [],
    threshold: model?.threshold ?? null,
    samples: model?.samples ?? null,
    pods: model?.pods ?? null,
  };
}

function snapshotHealth(snapshot: SnapshotState | undefined): HealthReport['snapshot'] {
  if (snapshot === undefined) return null;
  return {
    path: snapshot.path,
    trained_at: isoTime(snapshot.trainedSeconds),
    size_bytes: snapshot.sizeBytes ?? null,
    last_save_succeeded: snapshot.lastSaveSucceeded ?? null,
    last_error: errorAt(snapshot.lastError),
  };
}

function shardHealth(sharding: ShardingState | undefined): HealthReport['shard'] {
  if (sharding === undefined) return null;
  const { shard, namespaces = null } = sharding;
  return {
    ordinal: shard.ordinal,
    total: shard.total,
    namespaces,
    message: namespaces === 0 ? emptyShardMessage(shard) : null,
  };
}

/** Findings that are ok are left out. */
function checkHealth({ findings, lastSuccessSeconds, lastError }: FindingsState): HealthReport['check'] {
  return {
    last_success: isoTime(lastSuccessSeconds),
    last_error: errorAt(lastError),
    findings: findings.flatMap(({ finding, timeSeconds }) => {
      const { check, severity, summary, meaning = null, advice = null } = finding;
      if (severity === 'ok') return [];
      return [
        { check, severity, summary, meaning, advice, time: new Date(timeSeconds * 1000).toISOString() },
      ];
    }),
  };
}

function lastPass(last: PassOutcome | undefined): HealthReport['last_pass'] {
  if (last === undefined) return null;
  const detection = last.kind === 'detection' ? last.detection : undefined;
  return {
    time: new Date(last.timeSeconds * 1000).toISOString(),
    pods_scored: detection?.table.pods.length ?? 0,
    pods_unscored: Object.fromEntries(detection?.unscored ?? []),
    duration_seconds: last.durationSeconds,
    warnings: [...last.warnings],
    error: last.kind === 'detection' ? null : last.message,
  };
}

function errorAt(
  error: { readonly message: string; readonly timeSeconds: number } | undefined,
): { message: string; time: string } | null {
  return error === undefined
    ? null
    : { message: error.message, time: new Date(error.timeSeconds * 1000).toISOString() };
}

function isoTime(seconds: number | undefined): string | null {
  return seconds === undefined ? null : new Date(seconds * 1000).toISOString();
}
