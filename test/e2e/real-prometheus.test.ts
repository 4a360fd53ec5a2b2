import { expect } from 'chai';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { type RunningService, startService } from '../../src/exporter/serve.js';
import { openMetricsHistory } from '../../src/tools/demo/exposition.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { startRealPrometheus } from '../../src/tools/demo/real-prometheus.js';
import { startExposition } from '../../src/tools/demo/sources.js';
import { createWorld, type World } from '../../src/tools/simulation/cluster.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { upstreamFault } from '../support/faults.js';
import { requireTool } from '../support/real-tools.js';
import { type RecordingLogger, recordingLogger } from '../support/recording-logger.js';
import { eventually } from '../support/waiting.js';

/** One series of an instant answer of the real Prometheus. */
interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

const EXPORTER_JOB = 'k8s-anomaly-detector';

describe('with a real Prometheus', function () {
  this.timeout(240_000);

  let world: World;
  let cluster: RunningServer;
  let prometheus: RunningServer;
  let proxy: FaultProxy;
  let exporter: RunningService;
  let logger: RecordingLogger;

  const nowSeconds = () => Date.now() / 1000;
  const ask = async (query: string): Promise<Sample[]> => {
    const response = await fetch(`${prometheus.url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query }),
    });
    const answer = (await response.json()) as { status: string; data: { result: Sample[] }; error?: string };
    expect(answer.status, answer.error).to.equal('success');
    return answer.data.result;
  };
  const singleValue = async (query: string): Promise<number> => {
    const samples = await ask(query);
    expect(samples, query).to.have.lengthOf(1);
    return Number(samples[0]?.value[1]);
  };

  const scrapes = () => singleValue(`count_over_time(up{job="${EXPORTER_JOB}"}[1h])`);

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    const start = nowSeconds();
    world = createWorld({
      seed: 7,
      startSeconds: start,
      rollouts: [],
      incidents: [
        // Recovered from long before now, but its containers have restarted: several cgroups in the history.
        incident('crash-loop', 'platform', 'config-sync', -1800, -1500),
        incident('runaway-cpu', 'shop', 'cart', 30, 3600),
      ],
    });
    cluster = await startExposition(world, nowSeconds);
    const instance = new URL(cluster.url).host;
    const exporterPort = await freePort();
    prometheus = await startRealPrometheus({
      path: process.env.PATH ?? '',
      configuration: configuration(instance, `127.0.0.1:${exporterPort}`),
      history: openMetricsHistory(world, {
        startSeconds: Math.floor(start) - 75 * 60,
        endSeconds: Math.floor(start),
        stepSeconds: 15,
        targetLabels: { job: 'kubelet', instance },
      }),
    });
    proxy = await startFaultProxy(prometheus.url);
    logger = recordingLogger();
    const { settings } = parseSettings({
      PROMETHEUS_URL: proxy.url,
      HOST: '127.0.0.1',
      PORT: String(exporterPort),
      REQUEST_TIMEOUT_SECONDS: '1.5',
    });
    exporter = await startService(settings, logger);
    await eventually(async () => {
      expect(await singleValue('k8s_anomaly_detector_model_trained')).to.equal(1);
    }, 60_000);
  });

  after(async () => {
    await exporter?.close();
    await proxy?.close();
    await prometheus?.close();
    await cluster?.close();
  });

  it('has the duplicates in its data that real clusters have', async () => {
    const memory = 'container_memory_usage_bytes{namespace="shop"}';
    await eventually(async () => {
      expect(await singleValue(`count(count by (job) (${memory}))`), 'kubelet scraped twice').to.equal(2);
    });
    expect(await ask('container_memory_usage_bytes{container="",namespace="shop"}'), 'whole pod').to.not.be.empty;
    expect(await ask('container_memory_usage_bytes{container="POD",namespace="shop"}'), 'pause').to.not.be.empty;
    const cgroups =
      'count_over_time((count by (pod, container) (container_memory_usage_bytes{job="kubelet",' +
      'container!="",container!="POD",namespace="platform"}) > 1)[40m:15s])';
    expect(await ask(cgroups), 'two cgroups after a restart').to.not.be.empty;
  });

  it('counts each container once', async () => {
    const { pods } = (await (await fetch(`${exporter.url}/detect`)).json()) as {
      pods: { namespace: string; pod: string; memory: number }[];
    };
    expect(pods.length).to.be.greaterThan(30);
    for (const { namespace, pod, memory } of pods.filter((candidate) => candidate.namespace === 'data')) {
      const state = world.pods(nowSeconds()).find((known) => known.namespace === namespace && known.pod === pod);
      const expected = state?.containers.reduce((sum, { cgroups }) => sum + (cgroups[0]?.memoryBytes ?? 0), 0);
      expect(memory, pod).to.be.closeTo(expected ?? 0, 0.1 * (expected ?? 0));
    }
  });

  it('flags the pod that goes wrong, under its own labels', async () => {
    const [fault] = world.incidents.filter(({ kind }) => kind === 'runaway-cpu');
    const flag = `anomaly_flag{namespace="shop",pod="${fault?.pod}"}`;
    expect(fault?.pod).to.match(/^cart-/);
    await eventually(async () => expect(await singleValue(flag)).to.equal(1), 150_000);
    expect(await singleValue(`anomaly_score{namespace="shop",pod="${fault?.pod}"}`)).to.be.greaterThan(0);
    expect(nowSeconds(), 'not before it began').to.be.greaterThan(fault?.startSeconds ?? Infinity);
    // Asked for after the pass, and so in a later scrape.
    await eventually(async () => {
      const limit = `anomaly_pod_limit{namespace="shop",pod="${fault?.pod}",resource="memory"}`;
      expect(await singleValue(limit)).to.equal(2 ** 30);
      expect(await singleValue(`anomaly_pod_info{pod="${fault?.pod}",workload="cart",node=~"node-[1-5]"}`)).to.equal(1);
    }, 90_000);
    const before = `max_over_time(${flag}[5m] @ ${Math.floor(fault?.startSeconds ?? 0)})`;
    for (const sample of await ask(before)) expect(sample.value[1], 'flag before the fault').to.equal('0');
  });

  it('leaves the large database and most others alone', async () => {
    expect(await singleValue('max_over_time(anomaly_flag{namespace="data",pod="postgres-0"}[10m])')).to.equal(0);
    // A pass that took too long names no pod.
    await eventually(async () => expect(await singleValue('count(anomaly_flag)')).to.be.greaterThan(30));
    expect(await singleValue('sum(max_over_time(anomaly_flag[5s]))')).to.be.lessThan(5);
  });

  it('leaves no label that honor_labels would have renamed', async () => {
    expect(await ask('{exported_pod!=""}')).to.be.empty;
  });

  for (const name of [
    'closes the connection without an answer',
    'answers with a login page',
    'accepts and never answers',
    'sends one byte a second',
  ]) {
    it(`answers every scrape without a stale flag while Prometheus ${name}, and recovers`, async () => {
      await eventually(async () => expect(await ask('anomaly_flag')).to.not.be.empty);
      const began = nowSeconds();
      await proxy.switchTo(upstreamFault(name).fault);
      await eventually(async () => {
        expect(await singleValue('k8s_anomaly_detector_up')).to.equal(0);
        expect(await ask('anomaly_flag or anomaly_score')).to.be.empty;
        // What was answered for a minute stays until it is over.
      }, 120_000);
      const before = await scrapes();
      await eventually(async () => expect(await scrapes()).to.be.above(before + 1));
      expect(await ask('anomaly_flag or anomaly_score')).to.be.empty;
      expect(await singleValue('k8s_anomaly_detector_model_trained'), 'the model stays').to.equal(1);
      await proxy.switchTo(undefined);
      await eventually(async () => {
        expect(await singleValue('k8s_anomaly_detector_up')).to.equal(1);
        expect(await ask('anomaly_flag')).to.not.be.empty;
      });
      const seconds = Math.ceil(nowSeconds() - began);
      const worst = `min_over_time(up{job="${EXPORTER_JOB}"}[${seconds}s])`;
      expect(await singleValue(worst), 'every scrape succeeded').to.equal(1);
    });
  }

  it('says in the log what was wrong and that it is over, once for each fault', () => {
    const messages = logger.lines.map(({ message }) => message);
    expect(messages.filter((message) => message.includes('Prometheus answers again')).length).to.be.within(4, 12);
    expect(
      messages.some((message) => message.includes('Sign in')),
      'quotes the page',
    ).to.equal(true);
  });
});

function incident(
  kind: World['incidents'][number]['kind'],
  namespace: string,
  workload: string,
  startOffsetSeconds: number,
  endOffsetSeconds: number,
) {
  return { kind, namespace, workload, replica: 0, startOffsetSeconds, endOffsetSeconds };
}

/** The cluster twice, as a kubelet is that two Services lead to; and the exporter. */
function configuration(cluster: string, exporter: string): string {
  return `global: { scrape_interval: 2s, scrape_timeout: 2s }
scrape_configs:
  - { job_name: kubelet, honor_labels: true, scrape_interval: 5s, static_configs: [{ targets: ['${cluster}'] }] }
  - { job_name: kubelet-again, honor_labels: true, scrape_interval: 5s, static_configs: [{ targets: ['${cluster}'] }] }
  - { job_name: ${EXPORTER_JOB}, honor_labels: true, static_configs: [{ targets: ['${exporter}'] }] }
`;
}
