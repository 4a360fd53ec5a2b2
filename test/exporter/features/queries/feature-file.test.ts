import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildCatalog } from '../../../../src/exporter/features/catalog.js';
import { requireSoundQueries } from '../../../../src/exporter/features/queries/check-features.js';
import {
  type FeatureSet,
  loadFeatures,
  MAXIMUM_FEATURES,
  parseFeatureFile,
} from '../../../../src/exporter/features/queries/feature-file.js';
import type { QueryOptions } from '../../../../src/exporter/features/queries/template.js';
import { PrometheusError, type PrometheusErrorKind } from '../../../../src/exporter/prometheus/errors.js';
import { MistakesError } from '../../../../src/lib/usage-error.js';
import { type FakeApi, fakeApi } from '../../../support/fake-api.js';
import { requireTool } from '../../../support/real-tools.js';
import { rejection } from '../../../support/rejection.js';
import type { FakeSample } from '../../../support/small-cluster.js';

// This file runs as dist/test/exporter/features/queries/feature-file.test.js.
const root = new URL('../../../../../', import.meta.url);
const fixtures = new URL('test/fixtures/features/', root);
const example = readFileSync(new URL('deploy/examples/features.yaml', root), 'utf8');

const OPTIONS = { namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' };

const parse = (text: string, options: Partial<QueryOptions> = {}) =>
  parseFeatureFile(text, 'features.yaml', { ...OPTIONS, ...options });

const readFixture = (name: string) => readFileSync(new URL(name, fixtures), 'utf8');

/** The mistakes of a text, without the name of the file; none fails the test. */
function mistakesOf(text: string): readonly string[] {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error;
    for (const mistake of error.mistakes) expect(mistake).to.match(/^features\.yaml:\d+:\d+: /);
    return error.mistakes.map((mistake) => mistake.slice('features.yaml:'.length));
  }
  return expect.fail('expected the text to be refused');
}

/** A feature as YAML, with other lines. */
const feature = (name: string, lines: Readonly<Record<string, string>> = {}) =>
  [
    `  - name: ${name}`,
    ...Object.entries({
      help: 'Things',
      query: `'some_metric{namespace=~"{{namespace_regex}}"}'`,
      unit: 'things',
      direction: 'up',
      spread_floor: '1',
      required: 'true',
      ...lines,
    }).map(([key, text]) => `    ${key}: ${text}`),
  ].join('\n');

