/** The JSON that the endpoints answer. The types and the OpenAPI document derive from these schemas. */

import { z } from 'zod';
import { COMPARISONS } from '../detection/comparison.js';
import { END_REASONS } from '../episodes/episodes.js';

/** Every error code, and the HTTP status that it is sent with. */
export const ERROR_STATUS = Object.freeze({
  bad_request: 400,
  unauthorized: 401,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  body_not_allowed: 413,
  uri_too_long: 414,
  too_many_requests: 429,
  headers_too_large: 431,
  internal: 500,
  upstream_error: 502,
  no_model: 503,
  overloaded: 503,
  timeout: 504,
});

export type ErrorCode = keyof typeof ERROR_STATUS;

/** A type with its meaning, and examples where they help. */
const field = <Type extends z.ZodType>(type: Type, description: string, ...examples: unknown[]): Type =>
  type.meta({ description, ...(examples.length > 0 && { examples }) });

const object = <Shape extends z.ZodRawShape>(description: string, shape: Shape) =>
  z.object(shape).describe(description);

/** Makes fields of a type; a second one those that may be null. */
const fields = <Type extends z.ZodType>(type: Type) =>
  [
    (description: string, ...examples: unknown[]) => field(type, description, ...examples),
    (description: string, ...examples: unknown[]) => field(type.nullable(), description, ...examples),
  ] as const;

const [text, textOrNull] = fields(z.string());
const [number, numberOrNull] = fields(z.number());
const [count, countOrNull] = fields(z.int().nonnegative());
const [time, timeOrNull] = fields(z.iso.datetime());
const [boolean, booleanOrNull] = fields(z.boolean());

export const ErrorResponse = object('The response to every request that failed.', {
  error: object('Why the request failed.', {
    code: field(z.enum(Object.keys(ERROR_STATUS) as ErrorCode[]), 'What went wrong, for programs.'),
    message: text('What was expected, what happened and what to do, for people.'),
  }),
});

export type ErrorResponse = z.infer<typeof ErrorResponse>;

const FeatureJudgement = object('One feature of a pod compared with its usual value.', {
  feature: text('Name of the feature.', 'cpu'),
  help: text('What the values are; of memory, also what counts.', 'Memory in use (working set)'),
  unit: text('Unit of `actual` and `expected`.', 'cores'),
  actual: number('The value now.', 1.9),
  expected: number('The usual value, by `comparison`.', 0.25),
  comparison: field(
    z.enum(COMPARISONS),
    'What the value is compared with: that of the pod in the `last_hours` of the training window (of new pods, of their ' +
      'workload; with `BASELINE` the group that it says); that of the workload at this `time_of_day` during the last ' +
      'days; that of the `siblings` of the pod now. The first of them counts after one minute, the others after five ' +
      'minutes, or `…_for_an_hour`. `rise_in_an_hour`: how far a counter rose, and `expected` is its value an hour ago. Of ' +
      'several, it is the one with the largest `deviation`; `last_hours` where the last days know nothing, and if the ' +
      'pod is only briefly unusual.',
    'time_of_day',
  ),
  boundary: numberOrNull(
    'Beyond this value, the feature alone makes the pod anomalous if it lasts; null with `last_hours`.',
    0.81,
  ),
  deviation: number(
    'Distance of `actual` from `expected`, in spreads; negative if `actual` is lower. `ANOMALY_SENSITIVITY` spreads are ' +
      'the boundary of `comparison`.',
    9.3,
  ),
  direction: field(
    z.enum(['above', 'below', 'usual']),
    '`above` or `below` the usual value by at least one spread, else `usual`.',
    'above',
  ),
  share: field(
    z.number().min(0).max(1),
    'Share of this feature in the score: how much the score falls when the feature has its usual value, divided ' +
      'by the sum of that over all features. 0 for every feature if no feature raises the score.',
    0.97,
  ),
});

const amounts = (description: string) =>
  object(description, { cpu: numberOrNull('Cores.', 2), memory: numberOrNull('Bytes.', 1073741824) });

