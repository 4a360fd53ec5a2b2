import { expect } from 'chai';
import { describeAnswer, type Gathering, gatherFacts, sourcesOf } from '../../../src/exporter/check/gather.js';
import { usualDistance } from '../../../src/exporter/check/gather-source.js';
import { buildPhaseQueries } from '../../../src/exporter/features/pod-phase.js';
import type { PrometheusServerApi } from '../../../src/exporter/prometheus/api.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { parseTuningFile } from '../../../src/exporter/tuning/tuning-file.js';
import { CONDITIONS, known } from '../../support/check-facts.js';
import { type FakeApi, fakeApi } from '../../support/fake-api.js';
import { rejection } from '../../support/rejection.js';
import { type FakeSample, FEATURES, OWNER_QUERIES, PHASE_QUERIES } from '../../support/small-cluster.js';

const NOW = 1_767_268_800;

const pods = ['cart-0', 'cart-1'].map((pod) => ({ labels: { namespace: 'shop', pod }, value: 1 }));
const single = (value: number): FakeSample[] => [{ labels: {}, value }];

/** Each query by the first pattern that it matches; nothing without a match. */
function serverOf(answers: readonly (readonly [RegExp, readonly FakeSample[]])[]): FakeApi & PrometheusServerApi {
  const api = fakeApi((query) => answers.find(([pattern]) => pattern.test(query))?.[1] ?? []);
  return Object.assign(api, {
    buildInfo: async () => ({ application: undefined, version: '2.42.0', revision: 'x' }),
    currentTimeSeconds: async () => NOW + 7,
  });
}