/** All mistakes of each fixture: line and column, what was expected, what came; of a query its line and a caret. */
const BAD: Readonly<Record<string, readonly string[]>> = {
  'dangling-alias.bad.yaml': ['1:10: expected an anchor `&nowhere` before its use, got none.'],
  'empty.bad.yaml': ['1:1: expected a mapping with the key `features`, `builtin` or both, got nothing.'],
  'labels.bad.yaml': [
    [
      '4:12: total: query: expected the outermost aggregation to keep the labels `namespace` and `pod`, got `sum`, which drops `namespace` and `pod`. Example: sum by (namespace, pod) (…)',
      'sum(some_metric{namespace=~"{{namespace_regex}}"})',
      '^',
    ].join('\n'),
    [
      '11:12: per_namespace: query: expected the outermost aggregation to keep the labels `namespace` and `pod`, got `sum by (namespace)`, which drops `pod`. Example: sum by (namespace, pod) (…)',
      'some_metric / -(sum by (namespace) (some_metric{namespace=~"{{namespace_regex}}"}) * 100)',
      '                    ^',
    ].join('\n'),
    [
      '17:12: dropped: query: expected the outermost aggregation to keep the labels `namespace` and `kubernetes_pod`, got `max without (container, kubernetes_pod)`, which drops `kubernetes_pod`. Example: max by (namespace, kubernetes_pod) (…)',
      'max without (container, kubernetes_pod) (some_metric{namespace=~"{{namespace_regex}}"})',
      '    ^',
    ].join('\n'),
    [
      '24:12: range: query: expected a query for one value a pod, got one for a range of values for each series. A range needs a function around it, as in `rate(…[1m])`.',
      'some_metric{namespace=~"{{namespace_regex}}"}[5m]',
      '^',
    ].join('\n'),
  ],
  'list.bad.yaml': ['1:1: expected a mapping with the key `features`, `builtin` or both, got a list.'],
  'names.bad.yaml': [
    '1:16: expected each built-in feature once, got `cpu` again.',
    '3:11: expected a name of its own, got "cpu", which a built-in feature has.',
    '15:11: expected a name of its own, got "twice", which an earlier feature has.',
  ],
  'no-features.bad.yaml': ['1:1: expected at least one feature, got none. Example: builtin: [cpu, memory, restarts]'],
  'none-required.bad.yaml': ['1:1: expected a feature with `required: true`, got none: it tells which pods are there.'],
  'not-yaml.bad.yaml': [
    '2:1: invalid YAML: Flow sequence in block collection must be sufficiently indented and end with a ].',
    '4:1: invalid YAML: Sequence item without - indicator.',
  ],
  'placeholders.bad.yaml': [
    [
      '4:12: misspelled: query: expected one of the placeholders `{{namespace_regex}}`, `{{cpu_rate_window}}`, `{{memory_metric}}`, `{{pod_label}}`, `{{namespace_label}}`, `{{container_label}}`, got `{{namespace_rgex}}`. Did you mean `{{namespace_regex}}`?',
      'some_metric{namespace=~"{{namespace_rgex}}"} / {{toString}}',
      '                        ^',
    ].join('\n'),
    [
      '4:12: misspelled: query: expected one of the placeholders `{{namespace_regex}}`, `{{cpu_rate_window}}`, `{{memory_metric}}`, `{{pod_label}}`, `{{namespace_label}}`, `{{container_label}}`, got `{{toString}}`.',
      'some_metric{namespace=~"{{namespace_rgex}}"} / {{toString}}',
      '                                               ^',
    ].join('\n'),
    [
      '11:12: unquoted: query: expected `{{namespace_regex}}` between double quotes, where it is escaped, as in `namespace=~"{{namespace_regex}}"`; got it elsewhere.',
      `some_metric{namespace=~{{namespace_regex}}} + some_metric{namespace=~'{{namespace_regex}}'}`,
      '                       ^',
    ].join('\n'),
    [
      '11:12: unquoted: query: expected `{{namespace_regex}}` between double quotes, where it is escaped, as in `namespace=~"{{namespace_regex}}"`; got it elsewhere.',
      `some_metric{namespace=~{{namespace_regex}}} + some_metric{namespace=~'{{namespace_regex}}'}`,
      '                                                                      ^',
    ].join('\n'),
    [
      '17:12: absent: query: expected the query to select the namespaces of NAMESPACE_REGEX, as in `some_metric{namespace=~"{{namespace_regex}}"}`, got no `{{namespace_regex}}`.',
      '# {{namespace_regex}} in a comment does not count.',
      '^',
    ].join('\n'),
    [
      '25:12: unclosed: query: expected a closing " for the string that begins here, got the end of the query.',
      'some_metric{namespace=~"{{namespace_regex}}}',
      '                       ^',
    ].join('\n'),
  ],
  'repeated-key.bad.yaml': ['2:1: invalid YAML: Map keys must be unique.'],
  'syntax.bad.yaml': [
    [
      '4:12: block: query: expected PromQL, got `(` where it cannot stand.',
      'max by (namespace, pod, container (',
      '                                  ^',
    ].join('\n'),
    [
      '16:12: plain: query: expected PromQL, got `pod` where it cannot stand.',
      'sum by (namespace pod) (some_metric{namespace=~"{{namespace_regex}}"})',
      '                  ^',
    ].join('\n'),
    [
      '22:12: quoted: query: expected a function or an aggregation of PromQL, got `rat`.',
      'sum by (namespace, pod) (rat(some_metric{namespace=~"{{namespace_regex}}"}[5m]))',
      '                         ^',
    ].join('\n'),
    [
      '28:12: quoted_singly: query: expected PromQL, got `wihtout` where it cannot stand. Did you mean `without`?',
      `sum wihtout (namespace, pod) (some_metric{a='b',namespace=~"{{namespace_regex}}"})`,
      '    ^',
    ].join('\n'),
    [
      '34:12: cut_short: query: expected more PromQL, got the end of the query.',
      'sum by (namespace, pod) (some_metric{namespace=~"{{namespace_regex}}"}',
      '                                                                      ^',
    ].join('\n'),
    [
      '41:12: after_placeholder: query: expected PromQL, got `)` where it cannot stand.',
      'sum by (namespace, pod) (some_metric{namespace=~"{{namespace_regex}}"}) ) / 2',
      '                                                                        ^',
    ].join('\n'),
  ],
  'unknown-keys.bad.yaml': [
    '1:1: expected one of the keys `builtin`, `features`, got `builtins`. Did you mean `builtin`?',
    '2:16: expected `builtin` to be a list of `cpu`, `memory`, `restarts`, got "disk".',
    `4:5: a: query: expected PromQL of at most 8192 characters, in which {{namespace_regex}}, {{cpu_rate_window}}, {{memory_metric}}, {{pod_label}}, {{namespace_label}}, {{container_label}} may stand, got nothing. Example: query: 'sum by (namespace, pod) (some_metric{namespace=~"{{namespace_regex}}"})'`,
    '4:5: a: spread_floor: expected a number from 1e-30 to 1e30, in the unit of the feature, got nothing. Example: spread_floor: 1024',
    '6:5: a: expected one of the keys `name`, `help`, `query`, `pod_label`, `unit`, `type`, `direction`, `spread_floor`, `relative_spread_floor`, `required`, got `querry`. Did you mean `query`?',
    '9:5: a: expected one of the keys `name`, `help`, `query`, `pod_label`, `unit`, `type`, `direction`, `spread_floor`, `relative_spread_floor`, `required`, got `spread_flor`. Did you mean `spread_floor`?',
    '10:5: a: expected one of the keys `name`, `help`, `query`, `pod_label`, `unit`, `type`, `direction`, `spread_floor`, `relative_spread_floor`, `required`, got `colour`.',
  ],
  'unquoted-query.bad.yaml': [
    '3:32: invalid YAML: Unexpected scalar at node end. Write a query after `|`, on lines of its own: there it needs no quotes.',
  ],
  'wrong-values.bad.yaml': [
    '1:10: expected `builtin` to be a list of `cpu`, `memory`, `restarts`, got "cpu".',
    '3:11: Network-Receive: name: expected a name of at most 40 lower-case letters, digits and `_`, beginning with a letter, got "Network-Receive". Example: name: network_receive',
    '4:10: Network-Receive: help: expected one line of at most 200 characters that says what the values are, got nothing. Example: help: Bytes received from the network',
    `5:12: Network-Receive: query: expected PromQL of at most 8192 characters, in which {{namespace_regex}}, {{cpu_rate_window}}, {{memory_metric}}, {{pod_label}}, {{namespace_label}}, {{container_label}} may stand, got a mapping. Example: query: 'sum by (namespace, pod) (some_metric{namespace=~"{{namespace_regex}}"})'`,
    '6:16: Network-Receive: pod_label: expected a Prometheus label name, or `{{pod_label}}`, got "pod name". Example: pod_label: pod',
    '7:11: Network-Receive: unit: expected one line of at most 40 characters: the unit of the values, got a list. Example: unit: bytes per second',
    '8:16: Network-Receive: direction: expected `both` (a rise or a fall is a fault), `up` (only a rise is) or `brief_falls` (a fall is one in its first minutes), got "down". Example: direction: both',
    '9:19: Network-Receive: spread_floor: expected a number from 1e-30 to 1e30, in the unit of the feature, got -1. Example: spread_floor: 1024',
    '10:15: Network-Receive: required: expected `true` (a pod without it is not scored) or `false` (it reads as 0 there), got "yes". Example: required: false',
    '11:5: feature 2: expected a mapping with the keys `name`, `help`, `query`, `pod_label`, `unit`, `type`, `direction`, `spread_floor`, `relative_spread_floor`, `required`, got "just text".',
  ],
};