const ContextOfPod = object('What the cluster says of a flagged pod. What no series has is null.', {
  node: textOrNull('The node that it runs on.', 'node-7'),
  created: timeOrNull('When it was created.'),
  images: field(z.array(z.string()), 'The images of its containers, sorted; empty if not known.', [
    'registry.example.com/shop/cart:1.0',
  ]),
  limits: amounts('Sums of the limits of its containers; null unless each has one.'),
  requests: amounts('Sums of the requests of its containers; null if none has one.'),
  last_termination: field(
    object('How a container ended.', {
      container: text('Its name.', 'cart'),
      reason: text('`OOMKilled`, `Error`, `Completed`, …', 'OOMKilled'),
      exit_code: numberOrNull('Its exit code; null if not known.', 137),
      time: timeOrNull('When it ended; null if not known.'),
    }).nullable(),
    'The latest end of one of its containers; null if none has ended.',
  ),
  waiting: field(
    object('Why a container does not run.', {
      container: text('Its name.', 'cart'),
      reason: text('`CrashLoopBackOff`, `ImagePullBackOff`, …', 'CrashLoopBackOff'),
    }).nullable(),
    'Why one of its containers does not run; null if all run.',
  ),
  throttled_ratio: numberOrNull('Share of the periods of its CPU limit in which it was throttled, in 5 minutes.', 0.4),
  oom_events: numberOrNull('Times that its memory ran out, in an hour.', 1),
  pressure: object('Share of the last 5 minutes in which something waited for the resource (PSI).', {
    cpu: numberOrNull('Processors.', 0.6),
    memory: numberOrNull('Memory.', 0),
    io: numberOrNull('Disks.', 0.1),
  }),
});

export type ContextOfPod = z.infer<typeof ContextOfPod>;

const PodJudgement = object('One pod and its score.', {
  namespace: text('Namespace of the pod.', 'shop'),
  pod: text('Name of the pod.', 'cart-6c9f7d8b5-x2x8p'),
  workload: text(
    'Name of the Deployment, StatefulSet, … that owns the pod; the name of the pod if it has no owner.',
    'cart',
  ),
  cpu: numberOrNull('CPU usage in cores; null if the model does not use it.', 1.9),
  memory: numberOrNull('Memory usage in bytes; null if the model does not use it.', 268435456),
  restarts: numberOrNull('Container restarts so far; null if the model does not use them.', 0),
  anomaly_flag: field(
    z.union([z.literal(0), z.literal(1)]),
    '1 if the pod is anomalous (`anomaly_score` above 0) and not muted, else 0.',
    1,
  ),
  anomaly_score: number('Score minus the threshold of the model; above 0 is anomalous.', 0.12),
  since: timeOrNull(
    'Since when its anomaly lasts, as far as this process has seen it; null if it does not last, as one of some minutes.',
  ),
  release: timeOrNull(
    'When the workload was last released: when its pods became those of another revision. Of flagged pods, within the last ' +
      'day; otherwise null.',
  ),
  context: field(
    ContextOfPod.nullable(),
    'What the cluster says of the pod; null if it is not flagged, or not known: it is asked for after the first flag, and of ' +
      'at most 100 pods.',
  ),
  memory_seconds_to_limit: numberOrNull(
    'Seconds until the memory of the pod reaches its limit, if it goes on to grow; null unless that is within a day.',
    5400,
  ),
  muted_by: textOrNull(
    'Which rule of the tuning file, or which object by an annotation or label, mutes the pod now; null if it is not muted.',
    'deployment shop/cart',
  ),
  muted_until: timeOrNull('When the pod is no longer muted; null if it is not muted, or without a known end.'),
  sensitivity: number(
    'How many spreads are the boundary of this pod: `ANOMALY_SENSITIVITY`, or what an owner set. `deviation` is in spreads ' +
      'that are larger in the same ratio.',
    4,
  ),
  features: field(z.array(FeatureJudgement), 'The features of the model, the one with the largest share first.'),
});

export type PodJudgement = z.infer<typeof PodJudgement>;

const EndedEpisode = object('An anomaly that lasted and has ended.', {
  namespace: text('Namespace of the pod.', 'shop'),
  pod: text('Name of the pod.', 'cart-6c9f7d8b5-x2x8p'),
  workload: text('Workload of the pod.', 'cart'),
  since: time('When it began, as far as this process has seen it.'),
  end: time('When it ended.'),
  reason: field(
    z.enum(END_REASONS),
    '`recovered`: the pod is back within its boundaries. `gone`: it is no longer there, or no longer scored. `accepted`: it is ' +
      'where it was, and its boundaries have moved, since the level has become usual. `muted`: somebody has muted it or opted ' +
      'it out.',
    'recovered',
  ),
});

