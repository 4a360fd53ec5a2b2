import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { expect } from 'chai';
import type { IPod } from 'kubernetes-models/v1';
import { runBacktestCommand } from '../../src/tools/backtest/command.js';
import type { BacktestReport } from '../../src/tools/backtest/report.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { accelerate } from '../support/accelerate.js';
import { ClusterRecording, pastOf } from '../support/cluster-history.js';
import { type Level, loadOf } from '../support/cluster-load.js';
import {
  type ContainerSpec,
  cronJob,
  daemonSet,
  deployment,
  namespace,
  type PodSpec,
  pod,
  statefulSet,
} from '../support/cluster-objects.js';
import {
  type ClusterWorld,
  requireClusterWorld,
  shippedScrapeConfigs,
  startClusterWorld,
} from '../support/cluster-world.js';
import { exposedValue, samplesOf } from '../support/exposition.js';
import type { ContainerOnNode, PodOnNode } from '../support/fake-pod.js';
import { endPrograms, type Program, startProgram } from '../support/program.js';
import { startPrometheus, writeHistory } from '../support/real-servers.js';
import { ON_NEWEST_RELEASE } from '../support/real-tools.js';
import { checkOf } from '../support/run-check.js';
import { type Anchor, toldTime } from '../support/stretched-time.js';
import { eventually } from '../support/waiting.js';

const MIB = 2 ** 20;
const NODES = ['node-1', 'node-2', 'node-3'];
const DRAINED = 'node-3';
const DAYS = 4;
const MINUTE = 60;

/** In the past that is told, the rollout and the rest fill the time from so long to so long before the first exporter starts. */
const BUSY_SECONDS = [110 * MINUTE, 40 * MINUTE] as const;
/** Before it, a backtest trains. Scrapes are as far apart as usual. */
const DENSE_SECONDS = 190 * MINUTE;
const STEP_SECONDS = 30;
const BACKTEST_SECONDS = 2 * 60 * MINUTE;
/** How long the faults have been there when the second exporter starts. */
const FAULT_SECONDS = 10 * MINUTE;
const CRASHES = 4;

/** Settings of all that ask that Prometheus. A rate needs four scrapes. */
const SETTINGS = { HISTORY_DAYS: String(DAYS), CPU_RATE_WINDOW: '2m' };

/** So many times faster than shipped are the rules, which count readings of the exporter. */
const SPEED = 6;
/** The servers are slow when the machine is. */
const PATIENCE_MILLISECONDS = 180_000;

const FIRST = 'registry.example.com/shop/frontend:1.0';
const SECOND = 'registry.example.com/shop/frontend:2.0';
/** How much more the pods of a new image take. */
const GROWTH = 1.15;
/** The fault in the memory. */
const FACTOR = 4;

const LEVELS: Readonly<Record<string, Level>> = {
  frontend: { cores: 0.4, memoryBytes: 300 * MIB },
  catalog: { cores: 0.3, memoryBytes: 250 * MIB },
  cart: { cores: 0.2, memoryBytes: 200 * MIB },
  search: { cores: 0.5, memoryBytes: 700 * MIB },
  ledger: { cores: 0.25, memoryBytes: 400 * MIB },
  gateway: { cores: 0.3, memoryBytes: 150 * MIB },
  'config-sync': { cores: 0.05, memoryBytes: 80 * MIB },
  worker: { cores: 0.6, memoryBytes: 500 * MIB },
  agent: { cores: 0.03, memoryBytes: 60 * MIB },
  report: { cores: 0.8, memoryBytes: 300 * MIB },
  monitoring: { cores: 0.1, memoryBytes: 120 * MIB },
};

const app = (more: ContainerSpec = {}): PodSpec => ({
  containers: [
    { name: 'app', limits: { cpu: '2', memory: '2Gi' }, requests: { cpu: '250m', memory: '128Mi' }, ...more },
  ],
});
const of = (space: string, name: string) => ({ namespace: space, name });

