/** Texts that settings accept and refuse. */

import type { SettingName, Settings } from '../../src/exporter/config/settings.js';

/** For each setting: texts with the value that they mean, and texts that are refused. */
export const SETTING_VALUES: {
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
