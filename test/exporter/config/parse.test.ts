import { expect } from 'chai';
import { parseSettings } from '../../../src/exporter/config/parse.js';
import { type Environment, SETTINGS, type SettingName, type Settings } from '../../../src/exporter/config/settings.js';
import { MistakesError } from '../../../src/lib/usage-error.js';
import { createCertificates, type TestCertificates } from '../../support/certificates.js';
import { SETTING_VALUES } from '../../support/setting-values.js';

/** The mistakes that an environment has; none fails the test. */
function mistakesOf(environment: Environment): readonly string[] {
  try {
    parseSettings(environment);
  } catch (error) {
    if (error instanceof MistakesError) return error.mistakes;
    throw error;
  }
  return expect.fail(`expected ${JSON.stringify(environment)} to be refused`);
}

const DEFAULTS: Settings = {
  prometheusUrl: 'http://prometheus:9090',
  prometheusUsername: '',
  prometheusPassword: '',
  prometheusBearerToken: '',
  prometheusHeaders: [],
  prometheusQueryParameters: [],
  prometheusHttpMethod: 'POST',
  prometheusCompression: 'auto',
  prometheusCaFile: '',
  prometheusCertFile: '',
  prometheusKeyFile: '',
  prometheusServerName: '',
  insecureSkipVerify: false,
  prometheusProxyUrl: '',
  prometheusMaxResponseBytes: 67108864,
  queryOffsetSeconds: 0,
  matchers: '',
  namespaceRegex: '.*',
  metricsSource: 'cadvisor',
  otlpTranslation: 'UnderscoreEscapingWithSuffixes',
  podLabel: 'pod',
  namespaceLabel: 'namespace',
  containerLabel: undefined,
  shard: 0,
  totalShards: 1,
  trainingLookbackMinutes: 60,
  queryStepSeconds: 60,
  requestTimeoutSeconds: 5,
  maximumPods: 100_000,
  estimators: 100,
  maxSamples: 256,
  contamination: 'auto',
  randomState: 42,
  baseline: 'pod',
  sensitivity: 4,
  alertBudgetPerDay: 4,
  acceptReleaseHours: 12,
  acceptLevelHours: 24,
  retrainSchedule: '*/15 * * * *',
  retrainTimezone: 'UTC',
  cpuRateWindow: '1m',
  memoryMetric: 'usage',
  historyDays: 8,
  historyLoadPercent: 5,
  featuresFile: '',
  tuningFile: '',
  tuningAnnotations: 'on',
  explain: 'flagged',
  modelPath: '',
  host: '0.0.0.0',
  port: 8000,
  webConfigFile: '',
  maxRequests: 40,
  pageUrl: '',
  dashboardUrl: '',
  logLevel: 'info',
  logFormat: 'json',
  secretFiles: {},
};

const names = Object.keys(SETTINGS) as SettingName[];

/** What some settings cannot do without. */
const NEEDS: Partial<Record<SettingName, Partial<Settings>>> = {
  prometheusPassword: { prometheusUsername: 'watcher' },
  prometheusCaFile: { prometheusUrl: 'https://h' },
  prometheusCertFile: { prometheusUrl: 'https://h', prometheusKeyFile: '/etc/detector/tls/tls.key' },
  prometheusKeyFile: { prometheusUrl: 'https://h', prometheusCertFile: '/etc/detector/tls/tls.crt' },
  prometheusServerName: { prometheusUrl: 'https://h' },
  otlpTranslation: { metricsSource: 'opentelemetry', namespaceLabel: 'k8s_namespace_name', podLabel: 'k8s_pod_name' },
  shard: { totalShards: 1000 },
  totalShards: { shard: 0 },
};

/** What follows from a value. */
const FOLLOWS: Readonly<Record<string, Partial<Settings>>> = {
  opentelemetry: { namespaceLabel: 'k8s_namespace_name', podLabel: 'k8s_pod_name' },
};

/** The environment with one setting and all that it needs. */
const environmentWith = (name: SettingName, text: string): Environment => ({
  ...Object.fromEntries(
    Object.entries(NEEDS[name] ?? {}).map(([other, value]) => [SETTINGS[other as SettingName].env, String(value)]),
  ),
  [SETTINGS[name].env]: text,
});

