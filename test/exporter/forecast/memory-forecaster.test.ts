import { expect } from 'chai';
import { PART_LABEL } from '../../../src/exporter/context/queries.js';
import type { Detection } from '../../../src/exporter/detection/detection.js';
import { secondsToLimit } from '../../../src/exporter/forecast/forecast-state.js';
import { MemoryForecaster } from '../../../src/exporter/forecast/memory-forecaster.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { type FakeApi, fakeApi } from '../../support/fake-api.js';
import { memoryDetection, memoryModel } from '../../support/memory-detection.js';
import { recordingLogger } from '../../support/recording-logger.js';

const NOON = 1_767_268_800;
const GIB = 2 ** 30;

/** A pod whose memory grows by so much an hour since some hours before noon. */
interface Leak {
  readonly startHours: number;
  readonly perHour: number;
  /** `undefined`: none. */
  readonly limit: number | undefined;
}

/** What Prometheus has: the working set, or only the usage, of some pods. */
class Cluster {
  metric = 'container_memory_working_set_bytes';
  /** The most that each workload had a week ago. */
  usual = 0;
  readonly pods = new Map<string, Leak>();

  readonly answer = (query: string, timeSeconds: number) => {
    const names = /\bpod=~"([^"]*)"/.exec(query)?.[1] ?? '';
    const named = [...this.pods].filter(([pod]) => new RegExp(`^(?:${names})$`).test(pod));
    if (query.includes('kube_pod_container_resource_limits')) {
      return named.flatMap(([pod, { limit }]) => {
        const labels = { namespace: 'shop', pod, container: 'app' };
        const is = { labels: { ...labels, [PART_LABEL]: 'container', image: 'app:1' }, value: 1 };
        return [
          is,
          ...(limit === undefined
            ? []
            : [{ labels: { ...labels, [PART_LABEL]: 'limit', resource: 'memory' }, value: limit }]),
        ];
      });
    }
    if (!query.includes(this.metric)) return [];
    if (query.startsWith('max(')) return this.usual === 0 ? [] : [{ labels: {}, value: this.usual }];
    return named.map(([pod]) => ({ labels: { namespace: 'shop', pod }, value: this.bytesOf(pod, timeSeconds) }));
  };

  bytesOf(pod: string, timeSeconds: number): number {
    const { startHours, perHour } = this.pods.get(pod) as Leak;
    return GIB + perHour * Math.max(0, (timeSeconds - NOON) / 3600 + startHours);
  }

  detection(timeSeconds: number): Detection {
    return memoryDetection(timeSeconds, [...this.pods.keys()].sort(), (pod) => this.bytesOf(pod, timeSeconds));
  }
}

