import { expect } from 'chai';
import { type Alert, type PodRuns, SHIPPED_FOR_SECONDS, simulateAlerts } from '../../../src/tools/replay/alerts.js';

const RULES = { forSeconds: SHIPPED_FOR_SECONDS, closedRanges: false };
const HOURS_3 = 180;

/** A pod that is scored all the time, or in these runs. */
const pod = (name: string, lasting: readonly number[], scored: readonly number[] = [0, HOURS_3]): PodRuns => ({
  namespace: 'shop',
  pod: name,
  workload: name.split('-')[0] ?? '',
  scored,
  muted: [],
  lasting,
});
/** Quiet pods, each a workload of its own. */
const quiet = (count: number) => Array.from({ length: count }, (_, index) => pod(`quiet${index}`, []));

const told = (alerts: readonly Alert[]) =>
  alerts.map(({ name, startSeconds, endSeconds }) => [name, startSeconds / 60, endSeconds / 60]);

const run = (pods: readonly PodRuns[], options = RULES) => simulateAlerts([...pods, ...quiet(20)], HOURS_3, options);

describe('the alerts of the shipped rules', () => {
  it('fire for a pod at the third reading of its anomaly, and for ten minutes after the last one', () => {
    expect(told(run([pod('cart-0', [30, 50])]))).to.deep.equal([['PodAnomalous', 31, 59.5]]);
    // In a range of Prometheus 2, there is one reading more.
    const closed = { ...RULES, closedRanges: true };
    expect(told(run([pod('cart-0', [30, 50])], closed))).to.deep.equal([['PodAnomalous', 31, 60]]);
  });

  it('let two readings pass', () => {
    expect(run([pod('cart-0', [30, 31])])).to.deep.equal([]);
    expect(run([pod('cart-0', [30, 32])])).to.have.lengthOf(1);
  });

  it('need three readings within three minutes', () => {
    expect(told(run([pod('cart-0', [30, 31, 32, 33])]))).to.deep.equal([['PodAnomalous', 32, 42.5]]);
    expect(run([pod('cart-0', [30, 31, 33, 34])])).to.deep.equal([]);
    // The reading three minutes before is part of the range in Prometheus 2.
    expect(run([pod('cart-0', [30, 31, 33, 34])], { ...RULES, closedRanges: true })).to.have.lengthOf(1);
  });

  it('go on where the anomaly comes again within ten minutes', () => {
    expect(told(run([pod('cart-0', [30, 40, 48, 55])]))).to.deep.equal([['PodAnomalous', 31, 64.5]]);
    expect(run([pod('cart-0', [30, 40, 60, 70])])).to.have.lengthOf(2);
  });

  it('still fire at the end', () => {
    const [alert] = run([pod('cart-0', [170, HOURS_3])]);
    const times = { startSeconds: 171 * 60, heldUntilSeconds: HOURS_3 * 60, endSeconds: HOURS_3 * 60 };
    expect(alert).to.deep.include({ open: true, ...times });
  });

  it('fire for a workload before its pods, and longer', () => {
    expect(told(run([pod('cart-0', [30, 50]), pod('cart-1', [30, 50]), pod('cart-2', [])]))).to.deep.equal([
      ['WorkloadAnomalous', 30.5, 64.5],
      ['PodAnomalous', 31, 59.5],
      ['PodAnomalous', 31, 59.5],
    ]);
  });

  it('go on for a workload while one of its pods has an alert, once most of them had', () => {
    expect(told(run([pod('cart-0', [30, 100]), pod('cart-1', [30, 40]), pod('cart-2', [])]))).to.deep.equal([
      ['WorkloadAnomalous', 30.5, 109.5],
      ['PodAnomalous', 31, 109.5],
      ['PodAnomalous', 31, 49.5],
    ]);
  });

  it('have the workload that the exporter reports', () => {
    const own = { ...pod('cart-0', [30, 50]), workload: 'shopping-cart' };
    expect(run([own]).map(({ workload }) => workload)).to.deep.equal(['shopping-cart']);
  });

  it('know until when there was an anomaly, before they were only held', () => {
    const [alert] = run([pod('cart-0', [30, 40, 44, 55])]);
    expect((alert?.heldUntilSeconds ?? 0) / 60).to.equal(55);
  });

  it('need more than half of at least two pods for a workload', () => {
    const names = (pods: readonly PodRuns[]) => run(pods).map(({ name }) => name);
    expect(names([pod('cart-0', [30, 50]), pod('cart-1', [])])).to.deep.equal(['PodAnomalous']);
    expect(names([pod('cart-0', [30, 50])])).to.deep.equal(['PodAnomalous']);
    // One of two pods has no score any more.
    expect(names([pod('cart-0', [30, 50]), pod('cart-1', [], [0, 20])])).to.deep.equal(['PodAnomalous']);
  });

  it('do not count muted pods in the shares', () => {
    const muted = { ...pod('cart-2', []), muted: [20, 60] };
    const names = run([pod('cart-0', [30, 50]), pod('cart-1', []), muted, pod('cart-3', [30, 50])]).map(
      ({ name }) => name,
    );
    expect(names).to.deep.equal(['WorkloadAnomalous', 'PodAnomalous', 'PodAnomalous']);
  });

  it('fire for the fleet from a fifth of all pods and five on, for twenty minutes after', () => {
    const bad = (count: number) => Array.from({ length: count }, (_, index) => pod(`bad${index}`, [30, 50]));
    const alerts = run(bad(6));
    expect(told(alerts)[0]).to.deep.equal(['AnomalyMassFlagging', 30.5, 69.5]);
    expect(run(bad(5)).map(({ name }) => name)).to.not.include('AnomalyMassFlagging');
    const four = simulateAlerts([...bad(4), ...quiet(4)], HOURS_3, RULES);
    expect(four.map(({ name }) => name)).to.not.include('AnomalyMassFlagging');
  });

  it('take longer with a longer --for', () => {
    const longer = { ...RULES, forSeconds: 300 };
    expect(told(run([pod('cart-0', [30, 50])], longer))).to.deep.equal([['PodAnomalous', 34.5, 59.5]]);
    expect(run([pod('cart-0', [30, 34])], longer)).to.deep.equal([]);
  });
});
