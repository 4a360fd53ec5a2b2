/** The state of the exporter in one report, gathered from the parts that keep account of it. */

import type { FindingsState } from './check/runner.js';
import type { ContextState } from './context/pod-context.js';
import type { PassOutcome } from './detection/detection.js';
import type { IncidentsState } from './episodes/incidents.js';
import { HOURS_PER_DAY } from './history/grid.js';
import type { HealthReport } from './http/schemas.js';
import type { KeeperState } from './keeper/keeper.js';
import type { BaselineKind } from './model/baseline.js';
import { countKept, type Model } from './model/model.js';
import { nameOfKey } from './model/rows.js';
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
  /** `undefined` where nothing is remembered. */
  readonly history: KeeperState | undefined;
  readonly context: ContextState;
  readonly findings: FindingsState;
  readonly incidents: IncidentsState;
  /** `undefined` where this process watches all namespaces. */
  readonly sharding?: ShardingState | undefined;
  readonly passes: PassHistory;
  readonly nowSeconds: number;
}

/** Builds the report of `/healthz`. */
export function healthReport(sources: HealthSources): HealthReport {
  const { version, model, training, snapshot, history, sharding, context, findings, passes } = sources;
  const { last } = passes;
  const trainedSeconds = training.model?.trainedSeconds;
  // A shard without namespaces has nothing to score, with or without a model.
  const canScore = model !== undefined || sharding?.namespaces === 0;
  const hasFailed = last !== undefined && last.kind !== 'detection' && last.kind !== 'no_model';
  return {
    status: canScore && !hasFailed ? 'ok' : 'degraded',
    version,
    prometheus: {
      url: sources.prometheusUrl,
      up: prometheusUp(last),
      last_error: errorAt(passes.lastUpstreamError),
    },
    model: {
      trained: model !== undefined,
      origin: training.model?.origin ?? null,
      trained_at: isoTime(trainedSeconds),
      window_start: isoTime(model?.windowStartSeconds),
      window_end: isoTime(model?.windowEndSeconds),
      age_seconds: trainedSeconds === undefined ? null : sources.nowSeconds - trainedSeconds,
      fingerprint: model?.fingerprint ?? null,
      baseline: sources.baseline,
      features: model?.features.map(({ name }) => name) ?? [],
      threshold: model?.threshold ?? null,
      samples: model?.samples ?? null,
      pods: model?.pods ?? null,
      kept: model === undefined ? null : countKept(model),
    },
    training: {
      running: training.running,
      runs: training.runs,
      failures: training.failures,
      last_success: isoTime(training.lastSuccessSeconds),
      last_error: errorAt(training.lastError),
      next_run: training.nextRun?.toISOString() ?? null,
    },
    snapshot: snapshot
      ? {
          path: snapshot.path,
          trained_at: isoTime(snapshot.trainedSeconds),
          size_bytes: snapshot.sizeBytes ?? null,
          last_save_succeeded: snapshot.lastSaveSucceeded ?? null,
          last_error: errorAt(snapshot.lastError),
        }
      : null,
    history: history
      ? {
          days: history.days,
          known_days: history.knownHours / HOURS_PER_DAY,
          missing_hours: history.missingHours,
          workloads: history.workloads,
          size_bytes: history.sizeBytes,
          failing: history.isFailing,
          last_error: errorAt(history.lastError),
          file: history.file
            ? {
                path: history.file.path,
                saved_at: isoTime(history.file.savedSeconds),
                size_bytes: history.file.sizeBytes ?? null,
                last_save_succeeded: history.file.lastSaveSucceeded ?? null,
                last_error: errorAt(history.file.lastError),
              }
            : null,
        }
      : null,
    budget: model ? budgetHealth(model, sources.incidents) : null,
    shard: sharding
      ? {
          ordinal: sharding.shard.ordinal,
          total: sharding.shard.total,
          namespaces: sharding.namespaces ?? null,
          message: sharding.namespaces === 0 ? emptyShardMessage(sharding.shard) : null,
        }
      : null,
    context: {
      time: isoTime(context.askedSeconds),
      pods: context.pods.size,
      last_error: errorAt(context.lastError),
    },
    check: {
      last_success: isoTime(findings.lastSuccessSeconds),
      last_error: errorAt(findings.lastError),
      // Findings that are ok are left out.
      findings: findings.findings.flatMap(({ finding, timeSeconds }) => {
        const { check, severity, summary, meaning = null, advice = null } = finding;
        const time = isoTime(timeSeconds);
        return severity === 'ok' ? [] : [{ check, severity, summary, meaning, advice, time }];
      }),
    },
    last_pass: last === undefined ? null : passHealth(last),
  };
}

function budgetHealth(model: Model, incidents: IncidentsState): HealthReport['budget'] {
  const orNull = (value: number) => (Number.isNaN(value) ? null : value);
  return {
    per_day: model.alertBudgetPerDay,
    expected_per_day: orNull(model.expectedMessagesPerDay),
    recent_workloads_per_day: orNull(model.recentExceedingPerDay),
    last_day: incidents.beganSeconds.length,
    counted_since: isoTime(incidents.sinceSeconds),
    workloads: model.limits.keys.length,
    known_days: model.knownHours / HOURS_PER_DAY,
    accepted_levels: model.acceptedLevels.map(
      ({ workload, feature, factor, beganSeconds, acceptedSeconds, withRelease }) => ({
        namespace: workload.slice(0, workload.indexOf('/')),
        workload: nameOfKey(workload),
        feature,
        factor,
        began: isoTime(beganSeconds),
        accepted: isoTime(acceptedSeconds),
        with_release: withRelease,
      }),
    ),
  };
}

/** A pass without a model asks Prometheus nothing, and so says nothing about it. */
function prometheusUp(last: PassOutcome | undefined): boolean | null {
  if (last === undefined || last.kind === 'no_model') return null;
  // A failure of the exporter is not one of Prometheus, which may have answered every query.
  return last.kind !== 'upstream_error' && last.queries.every(({ success }) => success);
}

function passHealth(last: PassOutcome): HealthReport['last_pass'] {
  const detection = last.kind === 'detection' ? last.detection : undefined;
  return {
    time: isoTime(last.timeSeconds),
    pods_scored: detection?.table.pods.length ?? 0,
    pods_unscored: Object.fromEntries(detection?.unscored ?? []),
    duration_seconds: last.durationSeconds,
    warnings: [...last.warnings],
    error: last.kind === 'detection' ? null : last.message,
  };
}

function errorAt(error: { readonly message: string; readonly timeSeconds: number } | undefined) {
  return error === undefined ? null : { message: error.message, time: isoTime(error.timeSeconds) };
}

function isoTime(seconds: number): string;
function isoTime(seconds: number | undefined): string | null;
function isoTime(seconds: number | undefined): string | null {
  return seconds === undefined ? null : new Date(seconds * 1000).toISOString();
}