describe('forecasts of memory', () => {
  let cluster: Cluster;
  let api: FakeApi;
  let forecaster: MemoryForecaster;
  let log: ReturnType<typeof recordingLogger>;

  /** Lets some hours pass, with a detection every half hour, up to a time in seconds after noon. */
  const pass = async (seconds = 0, hours = 3) => {
    for (let before = 3600 * hours; before >= 0; before -= 1800) {
      await forecaster.ask(cluster.detection(NOON + seconds - before));
    }
    return forecaster.state();
  };
  const hoursOf = (pod: string, seconds = 0) => {
    const left = secondsToLimit(forecaster.state().pods.get(`shop/${pod}`), NOON + seconds);
    return left && left / 3600;
  };

  beforeEach(() => {
    cluster = new Cluster();
    cluster.pods.set('cart-0', { startHours: 3, perHour: GIB, limit: 6 * GIB });
    cluster.pods.set('steady-0', { startHours: 0, perHour: 0, limit: 2 * GIB });
    api = fakeApi(cluster.answer);
    log = recordingLogger();
    const queryOptions = { podLabel: 'pod' };
    forecaster = new MemoryForecaster({ api, queryOptions, logger: log });
  });

  it('say when a pod whose memory grows reaches its limit, and nothing of the others', async () => {
    const { pods, succeeded } = await pass();
    expect(succeeded).to.equal(true);
    expect([...pods.keys()]).to.deep.equal(['shop/cart-0']);
    const { bytes, limitBytes, workload } = pods.get('shop/cart-0') ?? {};
    expect({ bytes, limitBytes, workload }).to.deep.equal({
      bytes: 4 * GIB,
      limitBytes: 6 * GIB,
      workload: 'cart',
    });
    expect(hoursOf('cart-0')).to.be.closeTo(2, 0.01);
    expect(hoursOf('cart-0', 600)).to.be.closeTo(2 - 1 / 6, 0.01);
  });

  it('do not count any more after a quarter of an hour without a new one', async () => {
    await pass();
    expect(hoursOf('cart-0', 900)).not.to.equal(undefined);
    expect(hoursOf('cart-0', 960)).to.equal(undefined);
  });

  it('are made once in five minutes, of few pods, and nobody waits for them', async () => {
    await pass();
    const asked = api.asked.length;
    await forecaster.ask(cluster.detection(NOON + 240));
    expect(api.asked).to.have.lengthOf(asked);
    await forecaster.ask(cluster.detection(NOON + 300));
    expect(api.asked.length).to.equal(asked + 3);
    for (const { query } of api.asked)
      expect(query)
        .to.match(/cart/)
        .and.not.match(/steady/);
  });

  it('are not there without a limit', async () => {
    cluster.pods.set('cart-0', { startHours: 3, perHour: GIB, limit: undefined });
    expect((await pass()).pods.size).to.equal(0);
  });

  it('are not there for what is usual for the workload', async () => {
    cluster.usual = 3.9 * GIB;
    expect((await pass()).pods.size).to.equal(0);
  });

  it('read what counts as memory where there is no working set', async () => {
    cluster.metric = 'container_memory_usage_bytes';
    await pass();
    expect(hoursOf('cart-0')).to.be.closeTo(2, 0.01);
  });

  it('go away when the pod is restarted or gone', async () => {
    await pass();
    cluster.pods.set('cart-0', { startHours: 0, perHour: GIB, limit: 6 * GIB });
    await forecaster.ask(cluster.detection(NOON + 300));
    expect(forecaster.state().pods.size).to.equal(0);
  });

  it('stay for a while when Prometheus fails, which is logged once', async () => {
    await pass();
    api.before = () => {
      throw new PrometheusError('connection', 'Prometheus is away.');
    };
    for (const seconds of [300, 360, 420]) await forecaster.ask(cluster.detection(NOON + seconds));
    expect(forecaster.state().succeeded).to.equal(false);
    expect(hoursOf('cart-0', 420)).to.be.closeTo(2 - 420 / 3600, 0.01);
    api.before = () => {};
    await forecaster.ask(cluster.detection(NOON + 480));
    expect(forecaster.state().pods.get('shop/cart-0')?.forecastSeconds).to.equal(NOON + 300);
    expect(log.lines.map(({ message }) => message)).to.deep.equal([
      'It is not known when memory runs full. Prometheus is away.',
      'Forecasts of memory are made again.',
    ]);
  });

  it('stay where an answer is incomplete and does not name the pod', async () => {
    await pass();
    api.warnings = ['store 10.0.0.7 is down'];
    cluster.metric = 'nothing';
    await forecaster.ask(cluster.detection(NOON + 300));
    expect(hoursOf('cart-0', 300)).to.be.closeTo(2 - 1 / 12, 0.01);
    api.warnings = [];
    await forecaster.ask(cluster.detection(NOON + 600));
    expect(forecaster.state().pods.size).to.equal(0);
  });

  it('end when the service does, without a word', async () => {
    await pass(0, 2.5);
    api.before = () => new Promise(() => {});
    const asking = forecaster.ask(cluster.detection(NOON + 300));
    await forecaster.stop();
    await asking;
    expect(log.lines).to.deep.equal([]);
    await forecaster.ask(cluster.detection(NOON + 900));
  });

  it('are not made where the features have no memory in bytes', async () => {
    const detection = cluster.detection(NOON);
    await forecaster.ask({ ...detection, model: memoryModel('ratio') });
    expect(api.asked).to.deep.equal([]);
  });
});
