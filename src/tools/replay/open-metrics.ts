/** What the exporter would have exposed, as OpenMetrics text with timestamps. */

import type { ExplainScope } from '../../exporter/metrics/module.js';
import { READING_NUMBERS } from './chunk-result.js';
import { MINUTE_SECONDS } from './plan.js';
import type { MinuteSummary } from './replay.js';
import { readingSize, type Track, type Tracks } from './tracks.js';

/** What is the same in every sample. */
export interface OpenMetricsOptions {
  /** Labels that a scrape adds: `job` and `instance`. */
  readonly targetLabels: Readonly<Record<string, string>>;
  readonly explain: ExplainScope;
  readonly version: string;
  readonly nodeVersion: string;
}

/** What is written. */
export interface OpenMetricsSource {
  /** Unix time of the first minute, in seconds. */
  readonly startSeconds: number;
  readonly tracks: Tracks;
  /** Index of the sensitivity. */
  readonly chosen: number;
  readonly minutes: readonly MinuteSummary[];
}

type Value = (minute: number) => number | undefined;

/** The number of minutes is the number of samples at most. */
interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: Value;
}

interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly series: Iterable<Series>;
}

/**
 * The text in pieces, family by family and in each of them series by series, each in order of time. What a replay
 * cannot know, such as the duration of a scrape, is left out.
 */
export function* openMetricsText(source: OpenMetricsSource, options: OpenMetricsOptions): Generator<string> {
  for (const { name, type, help, series } of families(source, options)) {
    // The name of a counter's family is without the ending of its samples.
    const family = type === 'counter' ? name.replace(/_total$/, '') : name;
    yield `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n`;
    for (const { labels, value } of series) {
      const head = `${name}${labelText({ ...labels, ...options.targetLabels })}`;
      let text = '';
      for (let minute = 0; minute < source.minutes.length; minute++) {
        const sample = value(minute);
        if (sample === undefined || Number.isNaN(sample)) continue;
        text += `${head} ${sample} ${source.startSeconds + minute * MINUTE_SECONDS}\n`;
      }
      if (text !== '') yield text;
    }
  }
  yield '# EOF\n';
}

function* families(source: OpenMetricsSource, options: OpenMetricsOptions): Generator<Family> {
  const { tracks, chosen, minutes } = source;
  const size = readingSize(tracks.features.length);
  const all = tracks.all();
  const score = (track: Track, minute: number) => track.readings[minute * size] as number;
  const gauge = (name: string, help: string, series: Iterable<Series>): Family => ({
    name,
    type: 'gauge',
    help,
    series,
  });
  const ofPods = (value: (track: Track, minute: number) => number | undefined): Series[] =>
    all.map((track) => ({
      labels: { namespace: track.identity.namespace, pod: track.identity.pod },
      value: (minute) => (track.scored[minute] === 1 ? value(track, minute) : undefined),
    }));
  yield gauge(
    'anomaly_flag',
    'Whether the pod misbehaves.',
    ofPods((track, minute) => (score(track, minute) > 0 ? 1 : 0)),
  );
  yield gauge('anomaly_score', 'Score of the pod minus the threshold of the model.', ofPods(score));

  const explained = (track: Track, minute: number) =>
    options.explain === 'all' || (options.explain === 'flagged' && score(track, minute) > 0);
  for (const [offset, name, help] of FEATURE_FAMILIES) {
    const series = all.flatMap((track) =>
      tracks.features.map((feature, column) => ({
        labels: { namespace: track.identity.namespace, pod: track.identity.pod, feature: feature.name },
        value: (minute: number) =>
          track.scored[minute] === 1 && explained(track, minute)
            ? track.readings[minute * size + 1 + column * READING_NUMBERS + offset]
            : undefined,
      })),
    );
    yield gauge(name, help, series);
  }

  const { flagged, scored } = byWorkload(all, chosen, minutes.length);
  yield gauge('anomaly_workload_pods_flagged', 'Pods of the workload that are flagged.', flagged);
  yield gauge('anomaly_workload_pods_scored', 'Pods of the workload that were scored.', scored);
  yield* exporterFamilies(
    minutes,
    tracks.features.map(({ name }) => name),
    options,
    gauge,
  );
}

const FEATURE_FAMILIES = [
  [2, 'anomaly_feature_deviation', 'Distance of the feature from its usual value, in usual spreads.'],
  [0, 'anomaly_feature_value', 'Value of the feature for the pod.'],
  [1, 'anomaly_feature_expected', 'Usual value of the feature for the pod.'],
] as const;