describe('parseFeatureFile', () => {
  it('has a row for each bad fixture', () => {
    const files = readdirSync(fixtures).filter((name) => name.endsWith('.bad.yaml'));
    expect(Object.keys(BAD)).to.have.members(files);
  });

  for (const [name, mistakes] of Object.entries(BAD)) {
    it(`tells all mistakes of ${name}`, () => {
      expect(mistakesOf(readFixture(name))).to.deep.equal(mistakes);
    });
  }

  it('takes built-in features over as they are, in their own order', () => {
    const [cpu, memory, restarts] = buildCatalog(OPTIONS);
    expect(parse(readFixture('minimal.good.yaml')).features).to.deep.equal([cpu, memory]);
    expect(parse('builtin: [restarts, memory, cpu]').features).to.deep.equal([cpu, memory, restarts]);
  });

  it('reads features of its own, and only those', () => {
    const { features } = parse(readFixture('own.good.yaml'), { podLabel: 'pod_name', cpuRateWindow: '5m' });
    expect(features).to.deep.equal([
      {
        name: 'working_set',
        unit: 'bytes',
        type: 'gauge',
        help: 'Memory in use: without inactive page cache',
        query:
          'sum by (namespace, pod_name) (\n  max by (namespace, pod_name, container_name)\n' +
          '  (container_memory_working_set_bytes{namespace=~".*"})\n) # not "closed',
        podLabel: 'pod_name',
        direction: 'up',
        spreadFloor: 1e6,
        relativeSpreadFloor: 0.1,
        required: true,
      },
      {
        name: 'disk_read',
        unit: 'bytes',
        type: 'gauge',
        help: 'Bytes read',
        query: `sum(rate(fs_reads_bytes_total{namespace=~".*",it!='s'}[5m])) by (namespace, pod)`,
        podLabel: 'pod',
        direction: 'both',
        spreadFloor: 0.5,
        relativeSpreadFloor: 0.1,
        required: false,
      },
    ]);
  });

  it('tells where each feature of the file is', () => {
    const { places } = parse(`builtin: [cpu]\nfeatures:\n${feature('a')}\n${feature('b')}`);
    expect(Object.fromEntries(places)).to.deep.equal({ a: 'features.yaml:3:5', b: 'features.yaml:10:5' });
  });

  it('judges the labels by the label of the pod, which may come from POD_LABEL', () => {
    const query = `'sum by (namespace, pod_name) (a{namespace=~"{{namespace_regex}}"})'`;
    const text = `features:\n${feature('a', { pod_label: "'{{pod_label}}'", query })}`;
    expect(parse(text, { podLabel: 'pod_name' }).features[0]?.podLabel).to.equal('pod_name');
    expect(mistakesOf(text)[0]).to.include('which drops `pod`.');
  });

  it('judges the labels by the label of the namespace, which may come from NAMESPACE_LABEL and is renamed then', () => {
    const query = `'sum by ({{namespace_label}}, pod) (a{{{namespace_label}}=~"{{namespace_regex}}"}) # all'`;
    const text = `features:\n${feature('a', { query })}`;
    expect(parse(text).features[0]?.query).to.equal('sum by (namespace, pod) (a{namespace=~".*"}) # all');
    expect(parse(text, { namespaceLabel: 'exported_namespace' }).features[0]?.query).to.equal(
      'label_replace(sum by (exported_namespace, pod) (a{exported_namespace=~".*"}) # all\n, ' +
        '"namespace", "$1", "exported_namespace", "(.+)")',
    );
    const plain = `features:\n${feature('a', { query: `'sum by (namespace, pod) (a{namespace=~"{{namespace_regex}}"})'` })}`;
    expect(parse(plain, { namespaceLabel: 'exported_namespace' }).features).to.deep.equal(parse(plain).features);
  });

  it('finds the mistake for any namespaces: what fills a placeholder does not move it', () => {
    const text = `features:\n${feature('a', { query: `'a{namespace=~"{{namespace_regex}}"} b'` })}`;
    for (const namespaceRegex of ['', 'a', 'a"\\d+'.repeat(50)]) {
      expect(() => parse(text, { namespaceRegex })).to.throw(
        'features.yaml:4:12: a: query: expected PromQL, got `b` where it cannot stand.\n' +
          '    a{namespace=~"{{namespace_regex}}"} b\n' +
          `    ${' '.repeat(36)}^`,
      );
    }
  });

  it('does not let the namespaces out of their quotes', () => {
    const { features } = parse(`features:\n${feature('a')}`, { namespaceRegex: 'a\\d"} or up{job=~"' });
    expect(features[0]?.query).to.equal('some_metric{namespace=~"a\\\\d\\"} or up{job=~\\""}');
  });

  it('reads lines that end as on Windows', () => {
    const text = `features:\n${feature('a', { query: `|\n      a{namespace=~"{{namespace_regex}}"}\n      b` })}`;
    expect(mistakesOf(text)).to.deep.equal(mistakesOf(text.replaceAll('\n', '\r\n')));
    expect(mistakesOf(text)[0]).to.match(/^4:12: .*\nb\n\^$/);
  });

  it('checks a query that is an alias, where the alias is', () => {
    const own = { query: '&q b' };
    const text = `features:\n${feature('a', own)}\n${feature('c', { query: '*q' })}`;
    expect(mistakesOf(text).map((mistake) => mistake.slice(0, mistake.indexOf(', as in')))).to.deep.equal([
      '4:15: a: query: expected the query to select the namespaces of NAMESPACE_REGEX',
      '11:12: c: query: expected the query to select the namespaces of NAMESPACE_REGEX',
    ]);
  });

  it('cuts a long line around the mistake', () => {
    const long = `'a{b=~"${'x'.repeat(500)}"} ?? a{b=~"${'x'.repeat(500)}"}'`;
    const [, line = '', caret = ''] = mistakesOf(`features:\n${feature('a', { query: long })}`)[0]?.split('\n') ?? [];
    expect(line).to.have.lengthOf(100);
    expect(line.charAt(caret.length - 1)).to.equal('?');
  });

  it(`takes ${MAXIMUM_FEATURES} features and no more, the built-in ones included`, () => {
    const file = (count: number) =>
      `builtin: [cpu]\nfeatures:\n${Array.from({ length: count - 1 }, (_, index) => feature(`f${index}`)).join('\n')}`;
    expect(parse(file(MAXIMUM_FEATURES)).features).to.have.lengthOf(MAXIMUM_FEATURES);
    expect(mistakesOf(file(MAXIMUM_FEATURES + 1))).to.deep.equal(['1:1: expected at most 16 features, got 17.']);
  });

  it('refuses aliases that blow up', () => {
    const text = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef'])
      text.push(`${to}: &${to} [${Array.from({ length: 9 }, () => `*${from}`).join(', ')}]`);
    expect(mistakesOf(text.join('\n'))).to.deep.equal([
      '6:20: expected at most 300,000 keys and values, where an alias counts as all that it stands for, got more.',
    ]);
  });

  const floors: readonly (readonly [text: string, got: string])[] = [
    ['0', '0'],
    ['-1', '-1'],
    ['.nan', 'NaN'],
    ['.inf', 'Infinity'],
    ["'1'", '"1"'],
    ['1Ki', '"1Ki"'],
    ['~', 'nothing'],
  ];
  for (const [text, got] of floors) {
    it(`refuses ${text} for a smallest spread`, () => {
      expect(mistakesOf(`features:\n${feature('a', { spread_floor: text })}`)).to.deep.equal([
        `7:19: a: spread_floor: expected a number from 1e-30 to 1e30, in the unit of the feature, got ${got}. Example: spread_floor: 1024`,
      ]);
    });
  }
});