const OBJECTS = [
  deployment(of('shop', 'frontend'), app({ image: FIRST }), { replicas: 3 }),
  deployment(of('shop', 'catalog'), app()),
  deployment(of('shop', 'cart'), app()),
  statefulSet(of('shop', 'search'), app()),
  statefulSet(of('payments', 'ledger'), app()),
  deployment(of('payments', 'gateway'), {
    ...app(),
    initContainers: [{ name: 'proxy', restartPolicy: 'Always', limits: { cpu: '1', memory: '256Mi' } }],
  }),
  deployment(of('platform', 'config-sync'), app({ image: 'registry.example.com/platform/config-sync:3.1' }), {
    replicas: 1,
  }),
  deployment(of('platform', 'worker'), app(), { replicas: 3 }),
  daemonSet(of('platform', 'agent'), app()),
  cronJob(of('batch', 'report'), '0 0 1 1 *', { ...app(), annotations: { 'fake-nodes/run-seconds': '3' } }),
  pod(of('batch', 'no-image'), { annotations: { 'fake-nodes/never-starts': 'ImagePullBackOff' } }),
];
/** Pods that run at first, the exporter's among them. */
const PODS = 3 + 2 + 2 + 2 + 2 + 2 + 1 + 3 + NODES.length + 1;

/** Names and workloads. That of the workload inhibits those of its pods in Alertmanager. */
const EXPECTED_ALERTS = [
  'WorkloadAnomalous cart',
  'PodAnomalous cart',
  'PodAnomalous cart',
  'PodAnomalous config-sync',
];

