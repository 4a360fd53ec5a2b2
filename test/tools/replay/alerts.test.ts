import { expect } from 'chai';
import { type Alert, type PodFlags, simulateAlerts } from '../../../src/tools/replay/alerts.js';

const RULES = { forSeconds: 300, closedRanges: false };
const HOURS_3 = 180;

/** A pod that is scored all the time, or in these runs. */
const pod = (name: string, flagged: readonly number[], scored: readonly number[] = [0, HOURS_3]): PodFlags => ({
  namespace: 'shop',
  pod: name,
  workload: name.split('-')[0] ?? '',
  scored,
  flagged,
});
/** Quiet pods, each a workload of its own. */
const quiet = (count: number) => Array.from({ length: count }, (_, index) => pod(`quiet${index}`, []));

const told = (alerts: readonly Alert[]) =>
  alerts.map(({ name, startSeconds, endSeconds }) => [name, startSeconds / 60, endSeconds / 60]);

const run = (pods: readonly PodFlags[], options = RULES) => simulateAlerts([...pods, ...quiet(20)], HOURS_3, options);

describe('the alerts of the shipped rules', () => {
  it('fire for a pod that is flagged for about five minutes, and for ten minutes after', () => {
    expect(told(run([pod('cart-0', [30, 50])]))).to.deep.equal([['PodAnomalous', 34.5, 60]]);
  });

  it('let a blip of four minutes pass', () => {
    expect(run([pod('cart-0', [30, 34])])).to.deep.equal([]);
    expect(run([pod('cart-0', [30, 36])])).to.have.lengthOf(1);
    // In a range of Prometheus 2, there is one reading more that was normal.
    const closed = { ...RULES, closedRanges: true };
    expect(run([pod('cart-0', [30, 35])])).to.have.lengthOf(1);
    expect(run([pod('cart-0', [30, 35])], closed)).to.deep.equal([]);
    expect(run([pod('cart-0', [30, 36])], closed)).to.have.lengthOf(1);
  });

  it('let three minutes in ten pass, of a pod, a workload and the whole fleet', () => {
    const brief = Array.from({ length: 12 }, (_, index) => [30 + 10 * index, 33 + 10 * index]).flat();
    const pods = (count: number, scored?: readonly number[]) =>
      Array.from({ length: count }, (_, index) => pod(`cart-${index}`, brief, scored));
    for (const closedRanges of [false, true]) {
      const simulate = (...all: readonly PodFlags[]) => simulateAlerts(all, HOURS_3, { ...RULES, closedRanges });
      expect(simulate(...pods(1), ...quiet(20))).to.deep.equal([]);
      expect(simulate(...pods(10))).to.deep.equal([]);
      // Their readings begin with the first flag.
      expect(simulate(...pods(10, [30, HOURS_3]))).to.deep.equal([]);
    }
  });

  it('fire five minutes after a flag that stays, however short one there was before', () => {
    expect(told(run([pod('cart-0', [30, 33, 35, 60])]))).to.deep.equal([['PodAnomalous', 39.5, 70]]);
  });

  it('let a minute between pass, but not half of the time', () => {
    expect(run([pod('cart-0', [30, 33, 34, 37])])).to.have.lengthOf(1);
    const flapping = Array.from({ length: 20 }, (_, index) => [30 + 2 * index, 31 + 2 * index]).flat();
    expect(run([pod('cart-0', flapping)])).to.deep.equal([]);
  });

  it('do not count readings that are missing', () => {
    // Flagged whenever it is there: a container that waits between two crashes.
    const there = [30, 32, 33, 34, 35, 37];
    expect(run([pod('cart-0', there, there)])).to.have.lengthOf(1);
    // One minute in ten is too little to tell.
    expect(run([pod('cart-0', [30, 31, 36, 37], [30, 31, 36, 37])])).to.deep.equal([]);
  });

  it('go on where trouble comes again within ten minutes', () => {
    expect(told(run([pod('cart-0', [30, 40, 44, 55])]))).to.deep.equal([['PodAnomalous', 34.5, 65]]);
    expect(run([pod('cart-0', [30, 40, 60, 70])])).to.have.lengthOf(2);
  });

  it('still fire at the end', () => {
    const [alert] = run([pod('cart-0', [170, HOURS_3])]);
    const times = { startSeconds: 174.5 * 60, heldUntilSeconds: HOURS_3 * 60, endSeconds: HOURS_3 * 60 };
    expect(alert).to.deep.include({ open: true, ...times });
  });

  it('fire for a workload besides its pods, and longer', () => {
    expect(told(run([pod('cart-0', [30, 50]), pod('cart-1', [30, 50]), pod('cart-2', [])]))).to.deep.equal([
      ['PodAnomalous', 34.5, 60],
      ['PodAnomalous', 34.5, 60],
      ['WorkloadAnomalous', 34.5, 65],
    ]);
  });

  it('know until when the expression held, before they were kept firing', () => {
    const [alert] = run([pod('cart-0', [30, 40, 44, 55])]);
    expect((alert?.heldUntilSeconds ?? 0) / 60).to.equal(55);
  });

  it('need more than half of at least two pods for a workload', () => {
    const names = (pods: readonly PodFlags[]) => run(pods).map(({ name }) => name);
    expect(names([pod('cart-0', [30, 50]), pod('cart-1', [])])).to.deep.equal(['PodAnomalous']);
    expect(names([pod('cart-0', [30, 50])])).to.deep.equal(['PodAnomalous']);
  });

  it('fire for the fleet from a fifth of all pods and five on', () => {
    const bad = (count: number) => Array.from({ length: count }, (_, index) => pod(`bad${index}`, [30, 50]));
    const alerts = run(bad(6));
    expect(told(alerts)[0]).to.deep.equal(['AnomalyMassFlagging', 33.5, 70]);
    expect(run(bad(5)).map(({ name }) => name)).to.not.include('AnomalyMassFlagging');
    const four = simulateAlerts([...bad(4), ...quiet(4)], HOURS_3, RULES);
    expect(four.map(({ name }) => name)).to.not.include('AnomalyMassFlagging');
  });

  it('take longer with a longer --for', () => {
    const longer = { ...RULES, forSeconds: 600 };
    expect(told(run([pod('cart-0', [30, 50])], longer))).to.deep.equal([['PodAnomalous', 39.5, 60]]);
    expect(run([pod('cart-0', [30, 39])], longer)).to.deep.equal([]);
  });
});