describe('parseSettings', () => {
  let certificates: TestCertificates;
  before(async () => {
    certificates = await createCertificates();
  });
  const readFile = (path: string) => certificates.valid[path.endsWith('.key') ? 'key' : 'cert'];

  it('gives every setting its default where nothing is set', () => {
    expect(parseSettings({})).to.deep.equal({ settings: DEFAULTS, warnings: [] });
  });

  for (const name of names) {
    const definition = SETTINGS[name];
    describe(definition.env, () => {
      for (const [text, value] of SETTING_VALUES[name].good) {
        it(`accepts "${text}"`, () => {
          const { settings } = parseSettings(environmentWith(name, text));
          const follows = FOLLOWS[String(value)] ?? {};
          expect(settings).to.deep.equal({ ...DEFAULTS, ...NEEDS[name], ...follows, [name]: value });
        });
      }

      for (const text of SETTING_VALUES[name].bad) {
        it(`refuses "${text}"`, () => {
          expect(mistakesOf({ [definition.env]: text })).to.deep.equal([
            `${definition.env}: expected ${definition.expected}, got ` +
              `${definition.secret === true ? 'a value that is hidden because it is secret' : `"${text.trim()}"`}. ` +
              `Example: ${definition.env}="${definition.example}"`,
          ]);
        });
      }

      it('takes an empty variable, and one of spaces, for its default', () => {
        expect(parseSettings({ [definition.env]: '' }).settings).to.deep.equal(DEFAULTS);
        expect(parseSettings({ [definition.env]: '  ' }).settings).to.deep.equal(DEFAULTS);
      });

      it('accepts its own example', () => {
        expect(parseSettings(environmentWith(name, definition.example), readFile).warnings).to.deep.equal([]);
      });
    });
  }

  it('has no duration without a number', () => {
    expect(SETTINGS.cpuRateWindow.schema.safeParse('').success).to.equal(false);
  });

  it('reports all mistakes at once, in the order of the table', () => {
    const refusable = names.filter((name) => SETTING_VALUES[name].bad.length > 0);
    const environment = Object.fromEntries(refusable.map((name) => [SETTINGS[name].env, SETTING_VALUES[name].bad[0]]));
    const mistakes = mistakesOf(environment);
    expect(mistakes.map((mistake) => mistake.split(':')[0])).to.deep.equal(refusable.map((name) => SETTINGS[name].env));
  });

  it('says how many settings are wrong, and each in a line', () => {
    expect(() => parseSettings({ PORT: 'x', HOST: ' ', NAMESPACE_REGEX: '(' })).to.throw(
      MistakesError,
      /^2 mistakes in the settings:\n {2}\S.*\n {2}\S.*$/,
    );
  });

  it('ignores variables of other programs', () => {
    expect(parseSettings({ PATH: '/bin', HOSTNAME: 'h', KUBERNETES_PORT: 'tcp://10.0.0.1:443' })).to.deep.equal({
      settings: DEFAULTS,
      warnings: [],
    });
  });

  it('gives settings that cannot be changed', () => {
    const { settings } = parseSettings({});
    expect(Object.isFrozen(settings)).to.equal(true);
    expect(() => Object.assign(settings, { port: 1 })).to.throw(TypeError);
    expect(Object.isFrozen(SETTINGS)).to.equal(true);
    for (const name of names) expect(Object.isFrozen(SETTINGS[name]), name).to.equal(true);
  });
});

describe('A password in a setting that is wrong', () => {
  const urls = [
    'http://user:hunter2@prometheus:9090?query=up',
    'http://user:hunter2@',
    'http://user:hun/ter2@prometheus:9090',
    'http://user:/hunter2@prometheus:9090',
    'http://user:12/hunter2@prometheus:9090',
    'http://user:hunter2/@prometheus:port',
    'http://user:p@hunter2@prometheus:99999',
    'http://user:p#hunter2@prometheus',
    'http://user:p?hunter2@prometheus',
    'http:user:hunter2@prometheus',
    'http:/user:hunter2@prometheus',
    'http:\\\\user:hunter2@prometheus',
    'user:hunter2@prometheus:9090',
    '//user:hunter2@prometheus:9090',
    'ftp://user:hunter2@prometheus',
    'HTTP//user:hunter2@prometheus',
    'http://user:hunter2\n@prometheus?query',
    'http://prometheus:9090?token=hunter2',
    'http://prometheus:9090/#hunter2',
  ];
  for (const url of urls) {
    it(`is not repeated from PROMETHEUS_URL=${JSON.stringify(url)}`, () => {
      const [mistake, ...others] = mistakesOf({ PROMETHEUS_URL: url });
      expect(others).to.deep.equal([]);
      expect(mistake).to.include('PROMETHEUS_URL: expected an http:// or https:// URL');
      expect(mistake).to.include('[redacted]');
      expect(mistake).not.to.match(/hun|ter2/);
    });
  }

  it('is not repeated from another variable that a URL was put into', () => {
    expect(mistakesOf({ HOST: 'http://user:hunter2@h' }).join()).not.to.include('hunter2');
  });

  it('leaves the rest of the value readable', () => {
    expect(mistakesOf({ PROMETHEUS_URL: 'http://h:9090/prefix?query=up' })[0]).to.include(
      'got "http://h:9090/prefix?[redacted]"',
    );
    expect(mistakesOf({ RETRAIN_SCHEDULE: '0 ? * #' })[0]).to.include('got "0 ? * #"');
    expect(mistakesOf({ PROMETHEUS_URL: 'http://user:hunter2@prometheus:99999/prefix' })[0]).to.include(
      'got "http://[redacted]@prometheus:99999/prefix"',
    );
  });
});