export const DetectResponse = object('Flags and scores at one instant.', {
  time: number('The instant that was scored, Unix time in seconds.', 1767225600),
  matching: count('How many scored pods pass the filters; `pods` has the first `limit` of them.', 1),
  muted: count('Pods that are muted now, in all namespaces.', 2),
  opted_out: count('Pods that are ignored, and not scored, in all namespaces.', 0),
  limit: count('The most pods that this answer may have; 0 for all.', 1000),
  ended: field(
    z.array(EndedEpisode),
    'The anomalies that ended in the last half hour, the newest first, in the namespace of the filter, and at most `limit`.',
  ),
  pods: field(
    z.array(PodJudgement),
    'The scored pods that pass the filters, most anomalous first, then by namespace and pod.',
  ),
});

export type DetectResponse = z.infer<typeof DetectResponse>;

const LastError = object('A failure.', {
  message: text('What happened and what to do, without secrets.'),
  time: time('When it happened.'),
});

const lastError = (description: string) => field(LastError.nullable(), description);

const SnapshotHealth = object('The model on disk.', {
  path: text('The file.'),
  trained_at: timeOrNull('When the training of the saved model ended; null if no saved model is known.'),
  size_bytes: countOrNull('Size of the saved model; null if no saved model is known.'),
  last_save_succeeded: booleanOrNull(
    'Whether the last attempt to save a model succeeded; null before the first attempt.',
  ),
  last_error: lastError('The last failure to load or save it; null if there was no failure.'),
});

const HistoryHealth = object('What is remembered of the workloads of the last days.', {
  days: count('How many days are to be remembered (`HISTORY_DAYS`).', 8),
  known_days: field(z.number().nonnegative(), 'Days that are known: hours with pods, divided by 24.', 2.5),
  missing_hours: count('Hours that are still to be read from Prometheus.'),
  workloads: count('Workloads of which something is known.'),
  size_bytes: count('Memory of the history.'),
  failing: boolean('Whether the last reading failed; it is tried again.'),
  last_error: lastError('The last reading that failed; null if there was no failure.'),
  file: field(
    object('The history on disk.', {
      path: text('The file.'),
      saved_at: timeOrNull('When this process last saved it; null before.'),
      size_bytes: countOrNull('Size of the file; null if it is not known.'),
      last_save_succeeded: booleanOrNull('Whether the last attempt to save succeeded; null before the first attempt.'),
      last_error: lastError('The last failure to load or save it; null if there was no failure.'),
    }).nullable(),
    'The history on disk; null without `MODEL_PATH`.',
  ),
});

const AcceptedLevel = object('A level of a workload that has become usual.', {
  namespace: text('Namespace of the workload.', 'shop'),
  workload: text('Name of the workload.', 'cart'),
  feature: text('Name of the feature.', 'cpu'),
  factor: field(z.number().positive(), 'About what the usual value is multiplied by.', 1.8),
  began: time('When the level began, to half an hour.'),
  accepted: time('Since when it is usual.'),
  with_release: field(z.boolean(), 'Whether it began with a release of the workload.'),
});

const BudgetHealth = object('Messages a day, and what the boundaries of the model rest on.', {
  per_day: field(z.number().positive(), 'The budget when nothing is wrong (`ALERT_BUDGET_PER_DAY`).', 4),
  expected_per_day: numberOrNull(
    'Messages a day that are expected when nothing is wrong, by days that are left out; null while less than four days ' +
      'are known.',
    3.6,
  ),
  recent_workloads_per_day: numberOrNull(
    'Workloads a day that exceeded their boundaries in a gauge on the last three days, each day judged by the other ' +
      'ones, incidents included; null while less than four days are known.',
    2.3,
  ),
  last_day: count('Workloads with an anomaly that lasted, within the last day or since `counted_since`.', 2),
  counted_since: timeOrNull('When this process began to count them; null before the first pass.'),
  workloads: count('Workloads with boundaries of their own.', 80),
  known_days: field(z.number().nonnegative(), 'Days that the boundaries rest on. The last day is left out.', 6),
  accepted_levels: field(
    z.array(AcceptedLevel),
    'Levels that were accepted on the last day, the newest first, at most 100.',
  ),
});

const KeptValues = object('Counts of what keeps the usual values of an earlier training.', {
  pods: count('Pods that Prometheus had less than half as much of as before.', 0),
  absent_pods: count('Pods that have ended in the last hours, or that Prometheus did not answer with.', 0),
  workloads: count('Workloads of which no pod is known well enough, also those that have ended.', 0),
});

const CheckFinding = object('A problem of the installation.', {
  check: text('Name of the check.', 'rate_window'),
  severity: field(
    z.enum(['warning', 'error']),
    '`error`: pods are not scored, or scored wrongly; `warning`: scores could be better.',
  ),
  summary: text('What was found.'),
  meaning: textOrNull('What it means for the scores.'),
  advice: textOrNull('What to do about it.'),
  time: time('When it was found.'),
});

