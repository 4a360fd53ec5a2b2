import { expect } from 'chai';
import { podsOnNodesQuery } from '../../../../src/exporter/context/nodes.js';
import { contextParts } from '../../../../src/exporter/context/queries.js';
import { buildCatalog } from '../../../../src/exporter/features/catalog.js';
import {
  metricName,
  OWNER_ATTRIBUTES,
  PROMOTED_ATTRIBUTES,
  TRANSLATIONS,
} from '../../../../src/exporter/features/opentelemetry/names.js';
import { buildPhaseQueries } from '../../../../src/exporter/features/pod-phase.js';
import { loadFeatures, parseFeatureFile } from '../../../../src/exporter/features/queries/feature-file.js';
import { promqlMistakes } from '../../../../src/exporter/features/queries/promql.js';
import { sourceSelectors } from '../../../../src/exporter/features/queries/selectors.js';
import type { QueryOptions } from '../../../../src/exporter/features/queries/template.js';
import { buildOwnerQueries, resolveOwners } from '../../../../src/exporter/features/workload.js';
import { narrowToNamespaces, readsAllNamespaces } from '../../../../src/exporter/sharding/narrow.js';

const OPTIONS: QueryOptions = {
  metricsSource: 'opentelemetry',
  namespaceRegex: 'shop|pay-.*',
  podLabel: 'k8s_pod_name',
  namespaceLabel: 'k8s_namespace_name',
  cpuRateWindow: '1m',
  matchers: 'cluster="x"',
};

const DOTTED: QueryOptions = {
  ...OPTIONS,
  otlpTranslation: 'NoTranslation',
  podLabel: 'k8s.pod.name',
  namespaceLabel: 'k8s.namespace.name',
};

const PODS = [{ namespace: 'shop', pod: 'cart-0' }];

/** Every query that goes to a server, with its name. */
async function queriesOf(options: QueryOptions): Promise<readonly (readonly [name: string, query: string])[]> {
  const { features, ownerQueries, phaseQueries } = await loadFeatures('', options);
  return [
    ...features.map(({ name, query }) => [name, query] as const),
    ...Object.entries({ ...ownerQueries, ...phaseQueries }),
    ...contextParts(PODS, options).map(({ part, query }) => [part, query] as const),
    ['nodes in common', podsOnNodesQuery(['node-1'], options)],
  ];
}

describe('the names of a Collector', () => {
  it('are those that a server makes of them', () => {
    const namesOf = (metric: Parameters<typeof metricName>[0]) => TRANSLATIONS.map((one) => metricName(metric, one));
    expect(namesOf('container.cpu.time')).to.deep.equal([
      'container_cpu_time_seconds_total',
      'container_cpu_time',
      'container.cpu.time_seconds_total',
      'container.cpu.time',
    ]);
    expect(namesOf('k8s.container.restarts')).to.deep.equal([
      'k8s_container_restarts',
      'k8s_container_restarts',
      'k8s.container.restarts',
      'k8s.container.restarts',
    ]);
  });

  it('need all labels that queries read', async () => {
    const read = (await queriesOf(DOTTED)).flatMap(([, query]) =>
      [...query.matchAll(/"((?:k8s|container)\.[a-z0-9_.]+)"/g)].map(([, name = '']) => name),
    );
    const metrics = new Set(
      (await queriesOf(DOTTED)).flatMap(([, query]) => sourceSelectors(query).map((s) => s.metric)),
    );
    const ofPoints = ['k8s.container.status.reason'];
    const labels = [...new Set(read)].filter((name) => !metrics.has(name) && !ofPoints.includes(name));
    expect(labels).to.have.members(PROMOTED_ATTRIBUTES);
  });
});

