/** The JSON that the endpoints answer. The types and the OpenAPI document derive from these schemas. */

import { z } from 'zod';

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

const errorCodes = Object.keys(ERROR_STATUS) as ErrorCode[];

export const ErrorResponse = z
  .object({
    error: z
      .object({
        code: z.enum(errorCodes).describe('What went wrong, for programs.'),
        message: z.string().describe('What was expected, what happened and what to do, for people.'),
      })
      .describe('Why the request failed.'),
  })
  .describe('The response to every request that failed.');

export type ErrorResponse = z.infer<typeof ErrorResponse>;

const FeatureJudgement = z
  .object({
    feature: z
      .string()
      .describe('Name of the feature.')
      .meta({ examples: ['cpu'] }),
    unit: z
      .string()
      .describe('Unit of `actual` and `expected`.')
      .meta({ examples: ['cores'] }),
    actual: z
      .number()
      .describe('The value now.')
      .meta({ examples: [1.9] }),
    expected: z
      .number()
      .describe('The usual value.')
      .meta({ examples: [0.25] }),
    deviation: z
      .number()
      .describe('Distance of `actual` from `expected`, in spreads; negative if `actual` is lower.')
      .meta({ examples: [33] }),
    direction: z
      .enum(['above', 'below', 'usual'])
      .describe('`above` or `below` the usual value by at least one spread, else `usual`.')
      .meta({ examples: ['above'] }),
    share: z
      .number()
      .min(0)
      .max(1)
      .describe(
        'Share of this feature in the score: how much the score falls when the feature has its usual value, divided ' +
          'by the sum of that over all features. 0 for every feature if no feature raises the score.',
      )
      .meta({ examples: [0.97] }),
  })
  .describe('One feature of a pod compared with its usual value.');

const PodJudgement = z
  .object({
    namespace: z
      .string()
      .describe('Namespace of the pod.')
      .meta({ examples: ['shop'] }),
    pod: z
      .string()
      .describe('Name of the pod.')
      .meta({ examples: ['cart-6c9f7d8b5-x2x8p'] }),
    workload: z
      .string()
      .describe(
        'Name of the Deployment, StatefulSet, … that owns the pod; the name of the pod if it has no owner.',
      )
      .meta({ examples: ['cart'] }),
    cpu: z
      .number()
      .nullable()
      .describe('CPU usage in cores; null if the model does not use it.')
      .meta({ examples: [1.9] }),
    memory: z
      .number()
      .nullable()
      .describe('Memory usage in bytes; null if the model does not use it.')
      .meta({ examples: [268435456] }),
    restarts: z
      .number()
      .nullable()
      .describe('Container restarts so far; null if the model does not use them.')
      .meta({ examples: [0] }),
    anomaly_flag: z
      .union([z.literal(0), z.literal(1)])
      .describe('1 if the pod is anomalous (`anomaly_score` above 0), else 0.')
      .meta({ examples: [1] }),
    anomaly_score: z
      .number()
      .describe('Score minus the threshold of the model; above 0 is anomalous.')
      .meta({ examples: [0.12] }),
    features: z
      .array(FeatureJudgement)
      .describe('The features of the model, the one with the largest share first.'),
  })
  .describe('One pod and its score.');

export type PodJudgement = z.infer<typeof PodJudgement>;

export const DetectResponse = z
  .object({
    time: z
      .number()
      .describe('The instant that was scored, Unix time in seconds.')
      .meta({ examples: [1767225600] }),
    matching: z
      .int()
      .nonnegative()
      .describe('How many scored pods pass the filters; `pods` has the first `limit` of them.')
      .meta({ examples: [1] }),
    limit: z
      .int()
      .nonnegative()
      .describe('The most pods that this answer may have; 0 for all.')
      .meta({ examples: [1000] }),
    pods: z
      .array(PodJudgement)
      .describe('The scored pods that pass the filters, most anomalous first, then by namespace and pod.'),
  })
  .describe('Flags and scores at one instant.');

export type DetectResponse = z.infer<typeof DetectResponse>;

const time = () => z.iso.datetime();
const count = () => z.int().nonnegative();

const LastError = z
  .object({
    message: z.string().describe('What happened and what to do, without secrets.'),
    time: time().describe('When it happened.'),
  })
  .describe('A failure.');

const PrometheusHealth = z
  .object({
    url: z.string().describe('The configured base URL, without credentials.'),
    up: z
      .boolean()
      .nullable()
      .describe(
        'Whether Prometheus answered the last pass; null before the first pass, and without a model.',
      ),
    last_error: LastError.nullable().describe('The last failure of a query; null if there was no failure.'),
  })
  .describe('The Prometheus server that is queried.');

