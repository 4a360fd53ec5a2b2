/**
 * The table of settings. The parser, `--help` and docs/reference/settings.md derive from it: to add a setting, add a row.
 */

import { isIP } from 'node:net';
import * as cron from 'node-cron';
import { z } from 'zod';
import { METRICS_SOURCES, TRANSLATIONS } from '../features/opentelemetry/names.js';
import { MatchersError, parseMatchers } from '../features/queries/matchers.js';

/** The variables that a process was started with. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One setting: its variable, its values, and its description. */
export interface SettingDefinition<Value> {
  readonly env: string;
  /** The text to use if the variable is unset. */
  readonly default: string;
  /** The accepted values, as a phrase that follows "Expected". */
  readonly expected: string;
  /** A valid value that shows the form. */
  readonly example: string;
  /** What it does: one sentence for `--help` and the docs. */
  readonly help: string;
  /**
   * The value is a secret, or a `url` that may contain one. Errors show no part of it that could be secret, and the
   * value can be read from a file (`secretFileVariable`).
   */
  readonly secret?: true | 'url';
  /** From the variable's text to the value. */
  readonly schema: z.ZodType<Value>;
}

/** The variable that names a file with the value of a secret setting. */
export function secretFileVariable({ env, secret }: SettingDefinition<unknown>): string | undefined {
  return secret === undefined ? undefined : `${env}_FILE`;
}

/** The variables of a setting: the one with its value, and of a secret the one that names a file. */
export function variablesOf(definition: SettingDefinition<unknown>): readonly string[] {
  return [definition.env, secretFileVariable(definition) ?? []].flat();
}

/** The default is the example where no other is given. */
const define = <Value>(
  env: string,
  fallback: string,
  rest: Omit<SettingDefinition<Value>, 'env' | 'default' | 'example'> & { readonly example?: string },
): SettingDefinition<Value> => Object.freeze({ env, default: fallback, example: fallback, ...rest });

const integer = (minimum: number, maximum: number, what = 'a whole number') => number(/^\d+$/, minimum, maximum, what);

const decimal = (minimum: number, maximum: number, what: string) => number(/^\d+(\.\d+)?$/, minimum, maximum, what);

const number = (form: RegExp, minimum: number, maximum: number, what: string) => ({
  expected: `${what} from ${minimum} to ${maximum}`,
  schema: z.string().regex(form).transform(Number).pipe(z.number().min(minimum).max(maximum)),
});

