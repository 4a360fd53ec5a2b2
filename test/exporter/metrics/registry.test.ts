import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { PassOutcome } from '../../../src/exporter/detection/detection.js';
import { createMetrics, FAMILIES } from '../../../src/exporter/metrics/registry.js';
import { type ExposedFamily, parseExposition } from '../../support/exposition.js';
import { passOf } from '../../support/http-fixtures.js';
import {
  detectionOf,
  NO_FINDINGS,
  NO_MODEL_PASS,
  ORDINARY_PODS,
  passTo,
  stateWith,
  UNTRAINED,
} from '../../support/metric-sources.js';

/** Those of prom-client that are exposed. */
const PROCESS_METRICS = [
  'process_cpu_user_seconds_total',
  'process_cpu_system_seconds_total',
  'process_cpu_seconds_total',
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  // These four are there on Linux only.
  'process_virtual_memory_bytes',
  'process_heap_bytes',
  'process_open_fds',
  'process_max_fds',
  'nodejs_eventloop_lag_seconds',
  'nodejs_eventloop_lag_max_seconds',
  'nodejs_eventloop_lag_p50_seconds',
  'nodejs_eventloop_lag_p90_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_active_resources',
  'nodejs_active_handles',
  'nodejs_active_requests',
  'nodejs_heap_size_total_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
  'nodejs_heap_space_size_total_bytes',
  'nodejs_heap_space_size_used_bytes',
  'nodejs_heap_space_size_available_bytes',
  'nodejs_version_info',
  'nodejs_gc_duration_seconds',
];

const OWN_NAMES = FAMILIES.map(({ name }) => name);
const NAMES = [...OWN_NAMES, ...PROCESS_METRICS];

async function exposed(outcome: PassOutcome, state = stateWith()): Promise<ExposedFamily[]> {
  const { body } = await createMetrics(() => state).render(async () => outcome);
  return [...parseExposition(body).values()];
}

/** Pages and files for operators that name metrics, in the root of the repository. */
function operatorFiles(): string[] {
  const below = (folder: string) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`);
  return ['README.md', ...below('docs'), ...below('deploy')].filter((path) => /\.(md|ya?ml|json)$/.test(path));
}

describe('the families of metrics', () => {
  let families: ExposedFamily[];

  before(async () => {
    families = await exposed(passTo(detectionOf(ORDINARY_PODS)));
  });

  for (const [what, outcome, state] of [
    ['with a model', passTo(detectionOf(ORDINARY_PODS)), stateWith()],
    ['without a model', NO_MODEL_PASS, stateWith({ model: undefined, training: UNTRAINED, findings: NO_FINDINGS })],
  ] as const) {
    it(`are all exposed ${what}, and nothing else is`, async () => {
      const names = (await exposed(outcome, state)).map(({ name }) => name);
      // Some metrics of the process are there on Linux only.
      if (process.platform === 'linux') expect(names).to.have.members(NAMES);
      else expect(NAMES).to.include.members(names);
    });
  }

  it('have no name in common', () => {
    expect([...new Set(NAMES)]).to.deep.equal(NAMES);
  });

  it('are all documented, and nothing else is', () => {
    const table = /<!-- generated: metrics -->(.*?)<!-- end: metrics -->/s;
    const tables = operatorFiles().flatMap((path) => table.exec(readFileSync(path, 'utf8'))?.[1] ?? []);
    expect(tables).to.have.lengthOf(1);
    const documented = [...(tables[0] ?? '').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(documented).to.deep.equal(OWN_NAMES);
  });

  it('are the only ones that pages, rules and dashboards name', () => {
    const known = new Set(OWN_NAMES);
    const unknown = operatorFiles().flatMap((path) =>
      [
        ...readFileSync(path, 'utf8').matchAll(
          /\b(?:k8s_anomaly_detector|anomaly_(?:exporter|feature|memory|workload|pod|node))_\w*[a-z]\b/g,
        ),
      ]
        // The upgrade page has names of the past, in a table that has a test of its own.
        .filter(([name]) => !known.has(name) && !(path === 'docs/upgrading.md' && name.startsWith('anomaly_exporter_')))
        .map(([name]) => `${path}: ${name}`),
    );
    expect(unknown).to.deep.equal([]);
  });

  const check = (say: string, isRight: (family: ExposedFamily) => boolean) =>
    it(say, () => {
      expect(families).to.have.lengthOf.at.least(OWN_NAMES.length);
      expect(families.filter((family) => !isRight(family)).map(({ name }) => name)).to.deep.equal([]);
    });

  check('end in _total where they are counters, and only there', ({ name, type }) =>
    name.endsWith('_total') ? type === 'counter' : type !== 'counter',
  );
  check(
    'measure in base units',
    ({ name }) =>
      !/_(milliseconds|ms|microseconds|minutes|hours|kilobytes|kib|megabytes|mib|percent|cores)(_|$)/.test(name),
  );
  check('put the unit last', ({ name }) => !/_(seconds|bytes)_(?!total$)/.test(name));
  check('do not repeat the type in the name', ({ name }) => !/_(gauge|counter|histogram|summary)$/.test(name));
  check('say that something succeeded in one way', ({ name }) => !/_(successful|succeeded|successes|ok)$/.test(name));
  check('explain themselves in a sentence', ({ name, help }) =>
    name.startsWith('nodejs_') || name.startsWith('process_') ? help.length > 0 : /^[A-Z].*\.$/.test(help),
  );
  check('are of this exporter, or of the process', ({ name }) =>
    /^(anomaly_((flag|score|lasting|since_timestamp_seconds|ended_timestamp_seconds)$|feature_|memory_|workload_|pod_|node_)|k8s_anomaly_detector_|process_|nodejs_)/.test(
      name,
    ),
  );
  check('carry only labels with a legal name and a value', ({ samples }) =>
    samples.every(({ labels }) =>
      Object.entries(labels).every(([label, value]) => /^[a-z_]+$/.test(label) && value !== 'undefined'),
    ),
  );
  check('have the labels of their definition', ({ name, samples }) => {
    const family = FAMILIES.find((own) => own.name === name);
    return samples.every(({ labels }) => family === undefined || Object.keys(labels).join() === family.labels.join());
  });

  it('let others have their turn, also between families that are not long themselves', async () => {
    const pods = Array.from({ length: 4_000 }, (_, pod) => ({ namespace: 'a', pod: `pod-${pod}`, score: -1 }));
    const metrics = createMetrics(stateWith);
    let turns = 0;
    let counting = true;
    const count = () => {
      turns++;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    const { body } = await metrics.render(async () => passOf(pods));
    counting = false;
    expect(turns).to.be.at.least(Math.floor(body.length / 2 ** 19));
    expect(turns).to.be.at.least(2);
  });
});
