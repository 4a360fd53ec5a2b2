import { expect } from 'chai';
import type { Detection } from '../../../src/exporter/detection/detection.js';
import { FeatureTable } from '../../../src/exporter/features/table.js';
import { createMetrics } from '../../../src/exporter/metrics/registry.js';
import { samplesOf } from '../../support/exposition.js';
import { detectionOf, FAILED_PASS, passTo, stateWith } from '../../support/metric-sources.js';
import { scoredAs } from '../../support/scored.js';

const PODS = [
  ['bank', 'cart-a', 'cart', 0.1],
  ['shop', 'cart-a', 'cart', 0.3],
  ['shop', 'cart-b', 'cart', -0.1],
  ['shop', 'cart-c', 'cart', 0.2],
  ['shop', 'till-0', 'till', -0.4],
  ['shop', 'till-1', 'till', 0],
] as const;

function detectionOfPods(pods: readonly (typeof PODS)[number][]): Detection {
  const detection = detectionOf(pods.map(([namespace, pod]) => [namespace, pod]));
  return {
    ...detection,
    table: new FeatureTable({
      ...detection.table,
      pods: pods.map(([namespace, pod, workload]) => ({ namespace, pod, workload })),
    }),
    ...scoredAs(...pods.map(([, , , score]) => score)),
  };
}

const countsIn = (text: string, name: string) =>
  Object.fromEntries(
    samplesOf(text, name).map(({ labels, value }) => [`${labels.namespace}/${labels.workload}`, value]),
  );

describe('anomaly_lasting', () => {
  it('has a series, with the workload, for pods whose anomaly lasts, and none for the others', async () => {
    const detection = detectionOfPods(PODS);
    const lasting = Uint8Array.from(PODS, ([namespace], row) =>
      Number(namespace === 'bank' || row === PODS.length - 1),
    );
    const metrics = createMetrics(() => stateWith({ explain: 'off' }));
    const { body } = await metrics.render(async () => passTo({ ...detection, lasting }));
    expect(samplesOf(body, 'anomaly_lasting')).to.deep.equal(
      PODS.filter((_, row) => lasting[row] === 1).map(([namespace, pod, workload]) => ({
        name: 'anomaly_lasting',
        labels: { namespace, pod, workload },
        value: 1,
      })),
    );
    expect(samplesOf(body, 'anomaly_flag')).to.have.lengthOf(PODS.length);
  });
});

describe('gauges of workloads', () => {
  const metrics = createMetrics(() => stateWith({ explain: 'off' }));
  const textOf = async (outcome = passTo(detectionOfPods(PODS))) => (await metrics.render(async () => outcome)).body;

  it('count the pods that were scored, each workload in its namespace', async () => {
    expect(countsIn(await textOf(), 'anomaly_workload_pods_scored')).to.deep.equal({
      'bank/cart': 1,
      'shop/cart': 3,
      'shop/till': 2,
    });
  });

  it('count the pods that are flagged, 0 of them too, so that there is a quotient', async () => {
    expect(countsIn(await textOf(), 'anomaly_workload_pods_flagged')).to.deep.equal({
      'bank/cart': 1,
      'shop/cart': 2,
      'shop/till': 0,
    });
  });

  it('leave muted pods out, so that these do not make the share of the flagged ones smaller', async () => {
    const detection = detectionOfPods(PODS);
    const muted = Uint8Array.from(PODS, ([, , workload]) => Number(workload === 'till'));
    expect(countsIn(await textOf(passTo({ ...detection, muted })), 'anomaly_workload_pods_scored')).to.deep.equal({
      'bank/cart': 1,
      'shop/cart': 3,
      'shop/till': 0,
    });
  });

  it('begin anew with each scrape', async () => {
    await textOf();
    const text = await textOf(passTo(detectionOfPods(PODS.slice(0, 2))));
    for (const name of ['anomaly_workload_pods_flagged', 'anomaly_workload_pods_scored']) {
      expect(countsIn(text, name)).to.deep.equal({ 'bank/cart': 1, 'shop/cart': 1 });
      expect(samplesOf(await textOf(FAILED_PASS), name)).to.deep.equal([]);
    }
  });
});