const oneOf = <const Choice extends string>(...choices: readonly Choice[]) => ({
  expected: `one of ${choices.map((choice) => `\`${choice}\``).join(', ')}`,
  schema: z.enum(choices),
});

/** Whether this does not throw. */
const works = (attempt: () => unknown): boolean => {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
};

const isHttpUrl = (text: string): boolean => {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  // A bare `/` in a password ends the host: the rest of the password would be shown as a path.
  return url.search === '' && url.hash === '' && !url.pathname.includes('@');
};

/**
 * Whether a text may be RE2. Only the server can tell, and it does before the first training. Refused here are
 * lookaround and backreferences, which RE2 lacks, and what cannot be parsed, unless it has extensions (`(?`, `\Q`).
 */
const mayBeRe2 = (text: string): boolean => {
  if (/\(\?<?[=!]|\\[1-9]/.test(text)) return false;
  if (/\(\?|\\Q/.test(text)) return true;
  return works(() => new RegExp(text));
};

const isHost = (text: string): boolean => isIP(text) !== 0 || /^(?=.*[a-z])(?!-)[\w-]+(?:\.[\w-]+)*\.?$/i.test(text);

const isProxyUrl = (text: string): boolean => isHttpUrl(text) && /^http:/i.test(text) && new URL(text).pathname === '/';

/** A label name, or `undefined` for nothing. */
const labelNameOrNothing = z
  .string()
  .regex(/^(?:[a-zA-Z_][\w./-]*)?$/)
  .transform((name) => (name === '' ? undefined : name));

const filePath = z.string().regex(/^(?:.*[^/])?$/);

const PAIR_ESCAPES = 'in which `\\,` is a comma and `\\\\` a backslash';

/** In the order of the text; a name may come several times. */
type Pairs = readonly (readonly [name: string, value: string])[];

/**
 * The pairs of `name=value,name=value`. Spaces around names and values do not count. In a value `\,` is a comma and
 * `\\` a backslash; a value may have `=`.
 *
 * @returns `undefined` where a pair has no name or no `=`, or another character follows a backslash.
 */
function parsePairs(text: string): Pairs | undefined {
  if (text.trim() === '') return [];
  // A piece ends at a comma that no backslash takes away.
  const pieces = text.match(/(?:^|,)(?:\\.|[^\\,])*/gs) ?? [];
  if (pieces.join('') !== text) return undefined;
  const pairs: (readonly [string, string])[] = [];
  for (const [index, piece] of pieces.entries()) {
    const [, name, raw] = /^([^=\\]+)=(.*)$/s.exec(index === 0 ? piece : piece.slice(1)) ?? [];
    if (name === undefined || raw === undefined || name.trim() === '') return undefined;
    if (/\\[^\\,]/.test(raw.replaceAll('\\\\', ''))) return undefined;
    pairs.push([name.trim(), raw.trim().replaceAll(/\\([\\,])/g, '$1')]);
  }
  return pairs;
}

const pairs = z.string().transform((text, context) => {
  const list = parsePairs(text);
  if (list !== undefined) return list;
  context.addIssue({ code: 'custom' });
  return z.NEVER;
});

/** Parameters that the client sets itself. */
const OWN_PARAMETERS = /^(?:query|time|start|end|step)$/;

/** Headers that frame a message, or that the client must agree with. */
const OWN_HEADERS =
  /^(?:accept|accept-encoding|connection|content-.*|expect|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;

/** Names and values as in RFC 9110, section 5; each name once. */
const areHeaders = (list: Pairs): boolean =>
  list.every(
    ([name, value]) =>
      /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) &&
      /^[\t\x20-\x7e]*$/.test(value) &&
      !OWN_HEADERS.test(name) &&
      list.filter(([other]) => other.toLowerCase() === name.toLowerCase()).length === 1,
  );

export const SETTINGS = Object.freeze({
  prometheusUrl: define('PROMETHEUS_URL', 'http://prometheus:9090', {
    expected: 'an http:// or https:// URL without query and fragment; a path prefix is allowed',
    example: 'https://user:pass%2Fword@example.org/prometheus',
    help: 'Base URL of the Prometheus HTTP API, with or without a path prefix. `user:password@` sets basic authentication.',
    secret: 'url',
    schema: z.string().refine(isHttpUrl),
  }),
  prometheusUsername: define('PROMETHEUS_USERNAME', '', {
    expected: 'a user name without `:`',
    example: 'watcher',
    help: 'User for basic authentication, instead of `user:password@` in the URL.',
    schema: z.string().regex(/^[^:\p{Cc}]*$/u),
  }),
  prometheusPassword: define('PROMETHEUS_PASSWORD', '', {
    expected: 'a password',
    example: 'correct horse battery staple',
    help: 'Password of `PROMETHEUS_USERNAME`. A file is read again when it changes.',
    secret: true,
    schema: z.string(),
  }),
  prometheusBearerToken: define('PROMETHEUS_BEARER_TOKEN', '', {
    expected: 'a token: one word of ASCII characters',
    example: 'eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl',
    help: 'Token, sent as `Authorization: Bearer …`. A file is read again when it changes.',
    secret: true,
    schema: z.string().regex(/^[\x21-\x7e]*$/),
  }),
  prometheusHeaders: define('PROMETHEUS_HEADERS', '', {
    expected: `headers as \`name=value,name=value\`, ${PAIR_ESCAPES}; except headers that the exporter sets itself`,
    example: 'X-Scope-OrgID=shop',
    help: 'HTTP headers to send with every request.',
    secret: true,
    schema: pairs.refine(areHeaders),
  }),
  prometheusQueryParameters: define('PROMETHEUS_QUERY_PARAMETERS', '', {
    expected: `parameters as \`name=value,name=value\`, ${PAIR_ESCAPES}; except \`query\`, \`time\`, \`start\`, \`end\`, \`step\``,
    example: 'dedup=true,partial_response=false',
    help: 'Parameters to add to the URL of every request.',
    secret: true,
    schema: pairs.refine((list) => list.every(([name]) => !OWN_PARAMETERS.test(name))),
  }),
  prometheusHttpMethod: define('PROMETHEUS_HTTP_METHOD', 'POST', {
    ...oneOf('POST', 'GET'),
    example: 'GET',
    help: 'Method of the queries. `POST` has no length limit; `GET` works through proxies that block `POST`.',
  }),
  prometheusCompression: define('PROMETHEUS_COMPRESSION', 'auto', {
    ...oneOf('auto', 'on', 'off'),
    example: 'off',
    help:
      'Whether Prometheus compresses its answers, which takes some of its processor time and saves most of the bytes. ' +
      '`auto`: unless it is on this machine.',
  }),
  prometheusCaFile: define('PROMETHEUS_CA_FILE', '', {
    expected: 'the path of a file with certificates in PEM, or nothing for those that Node.js trusts',
    example: '/etc/detector/tls/ca.crt',
    help: 'The CAs to trust for the certificate of Prometheus. Read again when it changes.',
    schema: filePath,
  }),
  prometheusCertFile: define('PROMETHEUS_CERT_FILE', '', {
    expected: 'the path of a file with a certificate in PEM, or nothing',
    example: '/etc/detector/tls/tls.crt',
    help: 'Client certificate. Read again when it changes.',
    schema: filePath,
  }),
  prometheusKeyFile: define('PROMETHEUS_KEY_FILE', '', {
    expected: 'the path of a file with an unencrypted private key in PEM, or nothing',
    example: '/etc/detector/tls/tls.key',
    help: 'Private key of the client certificate. Read again when it changes.',
    schema: filePath,
  }),
  prometheusServerName: define('PROMETHEUS_SERVER_NAME', '', {
    expected: 'a host name, or nothing for the host in `PROMETHEUS_URL`',
    example: 'prometheus.example.org',
    help: 'The name in the certificate of Prometheus, if it differs from the host in the URL.',
    schema: z
      .string()
      .regex(/^[\w.-]*$/)
      .refine((text) => text === '' || (isHost(text) && isIP(text) === 0)),
  }),
  insecureSkipVerify: define('INSECURE_SKIP_VERIFY', 'false', {
    expected: '`true` or `false`',
    help: 'Whether to accept every certificate of Prometheus. A man in the middle can then read the password.',
    schema: z.enum(['true', 'false']).transform((text) => text === 'true'),
  }),
  prometheusProxyUrl: define('PROMETHEUS_PROXY_URL', '', {
    expected: 'an http:// URL without path, or nothing for no proxy',
    example: 'http://user:pass%2Fword@proxy.example.org:3128',
    help: 'HTTP proxy for the connection to Prometheus. `HTTP_PROXY` and similar variables are ignored.',
    secret: 'url',
    schema: z.string().refine((text) => text === '' || isProxyUrl(text)),
  }),
  // About 2 million samples, three times what one request of a training asks for. The three queries of a pass together
  // stay below the memory that a container of this program is given (512 MiB), even if none has an end.
  prometheusMaxResponseBytes: define('PROMETHEUS_MAX_RESPONSE_BYTES', '67108864', {
    ...integer(1024 * 1024, 1024 * 1024 * 1024),
    expected: 'a whole number of bytes from 1048576 (1 MiB) to 1073741824 (1 GiB)',
    help: 'Size limit of an answer, after decompression. Larger answers are rejected.',
  }),
  queryOffsetSeconds: define('PROMETHEUS_QUERY_OFFSET_SECONDS', '0', {
    ...decimal(0, 3600, 'a number of seconds'),
    example: '30',
    help: 'How old the newest values in a query are, for a backend that hides or delays the latest ones.',
  }),
  matchers: define('PROMETHEUS_MATCHERS', '', {
    expected: 'label matchers of PromQL, or nothing',
    example: 'cluster="berlin",env!="dev"',
    help: 'Label matchers to add to every selector of every query, for example to select one of several clusters.',
    schema: z.string().transform((text, context) => {
      try {
        return parseMatchers(text);
      } catch (error) {
        if (!(error instanceof MatchersError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    }),
  }),
  namespaceRegex: define('NAMESPACE_REGEX', '.*', {
    expected: 'a regular expression in RE2 syntax, matched against the whole namespace',
    example: 'shop|payments-.*',
    help: 'The namespaces to watch: an RE2 expression that must match the whole name.',
    schema: z.string().refine(mayBeRe2),
  }),
  metricsSource: define('METRICS_SOURCE', 'cadvisor', {
    ...oneOf(...METRICS_SOURCES),
    example: 'opentelemetry',
    help:
      'Whose names the series have: those of cAdvisor and kube-state-metrics (`cadvisor`), or those of an OpenTelemetry ' +
      'Collector with the receivers kubeletstats and k8s_cluster (`opentelemetry`).',
  }),
  otlpTranslation: define('OTLP_TRANSLATION_STRATEGY', 'UnderscoreEscapingWithSuffixes', {
    ...oneOf(...TRANSLATIONS),
    example: 'NoTranslation',
    help:
      'How the server translates the names of OpenTelemetry: the value of `otlp.translation_strategy` in the configuration of ' +
      'Prometheus. VictoriaMetrics has `NoTranslation`, unless it runs with `-opentelemetry.usePrometheusNaming`.',
  }),
  podLabel: define('POD_LABEL', '', {
    expected: 'a Prometheus label name, or nothing for that of `METRICS_SOURCE`',
    example: 'pod_name',
    help:
      'The label that names the pod in the series of containers (`pod_name` before Kubernetes 1.16, with `container_name` ' +
      'beside it). If unset, it is `pod`, or `k8s_pod_name` with OpenTelemetry. One with dots needs Prometheus 3. The output ' +
      'always says `pod`.',
    schema: labelNameOrNothing,
  }),
  namespaceLabel: define('NAMESPACE_LABEL', '', {
    expected: 'a Prometheus label name, or nothing for that of `METRICS_SOURCE`',
    example: 'exported_namespace',
    help:
      'The label that names the namespace there (`exported_namespace` where cAdvisor is scraped without `honor_labels`). If ' +
      'unset, it is `namespace`, or `k8s_namespace_name` with OpenTelemetry. The output always says `namespace`.',
    schema: labelNameOrNothing,
  }),
  containerLabel: define('CONTAINER_LABEL', '', {
    expected: 'a Prometheus label name, or nothing for the label that goes with `POD_LABEL`',
    example: 'container',
    help:
      'The label that names the container there. If unset, it is `POD_LABEL` with `container` in the place of `pod`: ' +
      '`exported_container` with `exported_pod`.',
    schema: labelNameOrNothing,
  }),
  shard: define('SHARD', '', {
    expected: 'a whole number from 0 to 999 and below `TOTAL_SHARDS`, or nothing',
    example: '0',
    help:
      'Which of `TOTAL_SHARDS` this process is, from 0. If unset, it is the number at the end of `POD_NAME` or ' +
      '`HOSTNAME`, as in a StatefulSet.',
    schema: z.union([z.literal('').transform(() => undefined), integer(0, 999).schema]),
  }),
  totalShards: define('TOTAL_SHARDS', '1', {
    ...integer(1, 1000),
    example: '3',
    help: 'Number of processes that share the namespaces.',
  }),
  trainingLookbackMinutes: define('TRAINING_LOOKBACK_MINUTES', '60', {
    ...integer(5, 20160),
    expected: 'a whole number of minutes from 5 to 20160 (14 days)',
    help: 'Length of the training window, in minutes.',
  }),
  queryStepSeconds: define('QUERY_STEP_SECONDS', '60', {
    ...integer(1, 3600, 'a whole number of seconds'),
    help: 'Distance between two samples in the training window, in seconds.',
  }),
  historyDays: define('HISTORY_DAYS', '8', {
    ...integer(0, 28, 'a whole number of days'),
    expected: 'a whole number of days from 0 (no history) to 28',
    help:
      'How many days of each workload to remember: a week, and the last day, which is not learned from yet. They are ' +
      'read from Prometheus after the start, the newest hours first. `BASELINE=cluster` has no history.',
  }),
  historyLoadPercent: define('HISTORY_LOAD_PERCENT', '5', {
    ...integer(1, 100, 'a percentage'),
    help: 'Of the time, the share in which Prometheus may be asked for the past days, in percent.',
  }),
  requestTimeoutSeconds: define('REQUEST_TIMEOUT_SECONDS', '5', {
    ...decimal(0.1, 300, 'a number of seconds'),
    help:
      'Time limit of a scrape, in seconds; a shorter scrape timeout of Prometheus takes precedence. Training has ' +
      'its own, longer limit.',
  }),
  maximumPods: define('MAX_PODS', '100000', {
    ...integer(1, 1_000_000, 'a whole number of pods'),
    example: '20000',
    help:
      'Limit of the pods to train on and score, so that cluster growth cannot exhaust memory. The others are ' +
      'counted as unscored (`max_pods`). One process was measured with the default.',
  }),
  estimators: define('IFOREST_N_ESTIMATORS', '100', {
    ...integer(1, 1000),
    help: 'Number of trees in the isolation forest.',
  }),
  maxSamples: define('IFOREST_MAX_SAMPLES', '256', {
    ...integer(2, 4096, 'a whole number of rows'),
    help: 'Number of rows drawn for each tree.',
  }),
  contamination: define('IFOREST_CONTAMINATION', 'auto', {
    expected: '`auto` or a share above 0 and up to 0.5',
    example: '0.01',
    help:
      'The threshold: `auto` derives it from `ANOMALY_SENSITIVITY`; a share flags that share of the training ' +
      'samples.',
    schema: z.union([
      z.literal('auto'),
      z
        .string()
        .regex(/^\d*\.?\d+$/)
        .transform(Number)
        .pipe(z.number().gt(0).max(0.5)),
    ]),
  }),
  randomState: define('IFOREST_RANDOM_STATE', '42', {
    ...integer(0, 4294967295),
    help: 'Seed of the random generator. The same data and the same seed give the same model.',
  }),
  baseline: define('BASELINE', 'pod', {
    ...oneOf('pod', 'workload', 'cluster'),
    help:
      'What a pod is compared with: its own past (`pod`), the pods of its workload (`workload`), or all pods ' +
      '(`cluster`, the plain method of scikit-learn).',
  }),
  sensitivity: define('ANOMALY_SENSITIVITY', '4', {
    ...decimal(1, 40, 'a number of spreads'),
    help: 'How many of its usual spreads one feature alone must deviate for a flag. Lower values flag more.',
  }),
  alertBudgetPerDay: define('ALERT_BUDGET_PER_DAY', '4', {
    ...decimal(0.1, 1000, 'a number of messages'),
    help:
      'How many messages a day the whole cluster may make when nothing is wrong. What a workload does on its own ' +
      'during the days of `HISTORY_DAYS` decides where its boundary is.',
  }),
  acceptReleaseHours: define('ACCEPT_RELEASE_HOURS', '12', {
    ...integer(2, 24, 'a whole number of hours'),
    help:
      'A release may change what a workload uses for good. After this number of hours, its new level counts as usual, and the ' +
      'alert ends as accepted.',
  }),
  acceptLevelHours: define('ACCEPT_LEVEL_HOURS', '24', {
    ...integer(2, 24, 'a whole number of hours'),
    help: 'The same for a level that changed without a release.',
  }),
  retrainSchedule: define('RETRAIN_SCHEDULE', '*/15 * * * *', {
    expected: 'a cron expression of 5 fields (6 with seconds first)',
    help: 'When to retrain, as a cron expression.',
    schema: z
      .string()
      .regex(/^(?:\S+\s+){4,5}\S+$/)
      .refine((text) => cron.validate(text)),
  }),
  retrainTimezone: define('RETRAIN_TIMEZONE', 'UTC', {
    expected: 'an IANA time zone',
    example: 'Europe/Berlin',
    help:
      'The time zone of `RETRAIN_SCHEDULE`. When its clocks change, a distance of up to an hour stays as it is, and what is ' +
      'due once a day is due once.',
    schema: z
      .string()
      .regex(/^[\w+/-]+$/)
      .refine((timeZone) => works(() => new Intl.DateTimeFormat('en', { timeZone }))),
  }),
  cpuRateWindow: define('CPU_RATE_WINDOW', '1m', {
    expected: 'a Prometheus duration above 0',
    example: '5m',
    help:
      'The window of `rate()` in the CPU query, a Prometheus duration; at least four times the scrape interval ' +
      'of cAdvisor.',
    schema: z
      .string()
      .regex(/^(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/)
      .regex(/[1-9]/),
  }),
  memoryMetric: define('MEMORY_METRIC', 'usage', {
    ...oneOf('usage', 'working_set', 'rss'),
    example: 'working_set',
    help:
      'What counts as memory: all of it, including page cache (`usage`), all but inactive page cache (`working_set`, what ' +
      '`kubectl top` shows and the kubelet evicts by), or what is no page cache (`rss`). `check` says which to take.',
  }),
  explain: define('EXPLAIN', 'flagged', {
    ...oneOf('flagged', 'all', 'off'),
    help:
      'The pods that `/metrics` explains with the gauges `anomaly_feature_…`: flagged pods (at most the 1,000 with ' +
      'the highest scores), all pods (three series for each feature of each pod), or no pods. `/detect` explains every pod.',
  }),
  featuresFile: define('FEATURES_FILE', '', {
    expected: 'the path of a YAML file (it does not end in `/`), or nothing for the built-in features',
    example: '/etc/detector/features.yaml',
    help: 'A file with the features to use instead of the built-in ones.',
    schema: filePath,
  }),
  tuningFile: define('TUNING_FILE', '', {
    expected: 'the path of a YAML file (it does not end in `/`), or nothing for no rules',
    example: '/etc/detector/tuning.yaml',
    help:
      'A file with rules that ignore or mute pods, or give them a sensitivity of their own. It is read again when it ' +
      'changes, without a restart.',
    schema: filePath,
  }),
  tuningAnnotations: define('TUNING_ANNOTATIONS', 'on', {
    ...oneOf('on', 'off'),
    help:
      'Whether annotations and labels `k8s-anomaly-detector/…` of pods, their owners and their namespaces count, where ' +
      'kube-state-metrics exports them.',
  }),
  modelPath: define('MODEL_PATH', '', {
    expected: 'the path of a file (it does not end in `/`), or nothing to keep no model',
    example: '/var/lib/k8s-anomaly-detector/model',
    help:
      'The file to save the model to after each training and to load it from at startup, so that a restarted exporter ' +
      'scores at once. The history of workloads is saved beside it, as `<MODEL_PATH>.history`. The folder must exist and ' +
      'be writable.',
    schema: filePath,
  }),
  host: define('HOST', '0.0.0.0', {
    expected: 'an IP address or a host name to listen on',
    example: '127.0.0.1',
    help: 'The address to listen on.',
    // As in a URL, an IPv6 address may stand in brackets.
    schema: z
      .string()
      .regex(/^[\w.:%[\]-]+$/)
      .transform((text) => (/^\[[\da-f:.]+\]$/i.test(text) ? text.slice(1, -1) : text))
      .refine(isHost),
  }),
  port: define('PORT', '8000', {
    ...integer(0, 65535),
    expected: 'a port from 0 to 65535 (0 takes a free one)',
    help: 'The port to listen on.',
  }),
  webConfigFile: define('WEB_CONFIG_FILE', '', {
    expected: 'the path of a YAML file (it does not end in `/`), or nothing for plain HTTP without log-in',
    example: '/etc/detector/web-config.yaml',
    help:
      'TLS, client certificates, basic authentication, headers and a rate limit, in the format of ' +
      "Prometheus' exporter-toolkit.",
    schema: filePath,
  }),
  maxRequests: define('WEB_MAX_REQUESTS', '40', {
    ...integer(0, 10_000),
    expected: 'a whole number of requests from 0 (no limit) to 10000',
    help: 'Limit of simultaneous requests, except for the probes. Further requests get status 503.',
  }),
  pageUrl: define('PAGE_URL', '', {
    expected: 'an http:// or https:// URL without query, fragment and `/` at its end, or nothing for no link',
    example: 'https://anomalies.example.org',
    help: 'Address at which people reach the status page: alerts and the dashboard link to it (`k8s_anomaly_detector_links_info`).',
    schema: z
      .string()
      .regex(/^(?:https?:\/\/[^?#]*[^?#/])?$/i)
      .refine((text) => text === '' || isHttpUrl(text)),
  }),
  dashboardUrl: define('DASHBOARD_URL', '', {
    expected: 'an http:// or https:// URL without fragment, or nothing for no link',
    example: 'https://grafana.example.org/d/k8s-anomaly-detector',
    help:
      'Address of the dashboard in Grafana: the status page and alerts link to it with their pods selected. May have a query, ' +
      'such as `?var-cluster=eu`.',
    schema: z
      .string()
      .regex(/^(?:https?:\/\/[^#]+)?$/i)
      .refine((text) => text === '' || URL.canParse(text)),
  }),
  logLevel: define('LOG_LEVEL', 'info', {
    ...oneOf('debug', 'info', 'warn', 'error', 'silent'),
    help: 'The lowest level that is logged.',
  }),
  logFormat: define('LOG_FORMAT', 'json', {
    ...oneOf('json', 'text'),
    help: 'One JSON object per line, or text for people.',
  }),
});

export type SettingName = keyof typeof SETTINGS;

/** A setting as the table reads it. */
type Value<Name extends SettingName> = (typeof SETTINGS)[Name] extends SettingDefinition<infer Own> ? Own : never;

/** The settings as values, frozen. What follows from another setting where it is unset is set. */
export type Settings = {
  readonly [Name in SettingName]: Name extends 'podLabel' | 'namespaceLabel' ? string : Value<Name>;
} & {
  /** The files that secrets were read from, for those who look whether they change. */
  readonly secretFiles: Readonly<Partial<Record<SettingName, string>>>;
};