describe('Warnings of misspelled settings', () => {
  const misspelled: readonly (readonly [name: string, meant: string])[] = [
    ['IFOREST_N_ESTIMATOR', 'IFOREST_N_ESTIMATORS'],
    ['IFOREST_ESTIMATORS', 'IFOREST_N_ESTIMATORS'],
    ['IFOREST_MAX_SAMPLE', 'IFOREST_MAX_SAMPLES'],
    ['PROMETHEUS_URI', 'PROMETHEUS_URL'],
    ['NAMESPACE_REGEXP', 'NAMESPACE_REGEX'],
    ['POD_LABLE', 'POD_LABEL'],
    ['QUERY_STEP_SECOND', 'QUERY_STEP_SECONDS'],
    ['TRAINING_LOOKBACK_MINUTE', 'TRAINING_LOOKBACK_MINUTES'],
    ['REQUEST_TIMEOUT_SECS', 'REQUEST_TIMEOUT_SECONDS'],
    ['BASELINES', 'BASELINE'],
    ['ANOMALY_SENSITIVTY', 'ANOMALY_SENSITIVITY'],
    ['RETRAIN_TIME_ZONE', 'RETRAIN_TIMEZONE'],
    ['CPU_RATE_WINDOWS', 'CPU_RATE_WINDOW'],
    ['FEATURE_FILE', 'FEATURES_FILE'],
    ['FEATURES_FILES', 'FEATURES_FILE'],
    ['METRIC_SOURCE', 'METRICS_SOURCE'],
    ['OTLP_TRANSLATION_STRATEGIE', 'OTLP_TRANSLATION_STRATEGY'],
    ['MEMORY_METRICS', 'MEMORY_METRIC'],
    ['TUNING_FILES', 'TUNING_FILE'],
    ['ACCEPT_RELEASE_HOUR', 'ACCEPT_RELEASE_HOURS'],
    ['ALERT_BUDGET_PER_DAYS', 'ALERT_BUDGET_PER_DAY'],
    ['DASHBOARD_URI', 'DASHBOARD_URL'],
  ];
  for (const [name, meant] of misspelled) {
    it(`takes ${name} for ${meant}`, () => {
      const { warnings, settings } = parseSettings({ [name]: '7' });
      expect(warnings).to.deep.equal([`${name} is not a setting and is ignored. Did you mean ${meant}?`]);
      expect(settings).to.deep.equal(DEFAULTS);
    });
  }

  const innocent = [
    'PROMETHEUS_SERVICE_HOST',
    'PROMETHEUS_SERVICE_PORT',
    'PROMETHEUS_SERVICE_PORT_HTTP_WEB',
    'PROMETHEUS_PORT',
    'PROMETHEUS_PORT_9090_TCP',
    'PROMETHEUS_PORT_9090_TCP_ADDR',
    'PROMETHEUS_PORT_9090_TCP_PORT',
    'PROMETHEUS_PORT_9090_TCP_PROTO',
    'POD_LABEL_PORT',
    'POD_NAME',
    'POD_NAMESPACE',
    'POD_IP',
    'POD_UID',
    'PROMETHEUS_MULTIPROC_DIR',
    'HOSTS',
    'PORTS',
    'LOG_LEVELS',
    'FEATURE_FLAGS',
    'METRICS_PORT',
    'MEMORY_LIMIT',
    'ALERT_EMAIL',
    'FEATURES',
  ];
  for (const name of innocent) {
    it(`has nothing to say about ${name}`, () => {
      expect(parseSettings({ [name]: 'x' }).warnings).to.deep.equal([]);
    });
  }

  it('comes in alphabetic order, whatever the order of the variables', () => {
    const { warnings } = parseSettings({ PROMETHEUS_URI: 'x', BASELINES: 'x', IFOREST_MAX_SAMPLE: 'x' });
    expect(warnings.map((warning) => warning.split(' ')[0])).to.deep.equal([
      'BASELINES',
      'IFOREST_MAX_SAMPLE',
      'PROMETHEUS_URI',
    ]);
  });
});
