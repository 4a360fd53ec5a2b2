import { expect } from 'chai';
import { createGrafana, type Grafana, type GrafanaOptions, type Series } from '../../scripts/dashboard/grafana.js';
import { panelsOf, readDashboard, type TargetJson } from '../../scripts/dashboard/json.js';
import { type MonitoredCluster, PAGE_URL, startMonitoredCluster } from '../support/dashboard-cluster.js';
import { requireTool } from '../support/real-tools.js';
import { eventually } from '../support/waiting.js';

/** Panels that show nothing while all is well with the exporter, and why. By title and name of the query. */
const EMPTY_WITH_REASON: Readonly<Record<string, string>> = {
  'Messages a day: expected, budget, recent, A': 'the cluster is an hour old',
  'Messages a day: expected, budget, recent, B': 'the cluster is an hour old',
  'CPU, C': 'many pods are selected',
  'CPU, D': 'many pods are selected',
  'Memory, C': 'many pods are selected',
  'Memory, D': 'many pods are selected',
  'Series left out, A': 'the built-in queries name namespace and pod, and answer one series for each',
};

const dashboard = readDashboard();
const panels = panelsOf(dashboard);

describe('the dashboard on a real Prometheus', function () {
  this.timeout(180_000);

  let cluster: MonitoredCluster;
  /** All tests look at the same moment, of which no scrape is under way any more. */
  let shownSeconds: number;
  const began = Date.now();
  /** A pod that is flagged, of the workload `cart`. */
  let culprit: string;

  const grafana = (selected?: GrafanaOptions['selected']): Grafana =>
    createGrafana({
      prometheusUrl: cluster.prometheusUrl,
      fromSeconds: shownSeconds - 15 * 60,
      toSeconds: shownSeconds,
      stepSeconds: 2,
      selected: { cluster: [CLUSTER], ...selected },
    });
  const target = (title: string, refId = 'A'): TargetJson => {
    const found = panels
      .filter(({ panel }) => panel.title === title)
      .flatMap(({ panel }) => panel.targets)
      .find((candidate) => candidate.refId === refId);
    if (found === undefined) throw new Error(`Expected a panel “${title}” with a query ${refId}.`);
    return found;
  };
  const ask = (title: string, refId?: string, selected?: GrafanaOptions['selected']) =>
    grafana(selected).runTarget(target(title, refId));
  const only = (series: readonly Series[]): number => {
    expect(series).to.have.lengthOf(1);
    return series[0]?.samples.at(-1)?.[1] ?? Number.NaN;
  };
  const labels = (series: readonly Series[], name: string) =>
    [...new Set(series.map((one) => one.labels[name]))].sort();

  before(async function () {
    this.timeout(180_000);
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    cluster = await startMonitoredCluster(
      [
        { ...SHOP_CART, kind: 'runaway-cpu', startOffsetSeconds: -90, endOffsetSeconds: 3600 },
        { ...CONFIG_SYNC, kind: 'crash-loop', startOffsetSeconds: -300, endOffsetSeconds: 3600 },
      ],
      CLUSTER,
    );
    culprit = cluster.world.incidents.find(({ kind }) => kind === 'runaway-cpu')?.pod ?? '';
    // Two scrapes of each replica with scores: rates need two samples.
    const scrapes = {
      refId: 'A',
      expr: 'min(count_over_time((k8s_anomaly_detector_up == 1)[5m:1s]))',
      instant: true,
    };
    await eventually(async () => {
      shownSeconds = Date.now() / 1000 - 3;
      expect(only(await grafana().runTarget({ ...scrapes, range: false }))).to.be.greaterThan(4);
      expect(labels(await ask('Most anomalous pods now', 'score'), 'pod')).to.include(culprit);
      // What the cluster says of them is asked for after a pass.
      expect(labels(await ask('Most anomalous pods now', 'place'), 'pod')).to.include(culprit);
      expect(await ask('Most anomalous pods now', 'end')).to.not.be.empty;
    }, 150_000);
  });

  after(() => cluster?.close());

  for (const { row, panel } of panels) {
    for (const query of panel.targets) {
      const name = `${panel.title}, ${query.refId}`;
      const reason = EMPTY_WITH_REASON[name];
      it(`${row}: ${name} ${reason === undefined ? 'shows something' : `is empty: ${reason}`}`, async () => {
        const series = await grafana().runTarget(query);
        if (reason !== undefined) {
          expect(series).to.be.empty;
          return;
        }
        expect(series).to.not.be.empty;
        const named = [...(query.legendFormat ?? '').matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
        for (const { labels: present, samples } of series) {
          expect(Object.keys(present), query.legendFormat).to.include.members(named);
          for (const [, value] of samples) expect(value, query.expr).to.satisfy(Number.isFinite);
        }
      });
    }
  }

  for (const annotation of dashboard.annotations.list) {
    it(`marks ${annotation.name} where they were`, async () => {
      const [series] = await grafana().runAnnotation(annotation);
      const trainedMilliseconds = series?.samples.at(-1)?.[1] ?? 0;
      expect(trainedMilliseconds).to.be.within(began, Date.now());
    });
  }

  it('offers choices in each variable', async () => {
    const choices = new Map<string, readonly string[]>();
    for (const variable of dashboard.templating.list.filter(({ type }) => type === 'query')) {
      choices.set(variable.name, await grafana().runVariable(variable));
    }
    expect(choices.get('cluster')).to.deep.equal([CLUSTER]);
    expect(choices.get('namespace')).to.include.members(['shop', 'data']);
    expect(choices.get('workload')).to.include.members(['cart', 'postgres']);
    expect(choices.get('pod')).to.include.members([culprit, 'postgres-0']);
    const [pod] = dashboard.templating.list.filter(({ name }) => name === 'pod');
    if (pod === undefined) throw new Error('Expected a variable pod.');
    const ofCart = await grafana({ namespace: ['shop'], workload: ['cart'] }).runVariable(pod);
    expect(ofCart).to.have.lengthOf(3).and.include(culprit);
    for (const name of ofCart) expect(name).to.match(/^cart-/);
  });

  it('counts each pod once where two replicas of the exporter are scraped', async () => {
    const up = await grafana().runTarget({
      refId: 'A',
      expr: 'k8s_anomaly_detector_pods_scored',
      instant: true,
      range: false,
    });
    expect(up, 'two replicas').to.have.lengthOf(2);
    expect(only(await ask('Pods scored'))).to.equal(up[0]?.samples[0]?.[1]);
    const flagged = await ask('Most anomalous pods now', 'score');
    expect(only(await ask('Pods flagged'))).to.equal(flagged.length);
    expect(only(await ask('Workloads affected'))).to.equal(
      (await ask('Workloads with flagged pods now', 'flagged')).length,
    );
  });

  it('gives the reason of each flagged pod, in one row', async () => {
    const table = panels.find(({ panel }) => panel.title === 'Most anomalous pods now')?.panel;
    for (const query of table?.targets ?? []) {
      const series = await grafana().runTarget(query);
      const ofCulprit = series.filter(({ labels: { pod } }) => pod === culprit);
      // None of its containers has ended.
      expect(ofCulprit, query.refId).to.have.lengthOf(query.refId === 'end' ? 0 : 1);
    }
    const ends = await ask('Most anomalous pods now', 'end');
    expect(ends.map(({ labels: { reason } }) => reason)).to.deep.equal(['Error']);
    const [deviation] = (await ask('Most anomalous pods now', 'deviation')).filter(
      ({ labels: { pod } }) => pod === culprit,
    );
    expect(deviation?.labels.feature).to.equal('cpu');
    expect(deviation?.samples[0]?.[1]).to.be.greaterThan(4);
  });

  it('fills every column of the tables', async () => {
    for (const { panel } of panels.filter(({ panel: { type } }) => type === 'table')) {
      const found = new Set<string>();
      for (const query of panel.targets) {
        found.add(`Value #${query.refId}`);
        for (const series of await grafana().runTarget(query)) {
          for (const label of Object.keys(series.labels)) found.add(label);
        }
      }
      const organize = panel.transformations?.find(({ id }) => id === 'organize')?.options as {
        renameByName: Record<string, string>;
        excludeByName: Record<string, boolean>;
      };
      const columns = Object.keys({ ...organize.renameByName, ...organize.excludeByName });
      expect(columns, panel.title).to.have.members([...found, 'Time', 'Value']);
    }
  });

  it('shows the CPU of the culprit beside what is usual for it', async () => {
    const selected = { namespace: ['shop'], pod: [culprit] };
    const last = async (refId: string) => only(await ask('CPU', refId, selected));
    expect(await last('A')).to.be.greaterThan(1.5);
    expect(await last('B')).to.be.within(0.1, 0.5);
  });

  it('knows how far it reaches', async () => {
    const of = async (refId: string) =>
      (await ask('Workloads with flagged pods now', refId))
        .filter(({ labels: { workload } }) => workload === 'cart')
        .map(({ samples }) => samples[0]?.[1]);
    expect(await of('flagged')).to.deep.equal([1]);
    expect(await of('scored')).to.deep.equal([3]);
    expect((await of('share'))[0]).to.be.closeTo(1 / 3, 1e-9);
  });

  it('narrows every panel about pods to the selected namespace, workload and pod', async () => {
    const cases = [
      { selected: { namespace: ['shop', 'data'] }, label: 'namespace', allowed: /^(shop|data)$/ },
      { selected: { workload: ['cart', 'postgres'] }, label: 'pod', allowed: /^(cart|postgres)-/ },
      { selected: { pod: [culprit] }, label: 'pod', allowed: new RegExp(`^${culprit}$`) },
    ];
    for (const { selected, label, allowed } of cases) {
      let compared = 0;
      for (const { panel } of panels) {
        for (const query of panel.targets) {
          for (const series of await grafana(selected).runTarget(query)) {
            const value = series.labels[label];
            if (value === undefined) continue;
            expect(value, `${panel.title}, ${query.refId}`).to.match(allowed);
            compared++;
          }
        }
      }
      expect(compared, label).to.be.greaterThan(5);
    }
  });

  it('shows one cluster', async () => {
    for (const other of [['us'], []]) {
      for (const { panel } of panels) {
        for (const query of panel.targets) {
          expect(await grafana({ cluster: other }).runTarget(query), `${panel.title}, ${query.refId}`).to.be.empty;
        }
      }
    }
  });

  it('has the address of the page, and what the culprit uses of its limit, beside each flagged pod', async () => {
    const of = async (refId: string) =>
      (await ask('Most anomalous pods now', refId)).filter(({ labels: { pod } }) => pod === culprit);
    expect((await of('address'))[0]?.labels.page).to.equal(PAGE_URL);
    const usage = (await of('cpu'))[0]?.samples[0]?.[1] ?? Number.NaN;
    const share = (await of('limit_cpu'))[0]?.samples[0]?.[1] ?? Number.NaN;
    const limit = only(await ask('CPU', 'D', { namespace: ['shop'], pod: [culprit] }));
    expect(share).to.be.closeTo(usage / limit, 1e-6);
    expect(only(await ask('CPU', 'C', { namespace: ['shop'], pod: [culprit] }))).to.be.within(0.01, limit);
  });

  it('shows the requests and limits of one or two pods', async () => {
    const selected = { namespace: ['shop'], workload: ['cart'] };
    const pods = (await ask('CPU', 'A', selected)).map(({ labels: { pod = '' } }) => pod);
    expect(pods).to.have.lengthOf(3);
    for (const resource of ['CPU', 'Memory']) {
      for (const refId of ['C', 'D']) {
        expect(labels(await ask(resource, refId, { ...selected, pod: pods.slice(0, 2) }), 'pod')).to.have.lengthOf(2);
        expect(await ask(resource, refId, selected)).to.be.empty;
      }
    }
  });

  it('shows the same few pods in every chart of the selected pods', async () => {
    const shown = labels(await ask('Score'), 'pod');
    expect(shown).to.have.length.within(2, 6).and.include(culprit);
    expect(labels(await ask('CPU'), 'pod')).to.deep.equal(shown);
    expect(labels(await ask('Memory'), 'pod')).to.deep.equal(shown);
    expect(labels(await ask('Restarts within ten minutes'), 'pod')).to.deep.equal(shown);
  });
});

/** The label of all series. */
const CLUSTER = 'eu';
const CONFIG_SYNC = { namespace: 'platform', workload: 'config-sync', replica: 0 } as const;
const SHOP_CART = { namespace: 'shop', workload: 'cart', replica: 0 } as const;
