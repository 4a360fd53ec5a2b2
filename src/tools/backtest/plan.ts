/** From what is asked on the command line to what is replayed. */

import type { Settings } from '../../exporter/config/settings.js';
import type { ShardFlags } from '../../exporter/config/sharding-rules.js';
import type { FeatureDefinition } from '../../exporter/features/catalog.js';
import type { FeatureSet } from '../../exporter/features/queries/feature-file.js';
import type { OwnerQueries } from '../../exporter/features/workload.js';
import { runsBetween } from '../../exporter/training/schedule.js';
import type { TuningRule } from '../../exporter/tuning/rules.js';
import { UsageError } from '../../lib/usage-error.js';
import { SHIPPED_FOR_SECONDS } from '../replay/alerts.js';
import { MINUTE_SECONDS } from '../replay/plan.js';
import { chosenOf, parseSensitivities } from '../replay/sensitivities.js';
import { formatInstant, parseDuration, parseInstant } from './time-range.js';

export interface BacktestOptions extends ShardFlags {
  /** First instant; two weeks ago by default, or as far as history goes. */
  readonly start?: string | undefined;
  /** Last instant; by default now, less the offset of queries. */
  readonly end?: string | undefined;
  /** Sensitivities to compare, with commas between them. */
  readonly sensitivity?: string | undefined;
  /** For how long an anomaly must be read as lasting before its alert. */
  readonly for?: string | undefined;
  /** Messages a day that you are ready to read: the setting `ALERT_BUDGET_PER_DAY`. */
  readonly budget?: number | undefined;
  /** Whether the metrics that the exporter would have exposed are written as well. */
  readonly metrics: boolean;
  /** Directory for the report, the metrics, and what is done so far. */
  readonly output?: string | undefined;
}

export interface BacktestPlan {
  readonly settings: Settings;
  readonly features: readonly FeatureDefinition[];
  readonly ownerQueries: OwnerQueries;
  /** Those of the tuning file. */
  readonly tuningRules: readonly TuningRule[];
  /** Unix times in seconds, multiples of 60; the end is exclusive. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly sensitivities: readonly number[];
  /** Index of the sensitivity that is reported in full. */
  readonly chosen: number;
  readonly forSeconds: number;
}

const DEFAULT_START = '-14d';

/** Sensitivities to compare where none are asked for, as multiples of the set one. */
const DEFAULT_FACTORS = [0.75, 1, 1.5];

/** The interval of a schedule is determined from its runs in this time. */
const SCHEDULE_LOOKBACK_SECONDS = 26 * 3600;

/**
 * @param nowSeconds Unix time.
 * @throws {UsageError} when an option is invalid.
 */
export function planOf(
  options: BacktestOptions,
  settings: Settings,
  { features, ownerQueries }: FeatureSet,
  tuningRules: readonly TuningRule[],
  nowSeconds: number,
): BacktestPlan {
  const instant = (option: string, text: string | undefined, seconds: number) =>
    Math.floor((text === undefined ? seconds : parseInstant(option, text, nowSeconds)) / MINUTE_SECONDS) *
    MINUTE_SECONDS;
  const endSeconds = instant('--end', options.end, nowSeconds - settings.queryOffsetSeconds);
  const startSeconds = instant('--start', options.start ?? DEFAULT_START, nowSeconds);
  if (endSeconds > nowSeconds) {
    throw new UsageError(`--end: expected an instant of the past, got ${formatInstant(endSeconds)}.`);
  }
  if (startSeconds >= endSeconds) {
    throw new UsageError(
      `Expected --start before --end, got ${formatInstant(startSeconds)} and ${formatInstant(endSeconds)}.`,
    );
  }
  const forSeconds = options.for === undefined ? SHIPPED_FOR_SECONDS : parseDuration('--for', options.for);
  if (forSeconds % 30 !== 0 || forSeconds > 3600) {
    throw new UsageError(`--for: expected a multiple of 30s up to 1h, got "${options.for}". Example: 5m`);
  }
  const sensitivities =
    options.sensitivity === undefined
      ? DEFAULT_FACTORS.map((factor) => Number((factor * settings.sensitivity).toPrecision(3))).filter(
          (value) => value >= 1 && value <= 40,
        )
      : parseSensitivities(options.sensitivity);
  const chosen = chosenOf(sensitivities, settings.sensitivity);
  return { settings, features, ownerQueries, tuningRules, startSeconds, endSeconds, sensitivities, chosen, forSeconds };
}

/** The trainings of the range, and the last one before it; Unix times in seconds. */
export function trainingTimes({ settings, startSeconds, endSeconds }: BacktestPlan): readonly number[] {
  const all = runsBetween(
    settings.retrainSchedule,
    settings.retrainTimezone,
    startSeconds - SCHEDULE_LOOKBACK_SECONDS,
    endSeconds - MINUTE_SECONDS,
  );
  return all.slice(
    Math.max(
      0,
      all.findLastIndex((time) => time < startSeconds),
    ),
  );
}

/** All settings that shape a replay, by their environment variables. */
export function replaySettings(settings: Settings): Readonly<Record<string, string | number>> {
  return {
    PROMETHEUS_MATCHERS: settings.matchers,
    NAMESPACE_REGEX: settings.namespaceRegex,
    METRICS_SOURCE: settings.metricsSource,
    OTLP_TRANSLATION_STRATEGY: settings.otlpTranslation,
    POD_LABEL: settings.podLabel,
    NAMESPACE_LABEL: settings.namespaceLabel,
    CONTAINER_LABEL: settings.containerLabel ?? '',
    SHARD: settings.shard ?? 0,
    TOTAL_SHARDS: settings.totalShards,
    CPU_RATE_WINDOW: settings.cpuRateWindow,
    MEMORY_METRIC: settings.memoryMetric,
    TRAINING_LOOKBACK_MINUTES: settings.trainingLookbackMinutes,
    QUERY_STEP_SECONDS: settings.queryStepSeconds,
    RETRAIN_SCHEDULE: settings.retrainSchedule,
    RETRAIN_TIMEZONE: settings.retrainTimezone,
    HISTORY_DAYS: settings.historyDays,
    BASELINE: settings.baseline,
    ALERT_BUDGET_PER_DAY: settings.alertBudgetPerDay,
    IFOREST_N_ESTIMATORS: settings.estimators,
    IFOREST_MAX_SAMPLES: settings.maxSamples,
    IFOREST_CONTAMINATION: settings.contamination,
    IFOREST_RANDOM_STATE: settings.randomState,
    EXPLAIN: settings.explain,
    FEATURES_FILE: settings.featuresFile,
    TUNING_FILE: settings.tuningFile,
  };
}

/** The arguments that were given, as a POSIX shell takes them, with instants in place of what counts back from now. */
export function commandLine(options: BacktestOptions, { startSeconds, endSeconds }: BacktestPlan): string {
  const { sensitivity, for: duration, budget, metrics, output, shard, totalShards } = options;
  const values = {
    start: formatInstant(startSeconds),
    end: formatInstant(endSeconds),
    ...{ sensitivity, for: duration, budget: budget?.toString(), output, shard, 'total-shards': totalShards },
  };
  const given = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  const quoted = [...given, ...(metrics ? [] : ['--no-metrics'])].map((argument) =>
    /^[\w./:,+@=-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`,
  );
  return `node dist/src/main.js backtest ${quoted.join(' ')}`;
}