function byWorkload(tracks: readonly Track[], chosen: number, minutes: number) {
  const workloads = new Map<
    string,
    { labels: Record<string, string>; flagged: Uint32Array; scored: Uint32Array }
  >();
  for (const { identity, scored, flagged } of tracks) {
    const key = `${identity.namespace}/${identity.workload}`;
    let counts = workloads.get(key);
    if (counts === undefined) {
      const labels = { namespace: identity.namespace, workload: identity.workload };
      counts = { labels, flagged: new Uint32Array(minutes), scored: new Uint32Array(minutes) };
      workloads.set(key, counts);
    }
    for (let minute = 0; minute < minutes; minute++) {
      counts.scored[minute] = (counts.scored[minute] as number) + (scored[minute] as number);
      counts.flagged[minute] =
        (counts.flagged[minute] as number) + ((flagged[chosen] as Uint8Array)[minute] as number);
    }
  }
  const series = (of: 'flagged' | 'scored'): Series[] =>
    [...workloads.values()].map((counts) => ({
      labels: counts.labels,
      value: (minute) => ((counts.scored[minute] as number) > 0 ? counts[of][minute] : undefined),
    }));
  return { flagged: series('flagged'), scored: series('scored') };
}

/** The gauges of the exporter itself, as far as a replay knows them. */
function* exporterFamilies(
  minutes: readonly MinuteSummary[],
  features: readonly string[],
  options: OpenMetricsOptions,
  gauge: (name: string, help: string, series: Iterable<Series>) => Family,
): Generator<Family> {
  const single = (value: (summary: MinuteSummary) => number | undefined): Series[] => [
    { labels: {}, value: (minute) => value(minutes[minute] as MinuteSummary) },
  ];
  const byReason = (reasons: (summary: MinuteSummary) => ReadonlyMap<string, number>): Series[] => {
    const names = new Set(minutes.flatMap((summary) => [...reasons(summary).keys()]));
    return [...names].sort().map((reason) => ({
      labels: { reason },
      value: (minute) => reasons(minutes[minute] as MinuteSummary).get(reason),
    }));
  };
  yield gauge(
    'up',
    'The replay counts as scraped.',
    single(() => 1),
  );
  yield gauge(
    'anomaly_exporter_up',
    'Whether there are scores.',
    single(({ model }) => (model === undefined ? 0 : 1)),
  );
  yield gauge(
    'anomaly_exporter_query_success',
    'Whether Prometheus answered the query for the feature.',
    features.map((query) => ({
      labels: { query },
      value: (minute) => (minutes[minute]?.model === undefined ? undefined : 1),
    })),
  );
  yield gauge(
    'anomaly_exporter_pods_scored',
    'Pods that were scored.',
    single(({ podsScored }) => podsScored),
  );
  yield gauge(
    'anomaly_exporter_pods_unscored',
    'Pods that were seen and not scored, by reason.',
    byReason(({ unscored }) => unscored),
  );
  yield gauge(
    'anomaly_exporter_series_dropped',
    'Series that were left out, by reason.',
    byReason(({ droppedSeries }) => droppedSeries),
  );
  yield gauge(
    'anomaly_exporter_model_trained',
    'Whether there is a model.',
    single(({ model }) => (model === undefined ? 0 : 1)),
  );
  yield gauge(
    'anomaly_exporter_model_trained_timestamp_seconds',
    'End of the training that made the model.',
    single(({ trainedSeconds }) => trainedSeconds),
  );
  yield gauge('anomaly_exporter_model_info', 'What the model is made of.', modelInfo(minutes));
  yield gauge(
    'anomaly_exporter_training_samples',
    'Training rows that the model was fitted on.',
    single(({ model }) => model?.samples),
  );
  yield gauge(
    'anomaly_exporter_last_training_success',
    'Whether the last training succeeded.',
    single(({ lastTrainingSucceeded }) =>
      lastTrainingSucceeded === undefined ? undefined : Number(lastTrainingSucceeded),
    ),
  );
  yield {
    name: 'anomaly_exporter_training_runs_total',
    type: 'counter',
    help: 'Trainings that ended since the start of this file.',
    series: single(({ trainings }) => trainings),
  };
  yield {
    name: 'anomaly_exporter_training_failures_total',
    type: 'counter',
    help: 'Trainings that failed since the start of this file.',
    series: single(({ failedTrainings }) => failedTrainings),
  };
  yield gauge('anomaly_exporter_build_info', 'Version of the exporter and of Node.js.', [
    { labels: { version: options.version, nodeversion: options.nodeVersion }, value: () => 1 },
  ]);
}

/** One series for each model: they differ in the threshold. */
function modelInfo(minutes: readonly MinuteSummary[]): Series[] {
  const models = new Set(minutes.flatMap(({ model }) => (model === undefined ? [] : [model])));
  const byLabels = new Map<string, Series & { readonly models: Set<unknown> }>();
  for (const model of models) {
    const labels = {
      fingerprint: model.fingerprint,
      baseline: model.baseline.kind,
      features: model.features.map(({ name }) => name).join(','),
      threshold: model.threshold.toFixed(4),
    };
    const key = JSON.stringify(labels);
    const known = byLabels.get(key);
    if (known !== undefined) {
      known.models.add(model);
      continue;
    }
    const ofLabels = new Set<unknown>([model]);
    const value = (minute: number) => (ofLabels.has(minutes[minute]?.model) ? 1 : undefined);
    byLabels.set(key, { labels, models: ofLabels, value });
  }
  return [...byLabels.values()];
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return `{${pairs.join(',')}}`;
}

/** Escapes of a label value (OpenMetrics, "ABNF"). */
function escapeLabel(value: string): string {
  return value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}