describe('deploy/examples/features.yaml', () => {
  it('adds network, throttling and working set to the built-in features', () => {
    const { features } = parse(example);
    expect(features.slice(0, 3)).to.deep.equal(buildCatalog(OPTIONS));
    expect(
      features.slice(3).map(({ name, unit, direction, required }) => [name, unit, direction, required]),
    ).to.deep.equal([
      ['network_receive', 'bytes per second', 'both', false],
      ['network_transmit', 'bytes per second', 'both', false],
      ['cpu_throttling', 'ratio', 'up', false],
      ['memory_working_set', 'bytes', 'both', false],
    ]);
  });

  it('is PromQL, types included, to promtool', function () {
    requireTool(this, 'promtool');
    const directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-features-'));
    try {
      const rules = parse(example, { namespaceRegex: 'a"b|c\\d' }).features.map(({ name, query }) => ({
        record: `feature:${name}`,
        expr: query,
      }));
      const file = join(directory, 'rules.yaml');
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'features', rules }] }));
      const { status, stderr, stdout } = spawnSync('promtool', ['check', 'rules', file], {
        encoding: 'utf8',
      });
      expect(status, stderr).to.equal(0);
      expect(stdout).to.include(`${rules.length} rules found`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('loadFeatures', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-features-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const mistakesAt = async (path: string) => (await rejection(loadFeatures(path, OPTIONS), MistakesError)).mistakes;

  it('gives the built-in features without a file', async () => {
    const { features, places } = await loadFeatures('', OPTIONS);
    expect(features).to.deep.equal(buildCatalog(OPTIONS));
    expect(places.size).to.equal(0);
  });

  it('reads the file', async () => {
    const path = join(directory, 'features.yaml');
    // As some editors on Windows write it.
    writeFileSync(path, `\uFEFF${example}`);
    expect((await loadFeatures(path, OPTIONS)).features).to.deep.equal(parse(example).features);
  });

  it('names the file in its mistakes', async () => {
    const path = join(directory, 'features.yaml');
    writeFileSync(path, 'features: []');
    expect((await mistakesAt(path))[0]).to.include(`${path}:1:1: expected at least one feature`);
  });

  const EXAMPLE = 'Example: FEATURES_FILE="/etc/detector/features.yaml"';
  const unreadable: readonly (readonly [what: string, make: (path: string) => void, reason: string])[] = [
    ['a file that is not there', () => {}, 'no such file'],
    ['a directory', (path) => mkdirSync(path), 'it is a directory'],
    [
      'a file of more than 1 MiB',
      (path) => writeFileSync(path, '#'.repeat(2 ** 20 + 1)),
      'it has 1048577 bytes, more than 1 MiB',
    ],
    ['a file that is not text', (path) => writeFileSync(path, Uint8Array.of(0xff, 0xfe, 0)), 'it is not valid UTF-8'],
  ];
  for (const [what, make, reason] of unreadable) {
    it(`refuses ${what}`, async () => {
      const path = join(directory, 'odd.yaml');
      make(path);
      expect(await mistakesAt(path)).to.deep.equal([`FEATURES_FILE: cannot read ${path}: ${reason}. ${EXAMPLE}`]);
    });
  }

  it('refuses what has no end', async () => {
    expect(await mistakesAt('/dev/zero')).to.deep.equal([
      `FEATURES_FILE: cannot read /dev/zero: it is not a regular file. ${EXAMPLE}`,
    ]);
  });
});