const FINE_ANSWERS: readonly (readonly [RegExp, readonly FakeSample[]])[] = [
  [/^(?:sum|max) by/, pods],
  [/^count\(count by .*> 1\)$/, []],
  [/^count by \(cluster/, single(4)],
  [/^max\(timestamp/, single(NOW - 10)],
  [/^topk\(3/, [{ labels: { __name__: 'x', pod: 'a"b', instance: 'node-1' }, value: 1 }]],
  [/^count\(/, single(4)],
];

const gathering = (api: PrometheusServerApi, replaced: Partial<Gathering> = {}): Gathering => ({
  api,
  features: FEATURES,
  ownerQueries: OWNER_QUERIES,
  phaseQueries: PHASE_QUERIES,
  training: CONDITIONS.training,
  historyDays: 7,
  nowSeconds: () => NOW,
  signal: new AbortController().signal,
  ...replaced,
});

describe('gathering of facts', () => {
  it('asks some three dozen questions, and fetches only what a scrape fetches', async () => {
    const api = serverOf(FINE_ANSWERS);
    const facts = await gatherFacts(gathering(api));
    expect(api.asked.length).to.be.within(25, 40);
    const fetched = api.asked.filter(({ query }) => !/^(?:count|max\(timestamp|topk|timestamp|sum\()\b/.test(query));
    expect(fetched.map(({ query }) => query)).to.have.members(FEATURES.map(({ query }) => query));
    expect(facts.clock).to.deep.equal({
      known: true,
      value: { skewSeconds: 7, uncertaintySeconds: 0 },
    });
    expect(facts.sources.map(({ series }) => series)).to.deep.equal(
      Array.from({ length: 4 }, () => ({ known: true, value: 4 })),
    );
    expect(facts.features.map(({ answer }) => answer.known && [...answer.value.pods])).to.deep.equal(
      Array.from({ length: 3 }, () => ['shop/cart-0', 'shop/cart-1']),
    );
  });

  it('asks for the size of memory by each metric of it', async () => {
    const sumOf = (metric: string) => new RegExp(`^sum\\(container_memory_${metric}\\{container!="",container!="POD"`);
    const api = serverOf([
      [sumOf('usage_bytes'), single(100)],
      [sumOf('working_set_bytes'), single(70)],
      ...FINE_ANSWERS,
    ]);
    const { memory } = await gatherFacts(gathering(api));
    expect(memory).to.deep.equal(known({ used: ['usage'], bytes: { usage: 100, working_set: 70, rss: 0 } }));
    const without = serverOf(FINE_ANSWERS);
    const features = FEATURES.filter(({ name }) => name !== 'memory');
    expect((await gatherFacts(gathering(without, { features }))).memory).to.deep.equal(
      known({ used: [], bytes: { usage: 0, working_set: 0, rss: 0 } }),
    );
    expect(without.asked.filter(({ query }) => query.startsWith('sum('))).to.deep.equal([]);
  });

  it('asks at the instant that scrapes ask at, and compares clocks now', async () => {
    const api = serverOf(FINE_ANSWERS);
    // A whole minute.
    const facts = await gatherFacts(gathering(api, { queryOffsetSeconds: 270 }));
    expect(Math.max(...api.asked.map(({ endSeconds }) => endSeconds))).to.equal(NOW - 300);
    expect(facts.clock).to.deep.include({ value: { skewSeconds: 7, uncertaintySeconds: 0 } });
    // The newest sample of this server is 10 s older than now, so it is newer than what is asked for.
    expect(facts.sources[0]?.newestAgeSeconds).to.deep.equal({ known: true, value: -290 });
  });

  it('looks for the past only as far as it is remembered', async () => {
    const api = serverOf(FINE_ANSWERS);
    const { pastDays } = await gatherFacts(gathering(api, { historyDays: 2 }));
    expect(pastDays).to.deep.equal({ known: true, value: { reachSeconds: 2 * 86_400, stepSeconds: 21_600 } });
    const without = serverOf(FINE_ANSWERS);
    const facts = await gatherFacts(gathering(without, { historyDays: 0 }));
    expect(facts.pastDays).to.deep.equal({ known: true, value: { reachSeconds: undefined, stepSeconds: 21_600 } });
    expect(without.asked.length).to.equal(api.asked.length - 1);
  });

  it('puts label values into a query as text', async () => {
    const api = serverOf(FINE_ANSWERS);
    await gatherFacts(gathering(api));
    const queries = api.asked.map(({ query }) => query).filter((query) => query.startsWith('timestamp('));
    expect(queries[0]).to.equal('timestamp(container_cpu_usage_seconds_total{pod="a\\"b",instance="node-1"})');
  });

  it('puts the names of labels into a query in quotes where they need some', async () => {
    const copy = (cluster: string) => ({
      labels: { namespace: 'shop', pod: 'a', container: 'b', 'k8s.cluster.name': cluster },
      value: 1,
    });
    const api = serverOf([
      [/^topk\(3/, [copy('eu')]],
      [/ and on \(/, [copy('eu'), copy('us')]],
      [/^topk\(10, count by \("k8s\.cluster\.name"\)/, [copy('eu'), copy('us')]],
      [/^count\(count by .*> 1\)$/, single(6)],
      ...FINE_ANSWERS,
    ]);
    const { sources } = await gatherFacts(gathering(api));
    expect(sources[0]?.clusters).to.deep.equal(
      known([{ label: 'k8s.cluster.name', values: ['eu', 'us'], collisions: 6 }]),
    );
    const unquoted = api.asked.map(({ query }) => query).filter((query) => /(?<!")k8s\.cluster/.test(query));
    expect(unquoted).to.deep.equal([]);
  });

  it('asks which pods have ended where some have no usage, and only there', async () => {
    const askedFor = async (answers: Parameters<typeof serverOf>[0]) => {
      const api = serverOf(answers);
      const facts = await gatherFacts(gathering(api));
      const asked = api.asked.filter(({ query }) => query.endsWith('== 1')).length;
      return { idlePods: facts.idlePods, nodes: facts.nodes, asked };
    };
    expect(await askedFor(FINE_ANSWERS)).to.deep.equal({ idlePods: known(new Map()), nodes: known([]), asked: 0 });
    const job = { labels: { namespace: 'shop', pod: 'job-0' }, value: 1 };
    const withJob = await askedFor([
      [
        /^kube_pod_status_phase\{phase=~"Pending\|Succeeded\|Failed"/,
        [{ ...job, labels: { ...job.labels, phase: 'Failed' } }],
      ],
      [/^max by .*restarts/, [...pods, job]],
      ...FINE_ANSWERS,
    ]);
    expect(withJob).to.deep.equal({
      idlePods: known(new Map([['shop/job-0', 'completed']])),
      nodes: known([]),
      asked: 1,
    });
  });

  it('asks on which nodes pods without usage are, and only then', async () => {
    const infoOf = (pod: string, node: string) => ({ labels: { namespace: 'shop', pod, node }, value: 1 });
    const lost = ['win-0', 'win-1'].map((pod) => ({ labels: { namespace: 'shop', pod }, value: 0 }));
    const api = serverOf([
      [/^max by .*restarts/, [...pods, ...lost]],
      [
        // Of two kube-state-metrics, each pod once.
        /^max by \(namespace, pod, node\) \(kube_pod_info\{cluster="x",namespace=~".*"\}\)$/,
        [infoOf('cart-0', 'a'), infoOf('cart-1', 'b'), infoOf('win-0', 'w'), infoOf('win-1', 'a')],
      ],
      [
        // Nodes of another cluster may have the same names.
        /^max by \(node, os_image, container_runtime_version\) \(kube_node_info\{cluster="x"\}\)$/,
        [{ labels: { node: 'w', os_image: 'Windows', container_runtime_version: 'containerd://1' }, value: 1 }],
      ],
      ...FINE_ANSWERS,
    ]);
    const matchers = 'cluster="x"';
    const phaseQueries = buildPhaseQueries({ namespaceRegex: '.*', matchers });
    const { nodes } = await gatherFacts(gathering(api, { matchers, phaseQueries }));
    expect(nodes).to.deep.equal(
      known([
        { name: 'a', osImage: '', runtime: '', unmeasuredPods: ['shop/win-1'], measured: 1 },
        { name: 'w', osImage: 'Windows', runtime: 'containerd://1', unmeasuredPods: ['shop/win-0'], measured: 0 },
      ]),
    );
    const fine = serverOf(FINE_ANSWERS);
    await gatherFacts(gathering(fine));
    expect(fine.asked.filter(({ query }) => /_info/.test(query))).to.deep.equal([]);
  });

  it('finds the rules that match no pod, by the owners of the pods', async () => {
    const tuningFile = parseTuningFile(
      `rules:
  - { match: { namespace: shop, workload: basket }, ignore: true }
  - { match: { pod: cart-7 }, ignore: true }
  - { match: { namespace: sho }, ignore: true }
`,
      'tuning.yaml',
    );
    const owner = { namespace: 'shop', pod: 'cart-0', owner_kind: 'StatefulSet', owner_name: 'basket' };
    const api = serverOf([
      [/^kube_pod_owner/, [{ labels: owner, value: 1 }]],
      [/^kube_/, []],
      [/^(?:sum|max) by \(namespace, pod/, [{ labels: { namespace: 'shop', pod: 'cart-0' }, value: 1 }]],
      ...FINE_ANSWERS.slice(1),
    ]);
    const { idleRules } = await gatherFacts(gathering(api, { tuningFile }));
    expect(idleRules).to.deep.equal(known(['tuning.yaml:3:5', 'tuning.yaml:4:5']));
    // What a training has found is not asked for again.
    const isOfOwners = ({ query }: { readonly query: string }) => /^kube_\w+_owner/.test(query);
    const askedBefore = api.asked.filter(isOfOwners).length;
    expect(askedBefore).to.be.above(0);
    const trained = gathering(api, { tuningFile, workloadOf: () => 'basket' });
    expect((await gatherFacts(trained)).idleRules).to.deep.equal(idleRules);
    expect(api.asked.filter(isOfOwners)).to.have.lengthOf(askedBefore);
  });

  it('does not know which rules match no pod while a feature does not answer', async () => {
    const tuningFile = parseTuningFile('rules: [{ match: { namespace: shop }, ignore: true }]', 'tuning.yaml');
    const api = serverOf(FINE_ANSWERS);
    api.before = ({ query }) =>
      /^(?:sum|max) by/.test(query)
        ? Promise.reject(new PrometheusError('rate_limited', 'Slow down.'))
        : Promise.resolve();
    const { idleRules } = await gatherFacts(gathering(api, { tuningFile }));
    expect(idleRules.known).to.equal(false);
  });

  it('has at most four questions open at a time', async () => {
    const api = serverOf(FINE_ANSWERS);
    let open = 0;
    let most = 0;
    api.before = async () => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 2));
      open--;
    };
    await gatherFacts(gathering(api));
    expect(most).to.be.within(3, 4);
  });

  it('finds the matcher without which there are series', async () => {
    const api = serverOf([
      [/^count\(container_memory_usage_bytes\{container_name!="",container_name!="POD"\}\)$/, []],
      [/^count\(container_memory_usage_bytes\{namespace=~"\.\*"\}\)$/, single(9)],
      [/^count\(container_memory_usage_bytes\)$/, single(12)],
      [/^topk\(1, container_memory_usage_bytes\)$/, [{ labels: { pod: 'a' }, value: 1 }]],
    ]);
    const [, memory] = FEATURES;
    const query = memory?.query.replaceAll('container!=', 'container_name!=') ?? '';
    const features = [{ ...(memory as (typeof FEATURES)[number]), query }];
    const { sources } = await gatherFacts(gathering(api, { features }));
    expect(sources[0]?.emptiness).to.deep.equal({
      known: true,
      value: {
        seriesOfMetric: 12,
        blamed: [{ label: 'container_name', text: 'container_name!="",container_name!="POD"' }],
        example: { pod: 'a' },
      },
    });
  });

  it('tells copies by the labels in which they differ', async () => {
    const copy = (job: string) => ({ labels: { namespace: 'shop', pod: 'a', job }, value: 1 });
    const api = serverOf([
      [/ and on \(/, [copy('two'), copy('one')]],
      [/^count\(count by .*> 1\)$/, single(6)],
      [/^topk\(1, count by/, [{ labels: { namespace: 'shop', pod: 'a' }, value: 2 }]],
      ...FINE_ANSWERS,
    ]);
    const { sources } = await gatherFacts(gathering(api));
    expect(sources[0]?.duplicates).to.deep.equal({
      known: true,
      value: { things: 6, differing: [{ label: 'job', values: ['one', 'two'] }] },
    });
  });

  it('tells clusters apart, and what they have in common', async () => {
    const api = serverOf([
      [
        /^count by \(cluster/,
        [
          { labels: { cluster: 'us' }, value: 1 },
          { labels: { cluster: 'eu' }, value: 1 },
        ],
      ],
      [/^count\(count by \(namespace, pod, container\) \(count by \(namespace, pod, container, cluster\)/, single(2)],
      ...FINE_ANSWERS,
    ]);
    const { sources } = await gatherFacts(gathering(api));
    expect(sources[0]?.clusters).to.deep.equal({
      known: true,
      value: [{ label: 'cluster', values: ['eu', 'us'], collisions: 2 }],
    });
  });

  it('takes no pod that has just moved for a copy, nor for one of another cluster', async () => {
    const api = serverOf([
      [/^count\(count by .*> 1 and .* offset 10m\)\) > 1\)$/, []],
      [/^count\(count by .*> 1\)$/, single(6)],
      ...FINE_ANSWERS,
    ]);
    const { sources } = await gatherFacts(gathering(api));
    expect(sources[0]?.duplicates).to.deep.equal(known({ things: 0, differing: [] }));
    expect(sources[0]?.clusters).to.deep.equal(known([]));
    expect(api.asked.filter(({ query }) => query.includes(' and on ('))).to.deep.equal([]);
  });

  it('finds what is there twice where nothing is older than that', async () => {
    const copy = (job: string) => ({ labels: { namespace: 'shop', pod: 'a', container: 'b', job }, value: 1 });
    const api = serverOf([
      [/^count\(.* offset 10m\)/, []],
      [/ and on \(/, [copy('two'), copy('one')]],
      [/^count\(count by .*> 1\)$/, single(6)],
      ...FINE_ANSWERS,
    ]);
    const { sources } = await gatherFacts(gathering(api));
    expect(sources[0]?.duplicates).to.deep.include(
      known({ things: 6, differing: [{ label: 'job', values: ['one', 'two'] }] }),
    );
  });

  it('finds clusters by a label of any name, with a bounded number of its values', async () => {
    const values = Array.from({ length: 30 }, (_, index) => `c${String(index).padStart(2, '0')}`);
    const copy = (site: string) => ({
      labels: { namespace: 'shop', pod: 'a', container: 'b', site, node: site },
      value: 1,
    });
    const api = serverOf([
      [/ and on \(/, values.map(copy)],
      [/^topk\(10, count by \(site\)/, values.slice(0, 10).map((site) => ({ labels: { site }, value: 1 }))],
      [/^count\(count by \(namespace, pod, container, site\) \(count without/, []],
      [/^count\(count by .*> 1\)$/, single(6)],
      ...FINE_ANSWERS,
    ]);
    const { sources } = await gatherFacts(gathering(api));
    const memory = sources.find(({ selector }) => selector.metric === 'container_memory_usage_bytes');
    expect(memory?.clusters).to.deep.equal(known([{ label: 'site', values: values.slice(0, 10), collisions: 6 }]));
    expect(memory?.duplicates).to.deep.equal(known({ things: 0, differing: [] }));
  });

  it('counts containers with cores beside the whole only where there are several values of cpu', async () => {
    const mixedIn = async (cpus: readonly string[]) => {
      const api = serverOf([
        [/^count by \(cpu\)/, cpus.map((cpu) => ({ labels: cpu === '' ? {} : { cpu }, value: 1 }))],
        [/cpu=~"total\|"/, single(3)],
        ...FINE_ANSWERS,
      ]);
      const { sources } = await gatherFacts(gathering(api));
      return sources.map(({ mixedCores }) => mixedCores?.known && mixedCores.value);
    };
    expect(await mixedIn(['total'])).to.deep.equal([0, 0, 0, 0]);
    expect(await mixedIn([''])).to.deep.equal([0, 0, 0, 0]);
    expect(await mixedIn(['cpu00', 'cpu01'])).to.deep.equal([0, 0, 0, 0]);
    expect(await mixedIn(['total', 'cpu00'])).to.deep.equal([3, 0, 0, 0]);
    expect(await mixedIn(['total', ''])).to.deep.equal([3, 0, 0, 0]);
  });

  it('sees the labels that Prometheus has renamed, but not those of an application', async () => {
    const example = {
      labels: {
        namespace: 'kube-system',
        exported_namespace: 'shop',
        exported_pod: 'a',
        container_label_io_kubernetes_container_name: 'b',
      },
      value: 1,
    };
    const api = serverOf([[/^topk\(3/, [example]], ...FINE_ANSWERS]);
    const own = { ...(FEATURES[0] as (typeof FEATURES)[number]), query: 'max by (namespace, pod) (http_requests)' };
    const { sources } = await gatherFacts(gathering(api, { features: [...FEATURES, own] }));
    const exported = ['exported_namespace', 'exported_pod', 'container_label_io_kubernetes_container_name'];
    expect(sources.map((source) => source.exported)).to.deep.equal([
      ...Array.from({ length: 4 }, () => known(exported)),
      known([]),
    ]);
  });

  it('counts pods by the kind of their owner', async () => {
    const kinds = { ReplicaSet: 5, Job: 2, '': 1 };
    const rows = Object.entries(kinds).map(([kind, value]) => ({ labels: { owner_kind: kind }, value }));
    const api = serverOf([[/^count by \(owner_kind\)/, rows], [/^count\(kube_job_owner/, []], ...FINE_ANSWERS]);
    const { kubeStateMetrics } = await gatherFacts(gathering(api));
    expect(kubeStateMetrics).to.deep.equal(
      known({ podOwners: 8, replicaSetPods: 5, jobPods: 2, replicaSetOwners: 4, jobOwners: 0, podPhases: 4 }),
    );
  });

  it('goes on without an answer, and remembers why', async () => {
    const busy = new PrometheusError('rate_limited', 'Slow down.');
    const api = serverOf(FINE_ANSWERS);
    api.before = ({ query }) => {
      if (/^max\(timestamp\(container_cpu/.test(query)) throw busy;
    };
    api.warnings = ['A store is down.'];
    const { sources, warnings } = await gatherFacts(gathering(api));
    expect(sources[0]?.newestAgeSeconds).to.deep.equal({ known: false, because: 'Slow down.', error: busy });
    expect(sources[1]?.newestAgeSeconds).to.deep.equal({ known: true, value: 10 });
    expect(warnings).to.deep.equal(['A store is down.']);
  });

  it('knows nothing of a clock that the server does not tell', async () => {
    const api = Object.assign(serverOf(FINE_ANSWERS), { currentTimeSeconds: async () => Number.NaN });
    const { clock } = await gatherFacts(gathering(api));
    expect(clock).to.deep.equal({ known: false, because: 'Prometheus did not answer what time it has.' });
  });

  it('gives up when the first question is not answered', async () => {
    const api = serverOf(FINE_ANSWERS);
    const away = new PrometheusError('refused', 'Nobody there.');
    const error = await rejection(
      gatherFacts(gathering(Object.assign(api, { currentTimeSeconds: () => Promise.reject(away) }))),
      PrometheusError,
    );
    expect(error).to.equal(away);
    expect(api.asked).to.deep.equal([]);
  });

  it('does not hide an error of the program', async () => {
    const api = serverOf(FINE_ANSWERS);
    api.before = () => {
      throw new TypeError('x is not a function');
    };
    await rejection(gatherFacts(gathering(api)), TypeError);
  });

  it('knows each selector once, with all that read it', () => {
    const query = 'sum by (namespace, pod) (a_total) / sum by (namespace, pod) (b)';
    const feature = { ...(FEATURES[0] as (typeof FEATURES)[number]), query };
    const sources = sourcesOf([
      { ...feature, name: 'one', required: false },
      { ...feature, name: 'two', query: 'b' },
    ]);
    expect(sources.map(({ selector, features, required }) => [selector.text, features, required])).to.deep.equal([
      ['a_total', ['one'], false],
      ['b', ['one', 'two'], true],
    ]);
  });
});

describe('an answer to the query of a feature', () => {
  const END = 600;
  const series = (...samples: (readonly [pod: string, seconds: readonly number[]])[]) => {
    const timestampsSeconds = Float64Array.from(samples.flatMap(([, seconds]) => seconds));
    const offsets = new Uint32Array(samples.length + 1);
    samples.forEach(([, seconds], index) => {
      offsets[index + 1] = (offsets[index] as number) + seconds.length;
    });
    return {
      labels: samples.map(([pod]) => (pod === '' ? {} : { namespace: 'shop', pod })),
      offsets,
      timestampsSeconds,
      values: timestampsSeconds,
      warnings: [],
      infos: [],
    };
  };

  it('has pods that are there now, and those of them that have been there for five minutes', () => {
    const answer = series(
      ['old', [240, 300, 360, 420, 480, 540, 600]],
      ['new', [540, 600]],
      ['gone', [480]],
      ['', [600]],
    );
    const { pods, lasting, unlabelled, filled, points } = describeAnswer(answer, { podLabel: 'pod' }, 0, END);
    expect([...pods]).to.deep.equal(['shop/old', 'shop/new']);
    expect([...lasting]).to.deep.equal(['shop/old']);
    expect({ unlabelled, filled, points }).to.deep.equal({ unlabelled: 1, filled: 1, points: 11 });
  });

  it('counts the samples of other times, and tells how far the others are off', () => {
    const answer = { ...series(['moved', [-60, -20, 0, 600, 660, 900]]), shiftSeconds: 12 };
    const { strayed, shiftSeconds } = describeAnswer(answer, { podLabel: 'pod' }, 0, END);
    expect({ strayed, shiftSeconds }).to.deep.equal({ strayed: 3, shiftSeconds: 12 });
  });

  it('counts the gaps between the first and the last sample', () => {
    const answer = series(['holes', [0, 120, 240, 360, 480, 600]]);
    expect(describeAnswer(answer, { podLabel: 'pod' }, 0, END).filled).to.be.closeTo(6 / 11, 1e-9);
  });
});

describe('the usual distance of samples', () => {
  it('is the median of the distances of different timestamps', () => {
    expect(usualDistance([0, 0, 15, 15, 15, 30, 45, 90])).to.equal(15);
    expect(usualDistance([7, 7, 7])).to.equal(undefined);
    expect(usualDistance([])).to.equal(undefined);
  });
});
