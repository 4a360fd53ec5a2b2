import { expect } from 'chai';
import type { Alert, AlertName } from '../../../src/tools/replay/alerts.js';
import { notify } from '../../../src/tools/replay/messages.js';
import { minuteAlert } from '../../support/minute-alerts.js';

/** An alert by minutes; open where it has no end. */
const alert = (name: AlertName, subject: string, from: number, to?: number, open = to === undefined) =>
  minuteAlert(name, subject, from, to ?? 180, open);
const pod = (name: string, from: number, to?: number) => alert('PodAnomalous', name, from, to);
const workload = (name: string, from: number, to?: number) => alert('WorkloadAnomalous', name, from, to);
const namespace = (from: number, to?: number): Alert => ({
  ...alert('NamespaceAnomalous', '', from, to),
  namespace: 'shop',
});
const fleet = (from: number, to?: number) => alert('AnomalyMassFlagging', '', from, to);

/** Minutes and the names of what is new in each message. */
const sent = (alerts: readonly Alert[]) =>
  notify(alerts).messages.map(({ sentSeconds, alerts: fresh }) => [
    sentSeconds / 60,
    ...fresh.map((own) => own.pod || own.workload || own.namespace || 'fleet'),
  ]);

describe('the messages of the shipped Alertmanager configuration', () => {
  it('come after the wait of their group, with all that fires by then', () => {
    expect(sent([pod('cart-0', 10, 30), pod('cart-1', 10.5, 30), pod('till-0', 12, 30)])).to.deep.equal([
      [10.75, 'cart-0', 'cart-1'],
      [12.75, 'till-0'],
    ]);
  });

  it('report a further pod of the workload at the next flush, five minutes apart', () => {
    expect(sent([pod('cart-0', 10, 60), pod('cart-1', 11, 60), pod('cart-2', 22, 60)])).to.deep.equal([
      [10.75, 'cart-0'],
      [15.75, 'cart-1'],
      [25.75, 'cart-2'],
    ]);
  });

  it('do not repeat an alert that goes on, nor one that comes back before the next flush', () => {
    expect(sent([pod('cart-0', 10, 17), pod('cart-0', 18, 60)])).to.deep.equal([[10.75, 'cart-0']]);
    expect(sent([pod('cart-0', 10, 17), pod('cart-1', 10, 60), pod('cart-0', 22, 60)])).to.deep.equal([
      [10.75, 'cart-0', 'cart-1'],
      [25.75, 'cart-0'],
    ]);
  });

  it('begin anew once all alerts of the group are resolved', () => {
    expect(sent([pod('cart-0', 10, 17), pod('cart-0', 30, 50)])).to.deep.equal([
      [10.75, 'cart-0'],
      [30.75, 'cart-0'],
    ]);
  });

  it('are held back by the alert of the workload, until it ends', () => {
    const [first, second] = [pod('cart-0', 35, 130), pod('cart-1', 35, 60)];
    const alerts = [first, second, workload('cart', 35, 65)];
    expect(sent(alerts)).to.deep.equal([
      [35.75, 'cart'],
      [65.75, 'cart-0'],
    ]);
    const { sentSeconds } = notify(alerts);
    expect([sentSeconds.get(first), sentSeconds.has(second)]).to.deep.equal([65.75 * 60, false]);
  });

  it('are held back by the alert of the fleet, which is a message of its own', () => {
    expect(sent([fleet(32, 70), pod('cart-0', 35, 60), workload('till', 35, 60)])).to.deep.equal([[32.5, 'fleet']]);
    expect(sent([fleet(32), pod('cart-0', 35)])).to.deep.equal([[32.5, 'fleet']]);
  });

  it('are held back by the alert of their namespace, which that of the fleet holds back', () => {
    expect(sent([namespace(32, 70), pod('cart-0', 35, 60), workload('till', 35, 60)])).to.deep.equal([[32.5, 'shop']]);
    expect(sent([namespace(33, 60), fleet(32, 70)])).to.deep.equal([[32.5, 'fleet']]);
  });

  it('do not repeat an alert whose end nobody learned of, as it was held back then', () => {
    const alerts = [pod('cart-0', 1, 13.5), fleet(15, 22), pod('cart-0', 25, 29), pod('cart-0', 40, 60)];
    expect(sent(alerts)).to.deep.equal([
      [1.75, 'cart-0'],
      [15.5, 'fleet'],
      [40.75, 'cart-0'],
    ]);
  });

  it('count what still fires at the end as if it went on', () => {
    expect(sent([pod('cart-0', 179.5)])).to.deep.equal([[180.25, 'cart-0']]);
    expect(sent([pod('cart-0', 100), pod('cart-1', 179.5)])).to.deep.equal([
      [100.75, 'cart-0'],
      [180.75, 'cart-1'],
    ]);
  });
});