interface FiringAlert {
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

// Debian's Prometheus knows nothing of Kubernetes.
if (ON_NEWEST_RELEASE) {
  describe('a rollout and an incident in a real cluster', function () {
    this.timeout(600_000);

    let world: ClusterWorld;
    let recording: ClusterRecording;
    let prometheusPort: number;
    let exporterPort: number;
    let prometheus: RunningServer | undefined;
    let exporter: Program | undefined;
    const nowSeconds = () => Date.now() / 1000;
    /** When the past that is told was. */
    let anchors: readonly Anchor[] = [[nowSeconds(), nowSeconds()]];
    /** When the first exporter started. */
    let quietSeconds = 0;
    let faultSince = Number.POSITIVE_INFINITY;
    /** Before anything was changed. */
    let earlier: readonly PodOnNode[] = [];

    const soon = <Value>(check: () => Value | Promise<Value>) => eventually(check, PATIENCE_MILLISECONDS);
    const running = () =>
      world.nodes.pods().filter(({ containers }) => containers.some(({ state }) => state.type === 'running'));
    const levelOf = ({ name, image }: ContainerOnNode, { namespace: space, pod: { metadata } }: PodOnNode): Level => {
      const level = LEVELS[space === 'monitoring' ? space : (metadata?.labels?.app ?? '')];
      if (name === 'proxy') return { cores: 0.05, memoryBytes: 60 * MIB };
      if (level === undefined) throw new Error(`Nobody said what ${metadata?.name} takes.`);
      const growth = image === SECOND ? GROWTH : 1;
      return { cores: growth * level.cores, memoryBytes: growth * level.memoryBytes };
    };
    /** Where a pod is in waves of its own. */
    const phaseOf = ({ name }: PodOnNode) =>
      ([...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 97) / 97;
    const metrics = async () => {
      const answer = await fetch(`http://127.0.0.1:${exporterPort}/metrics`, { signal: AbortSignal.timeout(20_000) });
      return answer.text();
    };
    const alerts = async () => {
      const url = `http://127.0.0.1:${prometheusPort}/api/v1/alerts`;
      const answer = await fetch(url, { signal: AbortSignal.timeout(20_000) });
      const { data } = (await answer.json()) as { readonly data: { readonly alerts: readonly FiringAlert[] } };
      return data.alerts.filter(({ state }) => state === 'firing');
    };
    const ask = async (query: string) => {
      const url = `http://127.0.0.1:${prometheusPort}/api/v1/query`;
      const answer = await fetch(url, { method: 'POST', body: new URLSearchParams({ query }) });
      const { data } = (await answer.json()) as {
        readonly data: { readonly result: readonly { readonly metric: Record<string, string> }[] };
      };
      return data.result.map(({ metric }) => metric);
    };

    /** A Prometheus with the past up to now, which goes on with what is now, and an exporter on it. */
    const start = async (name: string) => {
      const directory = join(world.directory, name);
      await mkdir(directory);
      const write = (startSeconds: number, endSeconds: number, daysBefore = 0) =>
        writeHistory(
          directory,
          pastOf({
            world,
            nodes: NODES,
            frames: recording.frames,
            anchors,
            daysBefore,
            startSeconds,
            endSeconds,
            stepSeconds: STEP_SECONDS,
          }),
        );
      const now = Math.floor(nowSeconds());
      await write(now - DENSE_SECONDS, now, DAYS);
      // On a busy machine, minutes have gone by, in which the exporter would find nothing.
      const next = now + STEP_SECONDS;
      if (next < nowSeconds()) await write(next, Math.floor(nowSeconds()));
      const rules = join(directory, 'rules.yaml');
      await writeFile(rules, accelerate(await readFile('deploy/prometheus/rules.yaml', 'utf8'), SPEED));
      const { kubeconfig } = world.controlPlane;
      const shipped = await shippedScrapeConfigs(kubeconfig, `127.0.0.1:${exporterPort}`);
      const configuration = {
        global: { scrape_interval: '5s', scrape_timeout: '5s', evaluation_interval: '5s' },
        rule_files: [rules],
        scrape_configs: [
          ...world.scrapeConfigs,
          ...shipped.map((job) => ({ ...job, scrape_interval: '5s', scrape_timeout: '5s' })),
        ],
      };
      const file = join(directory, 'prometheus.yaml');
      // JSON is YAML as well.
      await writeFile(file, JSON.stringify(configuration));
      prometheus = await startPrometheus({ directory, port: prometheusPort, configuration: file });
      exporter = startProgram(['serve'], {
        PROMETHEUS_URL: prometheus.url,
        HOST: '127.0.0.1',
        PORT: String(exporterPort),
        ...SETTINGS,
        HISTORY_LOAD_PERCENT: '100',
        MODEL_PATH: join(world.directory, 'model'),
        LOG_LEVEL: 'warn',
      });
    };
    const stop = async () => {
      exporter?.kill('SIGTERM');
      await exporter?.ended();
      exporter = undefined;
      await prometheus?.close();
      prometheus = undefined;
    };

    /** Waits until as many of the pods run. */
    const settled = (selector: (one: PodOnNode) => boolean, count: number) =>
      soon(() => {
        const there = running().filter(selector);
        expect(there.map(({ name }) => name)).to.have.lengthOf(count);
        return there;
      });
    const isOf = (label: string) => (one: PodOnNode) => one.pod.metadata?.labels?.app === label;

    before(async function () {
      requireClusterWorld(this);
      world = await startClusterWorld({
        nodes: NODES,
        startOf: (realSeconds) => toldTime(anchors, realSeconds),
        loadOf: (container, one, { start: startSeconds, now }) => {
          const load = loadOf(levelOf(container, one), startSeconds, now, phaseOf(one));
          const isFaulty = isOf('cart')(one) && now >= faultSince;
          return { ...load, memoryBytes: isFaulty ? FACTOR * load.memoryBytes : load.memoryBytes };
        },
      });
      prometheusPort = await freePort();
      exporterPort = await freePort();
      await world.apply(['shop', 'payments', 'platform', 'batch', 'monitoring'].map((name) => namespace(name)));
      await world.apply(OBJECTS);
      await settled(() => true, PODS - 1);
      // As the exporter is installed: Prometheus finds it by its Service.
      await world.kubectl(['apply', '--server-side', '-n', 'monitoring', '-k', 'deploy/kubernetes/base']);
      await settled(() => true, PODS);
      earlier = running();

      recording = new ClusterRecording(world);
      const began = nowSeconds();
      await makeChanges();
      await recording.stop();
      const ended = nowSeconds();

      quietSeconds = Math.floor(ended);
      const [first, last] = BUSY_SECONDS;
      anchors = [
        [began, quietSeconds - first],
        [ended - 0.001, quietSeconds - last],
        [ended, quietSeconds],
      ];
      await start('quiet');
    });
    after(async () => {
      await stop();
      await endPrograms();
      await world?.close();
    });

    /** What people and Kubernetes do to a cluster in which nothing is wrong. */
    async function makeChanges(): Promise<void> {
      const { api } = world.controlPlane;
      const rolledOut = (name: string) =>
        world.kubectl(['-n', 'shop', 'rollout', 'status', `deployment/${name}`, '--timeout=120s']);
      await world.kubectl(['-n', 'shop', 'set', 'image', 'deployment/frontend', `app=${SECOND}`]);
      await rolledOut('frontend');
      await settled((one) => isOf('frontend')(one) && one.containers[0]?.image === SECOND, 3);

      await world.kubectl(['-n', 'shop', 'scale', 'deployment/catalog', '--replicas=4']);
      await rolledOut('catalog');
      await settled(isOf('catalog'), 4);

      // As `kubectl drain`, which warns of each DaemonSet.
      await world.kubectl(['cordon', DRAINED]);
      const drained = running().filter((one) => one.node === DRAINED && !isOf('agent')(one));
      expect(drained).to.not.be.empty;
      for (const { namespace: space, name } of drained) {
        await api.create(`/api/v1/namespaces/${space}/pods/${name}/eviction`, {
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: { namespace: space, name },
        });
      }
      await settled((one) => one.node === DRAINED, 1);
      await settled(() => true, PODS + 2);
      await world.kubectl(['uncordon', DRAINED]);

      await world.kubectl(['-n', 'batch', 'create', 'job', '--from=cronjob/report', 'report-by-hand']);
      await world.kubectl(['-n', 'batch', 'wait', '--for=condition=complete', 'job/report-by-hand', '--timeout=120s']);

      const [worker] = running().filter(isOf('worker'));
      await world.nodes.evict(worker as PodOnNode);
      await settled(isOf('worker'), 3);
    }

    describe('after a rollout, a scale-up, a drain, a Job and an eviction', () => {
      before(async () => {
        await soon(async () => {
          const text = await metrics();
          expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
          expect(exposedValue(text, 'k8s_anomaly_detector_history_missing_seconds')).to.equal(0);
          // A day is held back. Right after an hour has ended, the model looks up to that hour, which is not read yet.
          const known = exposedValue(text, 'k8s_anomaly_detector_boundaries_known_seconds');
          expect(known).to.be.at.least((DAYS - 1) * 86_400 - 3600);
        });
      });

      it('scores each pod that runs, and says why the others have no score', async () => {
        const names = running().map((one) => `${one.namespace}/${one.name}`);
        const text = await soon(async () => {
          const now = await metrics();
          const scored = samplesOf(now, 'anomaly_score').map(({ labels }) => `${labels.namespace}/${labels.pod}`);
          expect(scored).to.include.members(names);
          return now;
        });
        const reasons = samplesOf(text, 'k8s_anomaly_detector_pods_unscored').filter(({ value }) => value > 0);
        const byReason = Object.fromEntries(reasons.map(({ labels, value }) => [labels.reason, value]));
        // The Job's pod and the one that was evicted; the one without an image.
        expect(byReason).to.deep.equal({ completed: 2, pending: 1 });
      });

      it('has nothing to report: no anomaly lasts, and no alert of the shipped rules fires', async () => {
        // The rules have read the exporter some times by then.
        await soon(async () => expect(await ask('count_over_time(k8s_anomaly_detector_up[1m]) > 3')).to.not.be.empty);
        expect(samplesOf(await metrics(), 'anomaly_lasting')).to.deep.equal([]);
        expect(await alerts()).to.deep.equal([]);
      });

      it('had nothing to report at any time of it: a backtest of these hours has no alert', async () => {
        const output = join(world.directory, 'backtest');
        await runBacktestCommand(
          {
            start: String(quietSeconds - BACKTEST_SECONDS),
            end: String(quietSeconds),
            sensitivity: '4',
            metrics: true,
            output,
          },
          {
            environment: {
              PATH: process.env.PATH ?? '',
              PROMETHEUS_URL: `http://127.0.0.1:${prometheusPort}`,
              ...SETTINGS,
            },
            stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
            progress: new PassThrough().resume(),
            signal: new AbortController().signal,
          },
        );
        const report = JSON.parse(await readFile(join(output, 'report.json'), 'utf8')) as BacktestReport;
        expect(report.alerts.map(({ alert, workload, pod: one }) => [alert, workload, one])).to.deep.equal([]);
        expect(report.failed_trainings).to.equal(0);
        expect(report.days_remembered_at_start).to.be.above(DAYS - 1);
        // Those of before, of the rollout, of the scale-up, and of the drain were scored in their time.
        const there = new Set([...earlier, ...running()].map(({ name }) => name));
        expect(report.pods).to.be.at.least(there.size);
      });

      it('is a cluster in which the check finds nothing wrong', async () => {
        const { text } = await checkOf(
          { PROMETHEUS_URL: `http://127.0.0.1:${prometheusPort}`, ...SETTINGS },
          { json: true },
        );
        const { findings, not_checked: notChecked } = JSON.parse(text) as {
          readonly findings: readonly { readonly severity: string; readonly summary: string }[];
          readonly not_checked: readonly unknown[];
        };
        expect(notChecked).to.deep.equal([]);
        expect(findings.filter(({ severity }) => severity !== 'ok')).to.deep.equal([]);
      });
    });

    describe('with a fault in two workloads', () => {
      let crashing: IPod;
      let firing: readonly FiringAlert[];

      before(async () => {
        await stop();
        recording.resume();
        const began = nowSeconds();
        const [sync] = running().filter(isOf('config-sync'));
        if (sync === undefined) throw new Error('Expected a pod of config-sync.');
        for (let crash = 1; crash < CRASHES; crash++) {
          await world.nodes.endContainer(sync, 'app', { reason: 'Error', exitCode: 3 });
          await recording.seen();
        }
        world.crash(sync, 'app', { reason: 'Error', exitCode: 3 });
        await soon(() => {
          const one = world.nodes.pods().find(({ name }) => name === sync.name);
          expect(one?.containers[0]?.state.type).to.equal('waiting');
        });
        await recording.seen();
        await recording.stop();
        const ended = nowSeconds();
        faultSince = ended - FAULT_SECONDS;
        anchors = [...anchors.slice(0, 2), [began, faultSince], [ended, ended]];
        crashing = await world.controlPlane.api.get<IPod>(`/api/v1/namespaces/platform/pods/${sync.name}`);
        await start('faults');
        // With what is known of these pods, for which the exporter asks after it has scored them.
        firing = await soon(async () => {
          const now = await alerts();
          expect(now.map(({ labels }) => `${labels.alertname} ${labels.workload}`)).to.have.members(EXPECTED_ALERTS);
          expect(now.map(({ annotations }) => annotations.description).join()).to.include('last ended by');
          return now;
        });
      });

      const alertOf = (name: string, workload: string) =>
        firing.find(({ labels }) => labels.alertname === name && labels.workload === workload);

      it('fires the alert of the workload whose pods take four times their memory', () => {
        const { labels, annotations } = alertOf('WorkloadAnomalous', 'cart') ?? {};
        expect(labels).to.deep.equal({
          alertname: 'WorkloadAnomalous',
          severity: 'warning',
          namespace: 'shop',
          workload: 'cart',
        });
        const usual = String.raw`\d+(?:\.\d+)? MiB, (?:3\.[5-9]|4\.[0-5]) x (?:usual|its siblings)`;
        expect(annotations?.summary).to.match(
          new RegExp(String.raw`^shop/cart: 2 of 2 pods, memory ${usual}, \d+% of its limit; since \d\d:\d\d UTC$`),
        );
        expect(annotations?.description).to.include('Furthest off: shop/cart-');
      });

      it('fires the alert of the pod that crashes in a loop, with its last end, its node and its image', () => {
        const { labels, annotations } = alertOf('PodAnomalous', 'config-sync') ?? {};
        const { name = '' } = crashing.metadata ?? {};
        expect(labels).to.deep.equal({
          alertname: 'PodAnomalous',
          severity: 'warning',
          namespace: 'platform',
          workload: 'config-sync',
          pod: name,
        });
        expect(annotations?.summary).to.match(
          new RegExp(
            String.raw`^platform/${name}: restarts \+${CRASHES} within an hour; last ended by Error; CrashLoopBackOff; since \d\d:\d\d UTC$`,
          ),
        );
        expect(annotations?.description)
          .to.include('Container app last ended by Error (exit code 3).')
          .and.to.include('Container app waits: CrashLoopBackOff.')
          .and.to.include(`On node ${crashing.spec?.nodeName}.`)
          .and.to.include('Image registry.example.com/platform/config-sync:3.1.')
          .and.to.not.include('released');
      });

      it('says since when that pod is there', async () => {
        const { name: one = '', creationTimestamp } = crashing.metadata ?? {};
        const created = exposedValue(await metrics(), 'anomaly_pod_created_timestamp_seconds', { pod: one });
        expect(created).to.equal(Date.parse(String(creationTimestamp)) / 1000);
      });

      it('has nothing to report about the workloads that were rolled out, scaled, moved or evicted', async () => {
        const lasting = samplesOf(await metrics(), 'anomaly_lasting').map(({ labels }) => labels.workload);
        expect(new Set(lasting)).to.deep.equal(new Set(['cart', 'config-sync']));
        const fired = await ask('count by (alertname, workload) (last_over_time(ALERTS{alertstate="firing"}[10m]))');
        const names = fired.map(({ alertname, workload }) => `${alertname} ${workload}`);
        expect(names).to.have.members([...new Set(EXPECTED_ALERTS)]);
      });
    });
  });
}
