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
        message: z.string().describe('What was expected, what came and what to do, for people.'),
      })
      .describe('Why there is no other answer.'),
  })
  .describe('The answer to every request that failed.');

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
      .describe('Distance of `actual` from `expected` in usual spreads; negative below it.')
      .meta({ examples: [33] }),
    direction: z
      .enum(['above', 'below', 'usual'])
      .describe('Where the pod stands; `usual` is less than one spread away from the usual value.')
      .meta({ examples: ['above'] }),
    share: z
      .number()
      .min(0)
      .max(1)
      .describe(
        'Share of this feature in the score: by how much the score falls when the feature is put back to its usual ' +
          'value, divided by the sum of that over all features. 0 for each where none makes the score higher.',
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
      .describe('Name of the Deployment, StatefulSet, … that made the pod; its own name without one.')
      .meta({ examples: ['cart'] }),
    cpu: z
      .number()
      .nullable()
      .describe('CPU in use, in cores; null when the model does not use it.')
      .meta({ examples: [1.9] }),
    memory: z
      .number()
      .nullable()
      .describe('Memory in use, in bytes; null when the model does not use it.')
      .meta({ examples: [268435456] }),
    restarts: z
      .number()
      .nullable()
      .describe('Container restarts so far; null when the model does not use them.')
      .meta({ examples: [0] }),
    anomaly_flag: z
      .union([z.literal(0), z.literal(1)])
      .describe('1 when the pod is anomalous (`anomaly_score` above 0), else 0.')
      .meta({ examples: [1] }),
    anomaly_score: z
      .number()
      .describe('Score minus the threshold of the model; above 0 is anomalous.')
      .meta({ examples: [0.12] }),
    features: z
      .array(FeatureJudgement)
      .describe('The features that the score is made of, the one with the largest share first.'),
  })
  .describe('One pod and how it behaves.');

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
  .describe('The judgement on all pods at one instant.');

export type DetectResponse = z.infer<typeof DetectResponse>;

const time = () => z.iso.datetime();
const count = () => z.int().nonnegative();

const LastError = z
  .object({
    message: z.string().describe('What went wrong and what to do, without secrets.'),
    time: time().describe('When it went wrong.'),
  })
  .describe('A failure.');

const PrometheusHealth = z
  .object({
    url: z.string().describe('The configured base URL, without credentials.'),
    up: z
      .boolean()
      .nullable()
      .describe(
        'Whether the last pass could ask Prometheus; null before the first pass, and without a model.',
      ),
    last_error: LastError.nullable().describe('The last failure to ask it; null when there was none.'),
  })
  .describe('The Prometheus server that is asked.');

const ModelHealth = z
  .object({
    trained: z
      .boolean()
      .describe('Whether there is a model; everything that may be null is null without one.'),
    origin: z
      .enum(['training', 'snapshot'])
      .nullable()
      .describe('Whether the model was trained since the start, or loaded from `MODEL_PATH` at the start.'),
    trained_at: time().nullable().describe('When the training of the model ended.'),
    window_start: time().nullable().describe('First instant of the training window.'),
    window_end: time().nullable().describe('Last instant of the training window.'),
    age_seconds: z.number().nullable().describe('Time since `trained_at`, in seconds.'),
    fingerprint: z.string().nullable().describe('Identifies queries, features and parameters of the model.'),
    baseline: z.enum(['pod', 'workload', 'cluster']).describe('What a pod is compared with.'),
    features: z
      .array(z.string())
      .describe('Names of the features that the model uses; empty without a model.'),
    threshold: z
      .number()
      .nullable()
      .describe('The score, before it is taken off, above which a pod is anomalous.'),
    samples: count().nullable().describe('Training rows (pod-instants) that were used.'),
    pods: count().nullable().describe('Pods that the training rows came from.'),
  })
  .describe('The model that scores.');

const TrainingHealth = z
  .object({
    running: z.boolean().describe('Whether a training is running now.'),
    runs: count().describe('Trainings that ended since the start, failed ones included.'),
    failures: count().describe('Trainings that failed since the start.'),
    last_success: time().nullable().describe('End of the last training that succeeded; null when none did.'),
    last_error: LastError.nullable().describe('The last training that failed; null when none did.'),
    next_run: time().nullable().describe('When the next training is due; null when none is.'),
  })
  .describe('The trainings.');

const SnapshotHealth = z
  .object({
    path: z.string().describe('The file.'),
    trained_at: time()
      .nullable()
      .describe('When the training of the saved model ended; null while none is known.'),
    size_bytes: count().nullable().describe('Size of the saved model; null while none is known.'),
    last_save_succeeded: z
      .boolean()
      .nullable()
      .describe('Whether the last model was saved; null before the first attempt.'),
    last_error: LastError.nullable().describe(
      'The last time that it could not be loaded or saved; null when there was none.',
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
      .describe('`error`: pods go unscored, or are scored wrongly; `warning`: something could be better.'),
    summary: z.string().describe('What is so.'),
    meaning: z.string().nullable().describe('What follows from it.'),
    advice: z.string().nullable().describe('What to do about it.'),
    time: time().describe('When it was found.'),
  })
  .describe('What is not well about the installation.');

const CheckHealth = z
  .object({
    last_success: time()
      .nullable()
      .describe('When the installation could be checked for the last time; null before the first.'),
    last_error: LastError.nullable().describe(
      'The last check that Prometheus did not answer; null without one.',
    ),
    findings: z
      .array(CheckFinding)
      .describe('What is not well. A finding stays until the same check finds something else.'),
  })
  .describe('The check of the installation that follows each training.');

const LastPass = z
  .object({
    time: time().describe('The instant that was scored.'),
    pods_scored: count().describe('Pods that were scored.'),
    pods_unscored: z.record(z.string(), count()).describe('Pods that were seen and not scored, by reason.'),
    duration_seconds: z.number().nonnegative().describe('How long the pass took, in seconds.'),
    warnings: z.array(z.string()).describe('What was odd about the data, in sentences.'),
    error: z.string().nullable().describe('Why no pod was scored; null when the pass came to its end.'),
  })
  .describe('The last detection pass.');

const ShardHealth = z
  .object({
    ordinal: count().describe('Which of the shards this process is, from 0 on.'),
    total: count().describe('Number of shards.'),
    namespaces: count()
      .nullable()
      .describe('Namespaces that this shard watches; null until Prometheus has told them.'),
    message: z.string().nullable().describe('Why it has none; null when it has some.'),
  })
  .describe('The part of the cluster that this process watches.');

export const HealthReport = z
  .object({
    status: z.enum(['ok', 'degraded']).describe('`degraded` while pods cannot be scored.'),
    version: z.string().describe('Version of the exporter.'),
    prometheus: PrometheusHealth,
    model: ModelHealth,
    training: TrainingHealth,
    snapshot: SnapshotHealth.nullable().describe('The model on disk; null without `MODEL_PATH`.'),
    shard: ShardHealth.nullable().describe('The shard; null where one process watches all.'),
    check: CheckHealth,
    last_pass: LastPass.nullable().describe('The last detection pass; null before the first one.'),
  })
  .describe('The state of the exporter.');

export type HealthReport = z.infer<typeof HealthReport>;

/** The schemas that have a name in the OpenAPI document. */
export const SCHEMAS = Object.freeze({ DetectResponse, ErrorResponse, HealthReport });

export type SchemaName = keyof typeof SCHEMAS;
