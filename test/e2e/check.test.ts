import { expect } from 'chai';
import type { Finding, NotChecked } from '../../src/exporter/check/finding.js';
import { buildCatalog } from '../../src/exporter/features/catalog.js';
import type { RunningServer } from '../../src/tools/demo/listen.js';
import { startRealPrometheus } from '../../src/tools/demo/real-prometheus.js';
import { type CraftedHistory, craftedHistory } from '../support/crafted-history.js';
import { endPrograms, type ProgramEnd, startProgram } from '../support/program.js';
import { requireTool } from '../support/real-tools.js';
import { checkOf } from '../support/run-check.js';

interface Report {
  readonly status: string;
  readonly findings: readonly Finding[];
  readonly not_checked: readonly NotChecked[];
}

const HOUR = 3600;

/** Data lies ahead as well, so that a slow machine does not make it old. */
const AHEAD_SECONDS = 600;

describe('check against a real Prometheus', function () {
  this.timeout(180_000);

  let prometheus: RunningServer | undefined;

  before(function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
  });

  afterEach(endPrograms);

  const startWith = async (history: Partial<CraftedHistory> = {}): Promise<string> => {
    await prometheus?.close();
    const now = Math.floor(Date.now() / 1000);
    prometheus = await startRealPrometheus({
      path: process.env.PATH ?? '',
      configuration: 'scrape_configs: []\n',
      history: craftedHistory({
        startSeconds: now - 4 * HOUR,
        endSeconds: now + AHEAD_SECONDS,
        scrapeIntervalSeconds: 15,
        ...history,
      }),
    });
    return prometheus.url;
  };
  after(() => prometheus?.close());

  /** These servers have hours of data, not days. */
  const HOURS_ONLY = { HISTORY_DAYS: '0' };
  const check = async (environment: Record<string, string>): Promise<{ code: number; report: Report }> => {
    const { status, text } = await checkOf({ ...HOURS_ONLY, ...environment }, { json: true });
    return { code: status, report: JSON.parse(text) as Report };
  };
  /** The same as a process of its own. */
  const checkProgram = async (url: string, ...flags: string[]): Promise<ProgramEnd & { readonly text: string }> => {
    const program = startProgram(['check', ...flags], { ...HOURS_ONLY, PROMETHEUS_URL: url });
    return { ...(await program.ended(60_000)), text: program.stdout() };
  };
  const notWell = ({ findings }: Report) =>
    findings.filter(({ severity }) => severity !== 'ok').map(({ check: name, severity }) => [name, severity]);
  const textOf = ({ findings }: Report, name: string) => {
    const { summary = '', meaning = '', advice = '' } = findings.find((one) => one.check === name) ?? {};
    return [summary, meaning, advice].join(' ');
  };

  describe('in which all is well', () => {
    let url: string;
    before(async () => {
      url = await startWith();
    });

    it('ends with status 0, and has made every check', async () => {
      const { code, text } = await checkProgram(url, '--json');
      const report = JSON.parse(text) as Report;
      expect(notWell(report), JSON.stringify(report, undefined, 1)).to.deep.equal([]);
      expect(report.not_checked).to.deep.equal([]);
      expect(code).to.equal(0);
      expect(textOf(report, 'server')).to.match(/^The server is Prometheus \d/);
      expect(textOf(report, 'series')).to.include('8 pods');
      expect(textOf(report, 'rate_window')).to.include('every 15 s');
    });

    it('writes for people as well', async () => {
      const { code, text } = await checkProgram(url);
      expect(code).to.equal(0);
      expect(text).to.match(/^ok {6}settings {2,}All \d+ settings are valid\.$/m);
      expect(text).to.match(/\n\d+ ok, 0 warnings, 0 errors, 0 not checked\.\n$/);
      expect(text).to.not.include('\x1b');
    });

    it('finds a wrong POD_LABEL, and the right one', async () => {
      const { code, report } = await check({ PROMETHEUS_URL: url, POD_LABEL: 'pod_name' });
      expect(code).to.equal(2);
      expect(notWell(report)).to.deep.equal([['series', 'error']]);
      expect(textOf(report, 'series')).to.include('Set POD_LABEL=pod.');
      expect(report.not_checked.map(({ check: name }) => name)).to.include('rate_window');
    });

    it('finds that NAMESPACE_REGEX matches nothing', async () => {
      const { code, report } = await check({ PROMETHEUS_URL: url, NAMESPACE_REGEX: 'shops' });
      expect(code).to.equal(2);
      expect(textOf(report, 'series'))
        .to.include('NAMESPACE_REGEX ("shops")')
        .and.to.include('An existing namespace: shop.');
    });

    it('finds a NAMESPACE_REGEX that only Prometheus can refuse', async () => {
      const { code, report } = await check({ PROMETHEUS_URL: url, NAMESPACE_REGEX: '(?i' });
      expect(code).to.equal(2);
      const text = report.findings.map(({ summary, advice }) => `${summary} ${advice}`).join('\n');
      expect(text).to.include('error parsing regexp').and.to.include('NAMESPACE_REGEX');
    });

    it('finds a page in the URL', async () => {
      const { code, report } = await check({ PROMETHEUS_URL: `${url}/graph` });
      expect(code).to.equal(2);
      expect(textOf(report, 'prometheus')).to.include(`only what is before /graph: set it to ${url}.`);
    });

    it('finds a wrong path prefix', async () => {
      const { code, report } = await check({ PROMETHEUS_URL: `${url}/prometheus` });
      expect(code).to.equal(2);
      expect(notWell(report)).to.deep.equal([['prometheus', 'error']]);
      expect(textOf(report, 'prometheus')).to.include('404').and.to.include('path prefix');
      expect(report.not_checked).to.have.lengthOf.above(10);
    });
  });

  it('finds that the scrape interval is too long for the window', async () => {
    const now = Math.floor(Date.now() / 1000);
    // On the full minute, rate() of Prometheus 2 would have two samples in exactly a minute.
    const url = await startWith({ scrapeIntervalSeconds: 60, startSeconds: now - 4 * HOUR + 23 });
    const { code, report } = await check({ PROMETHEUS_URL: url });
    expect(code).to.equal(2);
    expect(notWell(report)).to.deep.equal([['rate_window', 'error']]);
    expect(textOf(report, 'rate_window')).to.include('every 60 s').and.to.include('CPU_RATE_WINDOW to 4m');
    const mended = await check({ PROMETHEUS_URL: url, CPU_RATE_WINDOW: '4m' });
    expect(notWell(mended.report)).to.deep.equal([]);
    expect(mended.code).to.equal(0);
  });

  it('finds two clusters whose pods have the same names', async () => {
    const url = await startWith({ clusters: ['eu', 'us'] });
    const { code, report } = await check({ PROMETHEUS_URL: url });
    expect(code).to.equal(2);
    expect(notWell(report)).to.deep.equal([['clusters', 'error']]);
    expect(textOf(report, 'clusters')).to.include('eu and us').and.to.include('16 containers exist');
  });

  it('finds two clusters by a label of any name, and knows one of them when it is selected', async () => {
    const url = await startWith({
      clusters: ['blue', 'green'],
      clusterLabel: 'stage',
      jobs: ['kubelet', 'kubelet-again'],
    });
    const { code, report } = await check({ PROMETHEUS_URL: url });
    expect(code).to.equal(2);
    expect(notWell(report)).to.deep.equal([
      ['duplicates', 'warning'],
      ['clusters', 'error'],
    ]);
    expect(textOf(report, 'clusters'))
      .to.include('The label stage has several values: blue and green. 16 containers exist')
      .and.to.include('PROMETHEUS_MATCHERS to stage="blue"');
    expect(textOf(report, 'duplicates')).to.include('32 containers').and.to.include('job: kubelet and kubelet-again');
    expect(textOf(report, 'duplicates')).to.not.include('stage');
    const mended = await check({ PROMETHEUS_URL: url, PROMETHEUS_MATCHERS: 'stage="blue"' });
    expect(notWell(mended.report)).to.deep.equal([['duplicates', 'warning']]);
  });

  for (const replicaLabel of ['prometheus_replica', 'sender']) {
    it(`finds that all is there twice, by the label ${replicaLabel}, which is no error`, async () => {
      const url = await startWith({ replicas: ['a', 'b'], replicaLabel });
      const { code, report } = await check({ PROMETHEUS_URL: url });
      expect(notWell(report)).to.deep.equal([['duplicates', 'warning']]);
      expect(textOf(report, 'duplicates')).to.include(`(${replicaLabel}: a and b)`);
      expect(code).to.equal(1);
    });
  }

  it('finds that cAdvisor is scraped without honor_labels, and the settings that do without', async () => {
    const url = await startWith({ targetNamespace: 'kube-system' });
    const { report } = await check({ PROMETHEUS_URL: url });
    expect(notWell(report)).to.deep.include(['series', 'error']);
    expect(textOf(report, 'series'))
      .to.include('is that of the target that Prometheus scrapes; that of the pod is in exported_namespace')
      .and.to.include('or set NAMESPACE_LABEL=exported_namespace.');
    const selected = await check({ PROMETHEUS_URL: url, NAMESPACE_REGEX: 'shop' });
    expect(textOf(selected.report, 'series')).to.include('or set NAMESPACE_LABEL=exported_namespace.');
    const mended = await check({
      PROMETHEUS_URL: url,
      NAMESPACE_REGEX: 'shop',
      NAMESPACE_LABEL: 'exported_namespace',
    });
    expect(notWell(mended.report)).to.deep.equal([]);
    expect(textOf(mended.report, 'pod_coverage')).to.include('cpu 8, memory 8 and restarts 8');
  });

  for (const [osImage, says] of [
    ['Ubuntu 22.04.3 LTS', 'The node node-2 has no usage of any pod (3 pods without usage).'],
    ['Windows Server 2022 Datacenter', 'The node node-2 runs Windows (3 pods without usage).'],
  ] as const) {
    it(`finds a node of ${osImage} of which cAdvisor has nothing, with and without label matchers`, async () => {
      const url = await startWith({ darkNode: { pods: 3, osImage } });
      for (const matchers of [{}, { PROMETHEUS_MATCHERS: 'job=~"kube.*"' }]) {
        const { code, report } = await check({ PROMETHEUS_URL: url, ...matchers });
        expect(notWell(report)).to.deep.equal([['pod_coverage', 'warning']]);
        expect(textOf(report, 'pod_coverage')).to.include(says);
        expect(code).to.equal(1);
      }
    });
  }

  it('knows cores that are reported one by one, and finds them beside the whole', async () => {
    const url = await startWith({ cores: ['cpu00', 'cpu01', 'cpu02', 'cpu03'], jobs: ['kubelet', 'kubelet-again'] });
    const { report } = await check({ PROMETHEUS_URL: url });
    expect(notWell(report)).to.deep.equal([['duplicates', 'warning']]);
    const query = buildCatalog({ namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' })[0]?.query ?? '';
    const answer = await fetch(`${url}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query }) });
    const { data } = (await answer.json()) as {
      data: { result: readonly { metric: { pod: string }; value: readonly [number, string] }[] };
    };
    const first = data.result.find(({ metric }) => metric.pod === 'cart-0');
    // Two containers of 0.2 cores each.
    expect(Number(first?.value[1])).to.be.within(0.38, 0.42);

    const mixed = await startWith({ cores: ['total', 'cpu00', 'cpu01'] });
    const { report: found } = await check({ PROMETHEUS_URL: mixed });
    expect(notWell(found)).to.deep.equal([['duplicates', 'error']]);
    expect(textOf(found, 'duplicates')).to.include(
      '16 containers have container_cpu_usage_seconds_total both as a whole',
    );
  });

  it('finds two jobs that scrape the same, which is no error', async () => {
    const url = await startWith({ jobs: ['kubelet', 'kubelet-again'] });
    const { code, report } = await check({ PROMETHEUS_URL: url });
    expect(code).to.equal(1);
    expect(notWell(report)).to.deep.equal([['duplicates', 'warning']]);
    expect(textOf(report, 'duplicates')).to.include('job: kubelet and kubelet-again');
  });

  it('finds that only the working set is kept, and is well with it', async () => {
    const url = await startWith({ memory: 'container_memory_working_set_bytes' });
    const { code, report } = await check({ PROMETHEUS_URL: url });
    expect(code).to.equal(2);
    expect(textOf(report, 'series')).to.include('Set MEMORY_METRIC=working_set.');
    const mended = await check({ PROMETHEUS_URL: url, MEMORY_METRIC: 'working_set' });
    expect(notWell(mended.report)).to.deep.equal([]);
  });

  it('finds that there are pods and no containers, and takes pods as a whole', async () => {
    const url = await startWith({ containers: [''] });
    const { code, report } = await check({ PROMETHEUS_URL: url });
    expect(code).to.equal(2);
    expect(textOf(report, 'series')).to.include('Set CONTAINER_LABEL=pod,');
    const mended = await check({ PROMETHEUS_URL: url, CONTAINER_LABEL: 'pod' });
    expect(notWell(mended.report)).to.deep.equal([]);
    expect(textOf(mended.report, 'series')).to.include('8 pods');
  });

  it('finds a matcher that kube-state-metrics does not carry', async () => {
    const url = await startWith({ cadvisorLabels: { cluster: 'berlin' } });
    const { code, report } = await check({ PROMETHEUS_URL: url, PROMETHEUS_MATCHERS: 'cluster="berlin"' });
    expect(code).to.equal(1);
    expect(notWell(report)).to.deep.equal([['kube_state_metrics', 'warning']]);
    expect(textOf(report, 'kube_state_metrics')).to.include('matches cluster="berlin"');
  });

  it('finds that kube-state-metrics is missing', async () => {
    const url = await startWith({ kubeStateMetrics: false });
    const { code, report } = await check({ PROMETHEUS_URL: url });
    expect(code).to.equal(1);
    expect((await checkProgram(url)).code, 'of the process').to.equal(1);
    expect(notWell(report)).to.deep.equal([['kube_state_metrics', 'warning']]);
  });

  it('finds that nothing is said of the owners of ReplicaSets', async () => {
    const url = await startWith({ ownerKind: 'ReplicaSet' });
    const { report } = await check({ PROMETHEUS_URL: url });
    expect(notWell(report)).to.deep.equal([['kube_state_metrics', 'warning']]);
    expect(textOf(report, 'kube_state_metrics')).to.include('no series of kube_replicaset_owner, although');
  });

  it('finds that there is too little history', async () => {
    const url = await startWith({ startSeconds: Math.floor(Date.now() / 1000) - 12 * 60 });
    const { code, report } = await check({ PROMETHEUS_URL: url, HISTORY_DAYS: '7' });
    expect(code).to.equal(1);
    expect(notWell(report)).to.deep.equal([
      ['history', 'warning'],
      ['past_days', 'warning'],
    ]);
    expect(textOf(report, 'history')).to.match(/data of the last 1[12] min, and a training uses 60 min/);
    expect(textOf(report, 'past_days')).to.include('data of the last hours, and the history remembers 7 days');
  });

  it('finds that Prometheus is down, and says what it could not check', async () => {
    const url = await startWith({ startSeconds: Math.floor(Date.now() / 1000) - 60 });
    await prometheus?.close();
    prometheus = undefined;
    const { code, report } = await check({ PROMETHEUS_URL: url });
    expect(code).to.equal(2);
    expect((await checkProgram(url)).code, 'of the process').to.equal(2);
    expect(notWell(report)).to.deep.equal([['prometheus', 'error']]);
    expect(textOf(report, 'prometheus')).to.include('Is Prometheus running?');
    expect(new Set(report.not_checked.map(({ because }) => because))).to.deep.equal(
      new Set(['Prometheus does not answer.']),
    );
  });
});