const ModelHealth = z
  .object({
    trained: z.boolean().describe('Whether there is a model. Without a model, every nullable field is null.'),
    origin: z
      .enum(['training', 'snapshot'])
      .nullable()
      .describe('Whether the model was trained by this process or loaded from `MODEL_PATH` at startup.'),
    trained_at: time().nullable().describe('When the training of the model ended.'),
    window_start: time().nullable().describe('First instant of the training window.'),
    window_end: time().nullable().describe('Last instant of the training window.'),
    age_seconds: z.number().nullable().describe('Time since `trained_at`, in seconds.'),
    fingerprint: z.string().nullable().describe('Identifies queries, features and parameters of the model.'),
    baseline: z.enum(['pod', 'workload', 'cluster']).describe('What a pod is compared with.'),
    features: z
      .array(z.string())
      .describe('Names of the features that the model uses; empty without a model.'),
    threshold: z.number().nullable().describe('The threshold that `anomaly_score` is measured from.'),
    samples: count().nullable().describe('Number of training rows (one row is a pod at an instant).'),
    pods: count().nullable().describe('Number of pods in the training rows.'),
  })
  .describe('The current model.');

const TrainingHealth = z
  .object({
    running: z.boolean().describe('Whether a training is running now.'),
    runs: count().describe('Trainings since startup, including failed ones.'),
    failures: count().describe('Failed trainings since startup.'),
    last_success: time()
      .nullable()
      .describe('End of the last successful training; null if no training has succeeded.'),
    last_error: LastError.nullable().describe('The last failed training; null if no training has failed.'),
    next_run: time().nullable().describe('When the next training is due; null if no training is scheduled.'),
  })
  .describe('The trainings.');

const SnapshotHealth = z
  .object({
    path: z.string().describe('The file.'),
    trained_at: time()
      .nullable()
      .describe('When the training of the saved model ended; null if no saved model is known.'),
    size_bytes: count().nullable().describe('Size of the saved model; null if no saved model is known.'),
    last_save_succeeded: z
      .boolean()
      .nullable()
      .describe('Whether the last attempt to save a model succeeded; null before the first attempt.'),
    last_error: LastError.nullable().describe(
      'The last failure to load or save it; null if there was no failure.',
    ),
  })
  .describe('The model on disk.');
const CheckFinding = z
  .object({
    check: z
      .string()
      .describe('Name of the check.')
      .meta({ examples: ['rate_window'] }),
    severity: z
      .enum(['warning', 'error'])
      .describe('`error`: pods are not scored, or scored wrongly; `warning`: scores could be better.'),
    summary: z.string().describe('What was found.'),
    meaning: z.string().nullable().describe('What it means for the scores.'),
    advice: z.string().nullable().describe('What to do about it.'),
    time: time().describe('When it was found.'),
  })
  .describe('A problem of the installation.');

const CheckHealth = z
  .object({
    last_success: time()
      .nullable()
      .describe('When the installation was last checked; null before the first check.'),
    last_error: LastError.nullable().describe(
      'The last check that failed because Prometheus did not answer; null if there was no failure.',
    ),
    findings: z
      .array(CheckFinding)
      .describe('The problems. A finding stays until the same check finds something else.'),
  })
  .describe('The check of the installation that follows each training.');

const LastPass = z
  .object({
    time: time().describe('The instant that was scored.'),
    pods_scored: count().describe('Pods that were scored.'),
    pods_unscored: z.record(z.string(), count()).describe('Pods that were seen and not scored, by reason.'),
    duration_seconds: z.number().nonnegative().describe('Duration of the pass, in seconds.'),
    warnings: z.array(z.string()).describe('Problems with the data, in sentences.'),
    error: z.string().nullable().describe('Why no pod was scored; null if the pass succeeded.'),
  })
  .describe('The last detection pass.');

const ShardHealth = z
  .object({
    ordinal: count().describe('Number of this shard, counted from 0.'),
    total: count().describe('Number of shards.'),
    namespaces: count()
      .nullable()
      .describe('Number of namespaces that this shard watches; null until Prometheus has returned them.'),
    message: z.string().nullable().describe('Why the shard has no namespaces; null if it has some.'),
  })
  .describe('The shard that this process watches.');

export const HealthReport = z
  .object({
    status: z.enum(['ok', 'degraded']).describe('`degraded` while pods cannot be scored.'),
    version: z.string().describe('Version of the exporter.'),
    prometheus: PrometheusHealth,
    model: ModelHealth,
    training: TrainingHealth,
    snapshot: SnapshotHealth.nullable().describe('The model on disk; null without `MODEL_PATH`.'),
    shard: ShardHealth.nullable().describe('The shard; null if one process watches all namespaces.'),
    check: CheckHealth,
    last_pass: LastPass.nullable().describe('The last detection pass; null before the first one.'),
  })
  .describe('The state of the exporter.');

export type HealthReport = z.infer<typeof HealthReport>;

/** The schemas that have a name in the OpenAPI document. */
export const SCHEMAS = Object.freeze({ DetectResponse, ErrorResponse, HealthReport });

export type SchemaName = keyof typeof SCHEMAS;