describe('the queries for a Collector', () => {
  it('ask for CPU, memory and restarts by its names, and answer with the usual label of the namespace', () => {
    const [cpu, memory, restarts] = buildCatalog({ ...OPTIONS, memoryMetric: 'rss' });
    expect(cpu?.query).to.equal(
      'label_replace(sum by (k8s_namespace_name, k8s_pod_name) ' +
        '(max by (k8s_namespace_name, k8s_pod_name, k8s_container_name) (rate(container_cpu_time_seconds_total' +
        '{cluster="x",k8s_container_name!="",k8s_namespace_name=~"shop|pay-.*"}[1m])))\n' +
        ', "namespace", "$1", "k8s_namespace_name", "(.+)")',
    );
    expect(memory?.query).to.include('(container_memory_rss_bytes{cluster="x",k8s_container_name!=""');
    expect(memory?.help).to.equal('Memory in use (without page cache)');
    expect(restarts?.query).to.include(
      'max by (k8s_namespace_name, k8s_pod_name, k8s_container_name) (k8s_container_restarts{cluster="x",',
    );
    expect([cpu, memory, restarts].map((feature) => feature?.podLabel)).to.deep.equal(Array(3).fill('k8s_pod_name'));
    expect([cpu, memory, restarts].map((feature) => feature?.type)).to.deep.equal(['gauge', 'gauge', 'counter']);
  });

  it('put names with dots in quotes', () => {
    const [cpu] = buildCatalog(DOTTED);
    expect(cpu?.query).to.include(
      'rate({cluster="x","container.cpu.time","k8s.container.name"!="","k8s.namespace.name"=~',
    );
    expect(cpu && sourceSelectors(cpu.query)[0]?.metric).to.equal('container.cpu.time');
  });

  for (const [name, options] of Object.entries({ OPTIONS, DOTTED })) {
    it(`are sound, in the scope of the settings, and can be narrowed to a shard, with ${name}`, async () => {
      for (const [what, query] of await queriesOf(options)) {
        expect(promqlMistakes(query, []), what).to.deep.equal([]);
        for (const { text } of sourceSelectors(query)) expect(text, what).to.include('cluster="x"');
        expect(readsAllNamespaces(query, options.namespaceLabel), what).to.equal(false);
        const narrowed = narrowToNamespaces(query, ['shop'], options.namespaceLabel);
        const selectors = sourceSelectors(narrowed);
        const own = selectors.filter(({ matchers }) => matchers.some(({ text }) => text.endsWith('=~"shop"')));
        expect(own, what).to.have.lengthOf(selectors.length);
      }
    });
  }

  it('take what a feature file says of the labels and of memory', () => {
    const text = `features:
  - name: full
    help: Memory
    pod_label: "{{pod_label}}"
    query: 'sum by ({{namespace_label}}, {{pod_label}}) ({{memory_metric}}{{{namespace_label}}=~"{{namespace_regex}}"})'
    unit: bytes
    direction: both
    spread_floor: 1
    required: true
`;
    const { features } = parseFeatureFile(text, 'f.yaml', { ...OPTIONS, matchers: '', memoryMetric: 'working_set' });
    expect(features[0]?.query).to.include(
      'sum by (k8s_namespace_name, k8s_pod_name) (container_memory_working_set_bytes{k8s_namespace_name=~',
    );
    expect(features[0]).to.include({ podLabel: 'k8s_pod_name', help: 'Memory' });
  });

  it('ask for owners by each attribute, where it is a label and in target_info', () => {
    const { pod, ...others } = buildOwnerQueries(OPTIONS);
    expect(others).to.deep.equal({});
    for (const [attribute, kind] of Object.entries(OWNER_ATTRIBUTES)) {
      const label = attribute.replaceAll('.', '_');
      expect(pod).to.include(`{cluster="x",${label}!="",k8s_pod_name!="",`).and.to.include(`"owner_kind", "${kind}"`);
    }
    expect(sourceSelectors(pod).map(({ metric }) => metric)).to.include.members([
      'container_memory_usage_bytes',
      'target_info',
    ]);
  });

  it('ask for pods in which nothing runs, by the numbers of phases', () => {
    const { idle } = buildPhaseQueries(OPTIONS);
    for (const [number, phase] of [
      [1, 'Pending'],
      [3, 'Succeeded'],
      [4, 'Failed'],
    ]) {
      expect(idle).to.match(new RegExp(`\\} == ${number}\\)[^=]*, "phase", "${phase}", "", ""\\)`));
    }
    expect(idle).to.not.include('Running').and.to.not.include('Unknown');
  });
});

describe('the owners that a Collector names', () => {
  const nothing = { labels: [] };
  const own = { namespace: 'shop', pod: 'a' };
  const ownersOf = (...labels: readonly Readonly<Record<string, string>>[]) =>
    Object.fromEntries(resolveOwners({ pod: { labels }, replicaSet: nothing, job: nothing }));

  it('are the highest of a pod, in whatever order they come', () => {
    for (const [kind, name, above, top] of [
      ['ReplicaSet', 'web-7d9f8b6c5d', 'Deployment', 'storefront'],
      ['Job', 'backup-29399040', 'CronJob', 'nightly'],
    ] as const) {
      const lower = { ...own, owner_kind: kind, owner_name: name };
      const upper = { ...own, owner_kind: above, owner_name: top };
      expect(ownersOf(lower, upper)).to.deep.equal({ 'shop/a': top });
      expect(ownersOf(upper, lower)).to.deep.equal({ 'shop/a': top });
    }
  });

  it('follow from the name where only the lower one is named', () => {
    expect(ownersOf({ ...own, owner_kind: 'ReplicaSet', owner_name: 'web-7d9f8b6c5d' })).to.deep.equal({
      'shop/a': 'web',
    });
    expect(ownersOf({ ...own, owner_kind: 'Job', owner_name: 'backup-29399040' })).to.deep.equal({
      'shop/a': 'backup',
    });
  });
});
