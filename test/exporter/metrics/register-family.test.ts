import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { Counter, Gauge, Registry } from 'prom-client';
import { NO_SAMPLES, type Samples, sample } from '../../../src/exporter/metrics/family.js';
import { FamilyRegistry, registerFamily } from '../../../src/exporter/metrics/register-family.js';
import { HOSTILE_PODS, ORDINARY_PODS } from '../../support/metric-sources.js';

const LABEL_NAMES = ['namespace', 'pod'] as const;

const NUMBERS = [0, -0, 1, -1.5, 0.1 + 0.2, 1e21, 5e-324, 1e-7, Infinity, -Infinity];

/** Each kind of name with each kind of number. */
const TABLE: Samples = (() => {
  const pods = [...ORDINARY_PODS, ...HOSTILE_PODS];
  const series = NUMBERS.flatMap((_, index) => pods.map(([namespace, pod]) => [namespace, `${pod}${index}`]));
  return { series, values: series.map((_, row) => NUMBERS[Math.floor(row / pods.length)] as number) };
})();

const HELP = 'A \\ and\na new line.';

function register(registry: Registry, samples: Samples, name = 'a_gauge'): void {
  const family = { name, help: HELP, type: 'gauge', labels: LABEL_NAMES } as const;
  registerFamily(registry, { ...family, samples: (state: Samples) => state }, async () => samples);
}

/** The text of a gauge of prom-client with the same series. */
async function textOfGauge({ series, values }: Samples): Promise<string> {
  const registry = new Registry();
  const gauge = new Gauge({ name: 'a_gauge', help: HELP, labelNames: LABEL_NAMES, registers: [registry] });
  series.forEach(([namespace = '', pod = ''], row) => {
    gauge.set({ namespace, pod }, values[row] as number);
  });
  return registry.metrics();
}

describe('a family of gauges', () => {
  it('writes the text that a gauge of prom-client has, whatever the names and numbers', async () => {
    const registry = new FamilyRegistry();
    register(registry, TABLE);
    expect(await registry.metrics()).to.equal(await textOfGauge(TABLE));
  });

  it('has the same text in a registry that knows nothing of it', async () => {
    const registry = new Registry();
    register(registry, TABLE);
    expect(await registry.metrics()).to.equal(await textOfGauge(TABLE));
  });

  it('says what it is when there is no series', async () => {
    const registry = new FamilyRegistry();
    register(registry, NO_SAMPLES);
    expect(await registry.metrics()).to.equal(await textOfGauge(NO_SAMPLES));
  });

  it('stands between other metrics, in the order in which they were registered', async () => {
    const registry = new FamilyRegistry();
    new Gauge({ name: 'first', help: 'First.', registers: [registry] }).set(1);
    register(registry, { series: [['shop', 'till-0']], values: [2] });
    new Gauge({ name: 'last', help: 'Last.', registers: [registry] }).set(3);
    const lines = (await registry.metrics()).split('\n').filter((line) => !line.startsWith('#'));
    expect(lines).to.deep.equal(['first 1', '', 'a_gauge{namespace="shop",pod="till-0"} 2', '', 'last 3', '']);
  });

  it('lets others have their turn while it writes many lines, and writes each of them', async () => {
    const series = Array.from({ length: 50_000 }, (_, index) => ['shop', `cart-${index}`]);
    const registry = new FamilyRegistry();
    register(registry, { series, values: series.map((_, row) => row) });
    let turns = 0;
    let isWriting = true;
    const others = (async () => {
      for (; isWriting; turns++) await nextTurn();
    })();
    const text = await registry.metrics();
    isWriting = false;
    await others;
    expect(turns).to.be.above(10);
    const lines = text.split('\n').filter((line) => line.startsWith('a_gauge'));
    expect(lines).to.deep.equal(series.map(([, pod], row) => `a_gauge{namespace="shop",pod="${pod}"} ${row}`));
  });

  it('makes the labels once for gauges that show the same series, many as they are', async () => {
    let read = 0;
    const series = Array.from({ length: 10_000 }, (_, row) => {
      const labels = ['shop', `cart-${row}`];
      const get = () => {
        read++;
        return 'shop';
      };
      return Object.defineProperty(labels, 0, { get });
    });
    const registry = new FamilyRegistry();
    for (const name of ['a_gauge', 'b_gauge', 'c_gauge']) {
      register(registry, { series, values: series.map(() => 1) }, name);
    }
    await Promise.all([registry.metrics(), registry.metrics()]);
    expect(read).to.equal(series.length);
  });

  it('refuses a name that another metric has', () => {
    const registry = new FamilyRegistry();
    register(registry, NO_SAMPLES);
    expect(() => register(registry, NO_SAMPLES)).to.throw(/already been registered/);
  });
});

describe('a family without labels', () => {
  const textOf = async (type: 'gauge' | 'counter', value: number | undefined) => {
    const registry = new FamilyRegistry();
    const family = { name: 'a_metric_total', help: 'A metric.', type, labels: [] };
    registerFamily(registry, { ...family, samples: sample }, async () => value);
    await registry.metrics();
    return registry.metrics();
  };

  it('has one sample, the same after every scrape, as one of prom-client has', async () => {
    for (const [type, metric] of [
      ['gauge', new Gauge({ name: 'a_metric_total', help: 'A metric.', registers: [] })],
      ['counter', new Counter({ name: 'a_metric_total', help: 'A metric.', registers: [] })],
    ] as const) {
      metric.inc(3);
      const registry = new Registry();
      registry.registerMetric(metric);
      expect(await textOf(type, 3)).to.equal(await registry.metrics());
    }
  });

  it('has no sample without a value: a gauge of prom-client would read 0', async () => {
    expect(await textOf('gauge', undefined)).to.equal('# HELP a_metric_total A metric.\n# TYPE a_metric_total gauge\n');
  });
});