describe('requireSoundQueries', () => {
  const { signal } = new AbortController();
  const set: FeatureSet = parse(`builtin: [cpu]\nfeatures:\n${feature('own')}`);
  const [cpu, own] = set.features;

  const ask = (api: FakeApi) => requireSoundQueries(api, set, 600, signal);

  /** Asks all; `answer` gives the series of the feature `own`, or fails. */
  const check = (answer: () => readonly FakeSample[]) =>
    ask(fakeApi((query) => (query === own?.query ? answer() : [])));

  const mistakes = async (asking: Promise<unknown>) => (await rejection(asking, Error)).message;

  const failing = (kind: PrometheusErrorKind) => () => {
    throw new PrometheusError(kind, 'It went wrong.');
  };

  it('asks each query once, at the same instant', async () => {
    const api = fakeApi(() => []);
    await ask(api);
    expect(api.asked.map(({ kind, query, startSeconds }) => ({ kind, query, startSeconds }))).to.deep.equal(
      [cpu, own].map((one) => ({ kind: 'instant', query: one?.query, startSeconds: 600 })),
    );
    for (const asked of api.asked) expect(asked.signal).to.equal(signal);
  });

  for (const kind of ['bad_query', 'unprocessable', 'bad_answer'] as const) {
    it(`blames ${kind} on the query, with its place`, async () => {
      expect(await mistakes(check(failing(kind)))).to.equal('Feature own (features.yaml:3:5): It went wrong.');
    });
  }

  for (const kind of ['refused', 'timeout', 'unavailable', 'unauthorized', 'aborted', 'rate_limited'] as const) {
    it(`does not blame ${kind} on the query`, async () => {
      await check(failing(kind));
    });
  }

  it('names a built-in feature as such, and tells of all', async () => {
    const api = fakeApi(failing('bad_query'));
    expect(await mistakes(ask(api))).to.equal(
      'Feature cpu (built in): It went wrong. Feature own (features.yaml:3:5): It went wrong.',
    );
  });

  it('is content with series of which one tells its pod', async () => {
    const rows = [
      { labels: { job: 'x' }, value: 1 },
      { labels: { namespace: 'ns', pod: 'a' }, value: 1 },
    ];
    const seen = await check(() => rows);
    expect([...seen]).to.have.deep.members([
      [cpu?.query, 0],
      [own?.query, 2],
    ]);
    await ask(fakeApi(() => rows));
  });

  it('refuses an answer in which no series tells its pod', async () => {
    const answer = 'Expected the answer to `some_metric{namespace=~".*"}` to have the labels namespace and pod, got ';
    expect(await mistakes(check(() => [{ labels: { namespace: 'ns', job: 'x' }, value: 1 }]))).to.equal(
      `Feature own (features.yaml:3:5): ${answer}1 series, none of which has both (labels of the first: job and namespace).`,
    );
    expect(await mistakes(check(() => [{ labels: {}, value: 1 }]))).to.equal(
      `Feature own (features.yaml:3:5): ${answer}1 series, none of which has both (labels of the first: none).`,
    );
  });

  it('does not hide an error of the program', async () => {
    const error = await rejection(
      check(() => {
        throw new RangeError('A mistake of ours.');
      }),
      RangeError,
    );
    expect(error.message).to.equal('A mistake of ours.');
  });
});
