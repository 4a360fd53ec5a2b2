import { expect } from 'chai';
import { parseSettings } from '../../../src/exporter/config/parse.js';
import { type Environment, SETTINGS, type SettingName, type Settings } from '../../../src/exporter/config/settings.js';
import { MistakesError } from '../../../src/lib/usage-error.js';
import { createCertificates, type TestCertificates } from '../../support/certificates.js';

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

/** For each setting: texts with the value that they mean, and texts that are refused. */
const ROWS: {
  readonly [Name in SettingName]: {
    readonly good: readonly (readonly [text: string, value: Settings[Name]])[];
    readonly bad: readonly string[];
  };
} = {
  prometheusUrl: {
    good: [
      ['http://localhost:9090', 'http://localhost:9090'],
      ['HTTPS://example.org', 'HTTPS://example.org'],
      ['https://example.org/select/0/prometheus/', 'https://example.org/select/0/prometheus/'],
      ['http://user:secret@h:9090/prefix', 'http://user:secret@h:9090/prefix'],
      ['http://[::1]:9090', 'http://[::1]:9090'],
      ['  http://h  ', 'http://h'],
    ],
    bad: [
      'prometheus:9090',
      'localhost',
      '//prometheus:9090',
      'ftp://prometheus',
      'http://',
      'http://h:99999',
      'http:h',
    ],
  },
  prometheusUsername: { good: [['watcher', 'watcher']], bad: ['a:b', 'a\tb'] },
  prometheusPassword: { good: [['p@ss w/:rd%', 'p@ss w/:rd%']], bad: [] },
  prometheusBearerToken: { good: [['abc.def-_~+/=', 'abc.def-_~+/=']], bad: ['two words', 'tökén', 'a\nb'] },
  prometheusHeaders: {
    good: [
      ['X-Scope-OrgID=shop', [['X-Scope-OrgID', 'shop']]],
      [
        'A=1, B = two words ,C==x=',
        [
          ['A', '1'],
          ['B', 'two words'],
          ['C', '=x='],
        ],
      ],
      ['A=one\\,two\\\\', [['A', 'one,two\\']]],
      ['Host=other.example.org', [['Host', 'other.example.org']]],
    ],
    bad: [
      'X-Scope-OrgID',
      'X-Scope-OrgID: shop',
      '=shop',
      'A=1,',
      'A=1,,B=2',
      'A B=1',
      'A=1,a=2',
      'A=one\\two',
      'A=one\\',
      'A=ü',
      'A=1\nB: 2',
      'Content-Length=0',
      'Proxy-Authorization=x',
    ],
  },
  prometheusQueryParameters: {
    good: [
      [
        'dedup=true,partial_response=false',
        [
          ['dedup', 'true'],
          ['partial_response', 'false'],
        ],
      ],
      [
        'extra_filters[]={env="prod"},extra_filters[]={a="b\\,c"}',
        [
          ['extra_filters[]', '{env="prod"}'],
          ['extra_filters[]', '{a="b,c"}'],
        ],
      ],
      ['empty=', [['empty', '']]],
    ],
    bad: ['dedup', 'query=up', 'a=1,time=5', 'start=1', 'end=1', 'step=1', '?dedup'],
  },
  prometheusHttpMethod: {
    good: [
      ['POST', 'POST'],
      ['GET', 'GET'],
    ],
    bad: ['get', 'PUT'],
  },
  prometheusCompression: {
    good: [
      ['auto', 'auto'],
      ['on', 'on'],
      ['off', 'off'],
    ],
    bad: ['ON', 'true', 'gzip'],
  },
  prometheusCaFile: { good: [], bad: ['/etc/', '/'] },
  prometheusCertFile: { good: [], bad: ['/etc/'] },
  prometheusKeyFile: { good: [], bad: ['/etc/'] },
  prometheusServerName: { good: [], bad: ['a b', 'https://h', 'h:443', '127.0.0.1', '::1'] },
  insecureSkipVerify: { good: [['false', false]], bad: ['TRUE', '1', 'yes'] },
  prometheusProxyUrl: {
    good: [
      ['http://proxy:3128', 'http://proxy:3128'],
      ['http://user:secret@proxy:3128/', 'http://user:secret@proxy:3128/'],
    ],
    bad: ['proxy:3128', 'https://proxy', 'socks5://proxy', 'http://proxy/path'],
  },
  prometheusMaxResponseBytes: {
    good: [
      ['1048576', 1048576],
      ['1073741824', 1073741824],
    ],
    bad: ['1048575', '1073741825', '256MB', '-1'],
  },
  queryOffsetSeconds: {
    good: [
      ['30', 30],
      ['0.5', 0.5],
      ['3600', 3600],
    ],
    bad: ['-30', '30s', '3601', 'x'],
  },
  matchers: {
    good: [
      ['cluster="x"', 'cluster="x"'],
      ['{cluster="x", env!="dev",}', 'cluster="x",env!="dev"'],
    ],
    bad: [],
  },
  namespaceRegex: {
    good: [
      ['shop|payments-.*', 'shop|payments-.*'],
      ['(?i)shop', '(?i)shop'],
      ['(?i:shop)-[a-z]+', '(?i:shop)-[a-z]+'],
      ['(?P<team>a|b)-.*', '(?P<team>a|b)-.*'],
      ['team-\\d{1,3}', 'team-\\d{1,3}'],
      ['[[:alpha:]]+', '[[:alpha:]]+'],
      ['\\Q(shop\\E', '\\Q(shop\\E'],
      // Wrong, but extensions are left to the server.
      ['(?i', '(?i'],
    ],
    bad: ['(?!kube-).*', '(?=shop).*', 'a(?<!b)', 'a(?<=b)', 'shop(', 'shop)', '[a-', '*', '+shop', '(a)\\1'],
  },
  metricsSource: {
    good: [
      ['cadvisor', 'cadvisor'],
      ['opentelemetry', 'opentelemetry'],
    ],
    bad: ['otel', 'OpenTelemetry'],
  },
  otlpTranslation: {
    good: [
      ['NoTranslation', 'NoTranslation'],
      ['UnderscoreEscapingWithoutSuffixes', 'UnderscoreEscapingWithoutSuffixes'],
    ],
    bad: ['NoUTF8Escaping', 'none'],
  },
  podLabel: {
    good: [
      ['pod_name', 'pod_name'],
      ['_Pod2', '_Pod2'],
      ['k8s.pod.name', 'k8s.pod.name'],
      ['example.com/pod-name', 'example.com/pod-name'],
    ],
    bad: ['pod!name', '2pod', 'pod name', 'pod"', '.pod', 'pöd'],
  },
  namespaceLabel: {
    good: [
      ['exported_namespace', 'exported_namespace'],
      ['k8s.namespace.name', 'k8s.namespace.name'],
    ],
    bad: ['name space', '1namespace', 'namespace"', 'name\\space'],
  },
  containerLabel: {
    good: [
      ['container', 'container'],
      ['exported_container', 'exported_container'],
    ],
    bad: ['con{tainer', '0', 'container=""'],
  },
  shard: {
    good: [
      ['0', 0],
      ['999', 999],
    ],
    bad: ['-1', '1000', '1.5', 'web-1', '0x1'],
  },
  totalShards: {
    good: [
      ['1', 1],
      ['1000', 1000],
    ],
    bad: ['0', '1001', '-3', '2.5', 'two'],
  },
  trainingLookbackMinutes: {
    good: [
      ['5', 5],
      ['20160', 20160],
    ],
    bad: ['4', '20161', '0', '-60', '60m', '1h', '60.5', '1e3', 'sixty', '0x40'],
  },
  queryStepSeconds: {
    good: [
      ['1', 1],
      ['3600', 3600],
    ],
    bad: ['0', '3601', '15s', '0.5', '-1', ' 1 5 '],
  },
  requestTimeoutSeconds: {
    good: [
      ['0.1', 0.1],
      ['2.5', 2.5],
      ['300', 300],
    ],
    bad: ['0', '0.09', '300.1', '5s', '1e1', '.5.', '5.', 'Infinity', 'NaN', '-5', '5,5'],
  },
  maximumPods: {
    good: [
      ['1', 1],
      ['20000', 20_000],
      ['1000000', 1_000_000],
    ],
    bad: ['0', '-1', '1.5', '1000001', '1e5', 'all', '100k'],
  },
  estimators: {
    good: [
      ['1', 1],
      ['1000', 1000],
    ],
    bad: ['0', '1001', '10.5', 'auto'],
  },
  maxSamples: {
    good: [
      ['2', 2],
      ['4096', 4096],
    ],
    bad: ['1', '4097', 'auto', '0.5'],
  },
  contamination: {
    good: [
      ['auto', 'auto'],
      ['0.5', 0.5],
      ['.01', 0.01],
      ['0.001', 0.001],
    ],
    bad: ['0', '0.0', '0.51', '1', '5%', 'Auto', '-0.1', '.', '0.1.2', '1e-3'],
  },
  randomState: {
    good: [
      ['0', 0],
      ['4294967295', 4294967295],
    ],
    bad: ['4294967296', '-1', '1.5', 'random'],
  },
  baseline: {
    good: [
      ['pod', 'pod'],
      ['workload', 'workload'],
      ['cluster', 'cluster'],
    ],
    bad: ['Pod', 'namespace', 'pod,workload'],
  },
  sensitivity: {
    good: [
      ['1', 1],
      ['3.5', 3.5],
      ['40', 40],
    ],
    bad: ['0', '0.9', '41', '4x', '-4'],
  },
  alertBudgetPerDay: {
    good: [['2.5', 2.5]],
    bad: ['0', 'many', '1001'],
  },
  acceptReleaseHours: {
    good: [
      ['2', 2],
      ['24', 24],
    ],
    bad: ['1', '25', '2.5', '12h'],
  },
  acceptLevelHours: {
    good: [['6', 6]],
    bad: ['1', '25', 'a day'],
  },
  retrainSchedule: {
    good: [
      ['0 3 * * 1-5', '0 3 * * 1-5'],
      ['30 */5 * * * *', '30 */5 * * * *'],
    ],
    bad: ['hourly', '60 * * * *', '* * * *', '* * * * * * *', '*/15', '15m'],
  },
  retrainTimezone: {
    good: [
      ['Europe/Berlin', 'Europe/Berlin'],
      ['America/Argentina/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
    ],
    bad: ['Berlin', 'Mars/Olympus', 'Europe/Berlin; DROP'],
  },
  cpuRateWindow: {
    good: [
      ['30s', '30s'],
      ['1h30m', '1h30m'],
      ['1500ms', '1500ms'],
      ['1y2w3d4h5m6s7ms', '1y2w3d4h5m6s7ms'],
    ],
    bad: ['0s', '0m0s', '1x', '5', '1.5m', 'm', '-1m', '1m 30s', '30m1h', '1m1m', '5m]', '1mm'],
  },
  memoryMetric: {
    good: [
      ['usage', 'usage'],
      ['working_set', 'working_set'],
      ['rss', 'rss'],
    ],
    bad: ['container_memory_rss', 'Usage', 'workingset'],
  },
  explain: {
    good: [
      ['flagged', 'flagged'],
      ['all', 'all'],
      ['off', 'off'],
    ],
    bad: ['Flagged', 'none', 'true', '1', 'flagged,all'],
  },
  tuningAnnotations: {
    good: [
      ['on', 'on'],
      ['off', 'off'],
    ],
    bad: ['On', 'true', '1'],
  },
  tuningFile: {
    good: [
      ['', ''],
      ['/etc/detector/tuning.yaml', '/etc/detector/tuning.yaml'],
    ],
    bad: ['/etc/detector/'],
  },
  featuresFile: {
    good: [
      ['/etc/detector/features.yaml', '/etc/detector/features.yaml'],
      ['features.yaml', 'features.yaml'],
    ],
    bad: ['/etc/detector/', '/'],
  },
  historyDays: {
    good: [
      ['0', 0],
      ['28', 28],
    ],
    bad: ['29', '-1', '1.5', '7d'],
  },
  historyLoadPercent: {
    good: [
      ['1', 1],
      ['100', 100],
    ],
    bad: ['0', '101', '10%', '0.5'],
  },
  modelPath: {
    good: [
      ['/var/lib/k8s-anomaly-detector/model', '/var/lib/k8s-anomaly-detector/model'],
      ['model', 'model'],
    ],
    bad: ['/var/lib/', '/'],
  },
  host: {
    good: [
      ['127.0.0.1', '127.0.0.1'],
      ['::', '::'],
      ['::1', '::1'],
      ['[::1]', '::1'],
      ['[fe80::1]', 'fe80::1'],
      ['localhost', 'localhost'],
      ['exporter-1.example.org', 'exporter-1.example.org'],
    ],
    bad: [
      '[::1',
      '[::1]:8000',
      '[localhost]',
      '0.0.0.0:8000',
      'localhost:8000',
      'http://localhost',
      'local host',
      '999.0.0.1',
      ':::::',
      '-',
      '...',
      '*',
    ],
  },
  port: {
    good: [
      ['0', 0],
      ['65535', 65535],
    ],
    bad: ['65536', '-1', ':8000', 'http', '80.5', 'tcp://10.0.0.1:8000'],
  },
  webConfigFile: {
    good: [
      ['', ''],
      ['web.yaml', 'web.yaml'],
      ['/etc/detector/web-config.yml', '/etc/detector/web-config.yml'],
    ],
    bad: ['/etc/detector/', '/'],
  },
  maxRequests: {
    good: [
      ['0', 0],
      ['40', 40],
      ['10000', 10_000],
    ],
    bad: ['-1', '10001', '1.5', 'many', '4O'],
  },
  pageUrl: {
    good: [
      ['', ''],
      ['https://example.org/anomalies', 'https://example.org/anomalies'],
    ],
    bad: ['anomalies.example.org', 'javascript:alert(1)', 'https://example.org/', 'https://example.org/?a=b'],
  },
  dashboardUrl: {
    good: [
      ['', ''],
      ['https://grafana.example.org/d/k8s-anomaly-detector', 'https://grafana.example.org/d/k8s-anomaly-detector'],
      ['http://grafana/d/x?var-cluster=eu', 'http://grafana/d/x?var-cluster=eu'],
    ],
    bad: ['grafana.example.org', 'javascript:alert(1)', 'https://grafana.example.org/d/x#panel', 'https://'],
  },
  logLevel: {
    good: [
      ['debug', 'debug'],
      ['info', 'info'],
      ['warn', 'warn'],
      ['error', 'error'],
      ['silent', 'silent'],
    ],
    bad: ['DEBUG', 'trace', 'warning', '3'],
  },
  logFormat: {
    good: [
      ['json', 'json'],
      ['text', 'text'],
    ],
    bad: ['JSON', 'pretty', 'logfmt'],
  },
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
      for (const [text, value] of ROWS[name].good) {
        it(`accepts "${text}"`, () => {
          const { settings } = parseSettings(environmentWith(name, text));
          const follows = FOLLOWS[String(value)] ?? {};
          expect(settings).to.deep.equal({ ...DEFAULTS, ...NEEDS[name], ...follows, [name]: value });
        });
      }

      for (const text of ROWS[name].bad) {
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
    const refusable = names.filter((name) => ROWS[name].bad.length > 0);
    const environment = Object.fromEntries(refusable.map((name) => [SETTINGS[name].env, ROWS[name].bad[0]]));
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
