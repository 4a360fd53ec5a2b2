import { expect } from 'chai';
import { existingAlerts, matchLevel, overlapsOf } from '../../../src/tools/backtest/existing-alerts.js';
import type { Alert } from '../../../src/tools/replay/alerts.js';
import { gridBetween, type Slab } from '../../../src/tools/replay/range-matrix.js';

const START = 1_777_593_600;

/** A series of ALERTS that is there at these minutes. */
function slab(
  startMinute: number,
  minutes: number,
  series: readonly (readonly [Record<string, string>, readonly number[]])[],
): Slab {
  const start = START + startMinute * 60;
  const values = new Float64Array(series.length * minutes).fill(Number.NaN);
  series.forEach(([, present], row) => {
    for (const minute of present) values[row * minutes + minute - startMinute] = 1;
  });
  return {
    grid: gridBetween(start, start + (minutes - 1) * 60, 60),
    labels: series.map(([labels]) => labels),
    values,
  };
}

const named = (alertname: string, more: Record<string, string> = {}) => ({ alertname, ...more });

describe('alerts that fired then', () => {
  it('are read across answers, a short gap included', () => {
    const labels = named('High', { namespace: 'shop' });
    const alerts = existingAlerts([slab(0, 10, [[labels, [5, 6, 8, 9]]]), slab(10, 10, [[labels, [10, 17]]])]);
    expect(alerts.map(({ startSeconds, endSeconds }) => [startSeconds - START, endSeconds - START])).to.deep.equal([
      [300, 660],
      [1020, 1080],
    ]);
  });

  it('leave out ours and those that always fire', () => {
    const always = ['PodAnomalous', 'WorkloadAnomalous', 'AnomalyModelStale', 'Watchdog'].map(
      (name) => [named(name), [0]] as const,
    );
    expect(
      existingAlerts([slab(0, 1, [...always, [named('Anomalies'), [0]]])]).map(({ alertname }) => alertname),
    ).to.deep.equal(['Anomalies']);
  });
});

describe('alerts about the same', () => {
  const ours = { namespace: 'shop', workload: 'cart', pod: 'cart-647f9478f7-jt654' };

  for (const [labels, level] of [
    [{ namespace: 'shop', pod: ours.pod }, 'pod'],
    [{ exported_namespace: 'shop', exported_pod: ours.pod }, 'pod'],
    [{ namespace: 'shop', deployment: 'cart' }, 'workload'],
    [{ namespace: 'shop', replicaset: 'cart-647f9478f7-x2x4z' }, 'workload'],
    [{ namespace: 'shop', pod: 'cart-647f9478f7-x2x4z' }, 'workload'],
    [{ namespace: 'shop', severity: 'page' }, 'namespace'],
    [{ namespace: 'shop', deployment: 'till' }, undefined],
    [{ namespace: 'shop', pod: 'till-0' }, undefined],
    [{ namespace: 'data', pod: ours.pod }, undefined],
    [{}, undefined],
  ] as const) {
    it(`${JSON.stringify(labels)}: ${level ?? 'no'}`, () => expect(matchLevel(ours, labels)).to.equal(level));
  }

  it('are none for the whole fleet', () => {
    expect(matchLevel({ namespace: '', workload: '', pod: '' }, { namespace: 'shop' })).to.equal(undefined);
  });

  it('count while both fire, the closest only, with the lead of ours', () => {
    const alert: Alert = {
      ...ours,
      name: 'PodAnomalous',
      startSeconds: 600,
      endSeconds: 1200,
      open: false,
      heldUntilSeconds: 1200,
    };
    const at = (from: number, to: number, labels: Record<string, string>) => ({
      alertname: 'High',
      labels: { namespace: 'shop', ...labels },
      startSeconds: START + from,
      endSeconds: START + to,
    });
    const later = at(900, 2000, { pod: ours.pod });
    const others = [at(0, 600, { pod: ours.pod }), at(300, 900, {}), at(700, 800, { pod: 'till-0' }), later];
    expect(overlapsOf(alert, others, START)).to.deep.equal([{ existing: later, level: 'pod', leadSeconds: 300 }]);
    expect(overlapsOf(alert, others.slice(0, 3), START).map(({ leadSeconds }) => leadSeconds)).to.deep.equal([-300]);
  });
});