const LastPass = object('The last detection pass.', {
  time: time('The instant that was scored.'),
  pods_scored: count('Pods that were scored.'),
  pods_unscored: field(z.record(z.string(), z.int().nonnegative()), 'Pods that were seen and not scored, by reason.'),
  duration_seconds: field(z.number().nonnegative(), 'Duration of the pass, in seconds.'),
  warnings: field(z.array(z.string()), 'Problems with the data, in sentences.'),
  error: textOrNull('Why no pod was scored; null if the pass succeeded.'),
});

const ShardHealth = object('The shard that this process watches.', {
  ordinal: count('Number of this shard, counted from 0.'),
  total: count('Number of shards.'),
  namespaces: countOrNull('Number of namespaces that this shard watches; null until Prometheus has returned them.'),
  message: textOrNull('Why the shard has no namespaces; null if it has some.'),
});

export const HealthReport = object('The state of the exporter.', {
  status: field(z.enum(['ok', 'degraded']), '`degraded` while pods cannot be scored.'),
  version: text('Version of the exporter.'),
  prometheus: object('The Prometheus server that is queried.', {
    url: text('The configured base URL, without credentials.'),
    up: booleanOrNull('Whether Prometheus answered the last pass; null before the first pass, and without a model.'),
    last_error: lastError('The last failure of a query; null if there was no failure.'),
  }),
  model: object('The current model.', {
    trained: boolean('Whether there is a model. Without a model, every nullable field is null.'),
    origin: field(
      z.enum(['training', 'snapshot']).nullable(),
      'Whether the model was trained by this process or loaded from `MODEL_PATH` at startup.',
    ),
    trained_at: timeOrNull('When the training of the model ended.'),
    window_start: timeOrNull('First instant of the training window.'),
    window_end: timeOrNull('Last instant of the training window.'),
    age_seconds: numberOrNull('Time since `trained_at`, in seconds.'),
    fingerprint: textOrNull('Identifies queries, features and parameters of the model.'),
    baseline: field(z.enum(['pod', 'workload', 'cluster']), 'What a pod is compared with.'),
    features: field(z.array(z.string()), 'Names of the features that the model uses; empty without a model.'),
    threshold: numberOrNull('The threshold that `anomaly_score` is measured from.'),
    samples: countOrNull('Number of training rows (one row is a pod at an instant).'),
    pods: countOrNull('Number of pods in the training rows.'),
    kept: field(
      KeptValues.nullable(),
      'What keeps the usual values of an earlier training, as the last one found too little of it; null without a model.',
    ),
  }),
  training: object('The trainings.', {
    running: boolean('Whether a training is running now.'),
    runs: count('Trainings since startup, including failed ones.'),
    failures: count('Failed trainings since startup.'),
    last_success: timeOrNull('End of the last successful training; null if no training has succeeded.'),
    last_error: lastError('The last failed training; null if no training has failed.'),
    next_run: timeOrNull('When the next training is due; null if no training is scheduled.'),
  }),
  snapshot: field(SnapshotHealth.nullable(), 'The model on disk; null without `MODEL_PATH`.'),
  history: field(HistoryHealth.nullable(), 'The history; null with `HISTORY_DAYS=0` or `BASELINE=cluster`.'),
  budget: field(BudgetHealth.nullable(), 'The budget of messages; null without a model.'),
  shard: field(ShardHealth.nullable(), 'The shard; null if one process watches all namespaces.'),
  context: object('What is known of the flagged pods: limits, nodes, ends, …', {
    time: timeOrNull('The instant that it was last asked for; null before the first flagged pod.'),
    pods: count('Flagged pods of which something is known, at most 100.'),
    last_error: lastError('The last question that was not answered; null if there was no failure.'),
  }),
  check: object('The check of the installation, once an hour, and after each training while it finds an error.', {
    last_success: timeOrNull('When the installation was last checked; null before the first check.'),
    last_error: lastError(
      'The last check that failed because Prometheus did not answer; null if there was no failure.',
    ),
    findings: field(z.array(CheckFinding), 'The problems. A finding stays until the same check finds something else.'),
  }),
  last_pass: field(LastPass.nullable(), 'The last detection pass; null before the first one.'),
});

export type HealthReport = z.infer<typeof HealthReport>;

/** The schemas that have a name in the OpenAPI document. */
export const SCHEMAS = Object.freeze({ DetectResponse, ErrorResponse, HealthReport });

export type SchemaName = keyof typeof SCHEMAS;
