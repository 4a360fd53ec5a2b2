import { expect } from 'chai';
import type { Detection } from '../../../src/exporter/detection/detection.js';
import { explanation, MOST_EXPLAINED_PODS } from '../../../src/exporter/metrics/explanation.js';
import { createMetrics } from '../../../src/exporter/metrics/registry.js';
import type { ExplainScope } from '../../../src/exporter/metrics/state.js';
import { exposedValue, samplesOf } from '../../support/exposition.js';
import { detectionOf, FAILED_PASS, passTo, stateWith } from '../../support/metric-sources.js';
import { scoredAs } from '../../support/scored.js';

const PODS = [
  ['shop', 'cart-0'],
  ['shop', 'cart-1'],
  ['bank', 'cart-0'],
] as const;

/** `shop/cart-1` is flagged; a score of 0 is none. */
const detection: Detection = { ...detectionOf(PODS), ...scoredAs(-0.1, 0.2, 0) };

const metricsWith = (explain: ExplainScope) => createMetrics(() => stateWith({ explain }));

async function textOf(explain: ExplainScope, outcome = passTo(detection)): Promise<string> {
  const { body } = await metricsWith(explain).render(async () => outcome);
  return body;
}

/** Pods that have series of a metric, each as often as it has them. */
const podsIn = (text: string, name: string) =>
  samplesOf(text, name).map(({ labels }) => `${labels.namespace}/${labels.pod}`);

describe('gauges of features', () => {
  for (const { name } of explanation) {
    it(`${name} is there for each feature of flagged pods, and for no other pod`, async () => {
      const text = await textOf('flagged');
      expect(podsIn(text, name)).to.deep.equal(['shop/cart-1', 'shop/cart-1', 'shop/cart-1']);
      const features = samplesOf(text, name).map(({ labels }) => labels.feature);
      expect(features).to.deep.equal(['cpu', 'memory', 'restarts']);
    });

    it(`${name} is there for every pod when all are wanted, if its anomaly lasts where it is about that`, async () => {
      const lasting = { ...detection, lasting: new Uint8Array(PODS.length).fill(1) };
      const text = await textOf('all', passTo(name === 'anomaly_feature_comparison_info' ? lasting : detection));
      expect(podsIn(text, name)).to.deep.equal(
        PODS.flatMap(([namespace, pod]) => [1, 2, 3].map(() => `${namespace}/${pod}`)),
      );
    });

    it(`${name} has no series when none is wanted, nor when the pass failed`, async () => {
      expect(samplesOf(await textOf('off'), name)).to.deep.equal([]);
      expect(samplesOf(await textOf('all', FAILED_PASS), name)).to.deep.equal([]);
    });
  }

  it('hold what the pod has, what is usual, and how many spreads lie between, with the sign', async () => {
    const text = await textOf('all');
    // The values of the fixture rise by an eighth from cell to cell, 1 is usual, and 2 are a spread.
    for (const [row, [namespace, pod]] of PODS.entries()) {
      for (const [column, feature] of ['cpu', 'memory', 'restarts'].entries()) {
        const labels = { namespace, pod, feature };
        const value = (3 * row + column) / 8;
        expect(exposedValue(text, 'anomaly_feature_value', labels)).to.equal(value);
        expect(exposedValue(text, 'anomaly_feature_expected', labels)).to.equal(1);
        expect(exposedValue(text, 'anomaly_feature_deviation', labels)).to.equal((value - 1) / 2);
      }
    }
  });

  it('tell of the highest scores where very many pods are flagged, in the order of the table', async () => {
    const pods = Array.from(
      { length: 3 * MOST_EXPLAINED_PODS },
      (_, row) => ['shop', `cart-${String(row).padStart(4, '0')}`] as const,
    );
    // Most of every third pod are the worst; all others are equal, and the first of them get the places left.
    const scores = pods.map((_, row) => (row % 3 === 2 && row > 30 ? 0.3 : 0.1));
    const many = { ...detectionOf(pods), ...scoredAs(...scores) };
    const text = await textOf('flagged', passTo(many));
    const worst = pods.filter((_, row) => row % 3 === 2 && row > 30).map(([, pod]) => `shop/${pod}`);
    const others = pods.filter((_, row) => row % 3 !== 2 || row <= 30).map(([, pod]) => `shop/${pod}`);
    const expected = [...worst, ...others.slice(0, MOST_EXPLAINED_PODS - worst.length)].sort();
    for (const { name } of explanation) {
      expect([...new Set(podsIn(text, name))], name).to.deep.equal(expected);
    }
    expect(podsIn(await textOf('all', passTo(many)), 'anomaly_feature_value')).to.have.lengthOf(
      9 * MOST_EXPLAINED_PODS,
    );
  });

  it('say what the value is compared with, of pods whose anomaly lasts only', async () => {
    const comparisons = Uint8Array.from([0, 0, 0, 1, 3, 5, 0, 0, 0]);
    const text = await textOf('all', passTo({ ...detection, comparisons }));
    expect(samplesOf(text, 'anomaly_feature_comparison_info').map(({ labels }) => labels)).to.deep.equal(
      (['time_of_day', 'siblings', 'rise_in_an_hour'] as const).map((comparison, column) => ({
        ...{ namespace: 'shop', pod: 'cart-1', comparison },
        feature: ['cpu', 'memory', 'restarts'][column],
      })),
    );
  });

  it('go away with the flag', async () => {
    const metrics = metricsWith('flagged');
    const before = await metrics.render(async () => passTo(detection));
    expect(podsIn(before.body, 'anomaly_feature_deviation')).to.have.lengthOf(3);
    const calm = { ...detection, ...scoredAs(-0.1, -0.2, 0) };
    const after = await metrics.render(async () => passTo(calm));
    for (const { name } of explanation) expect(samplesOf(after.body, name), name).to.deep.equal([]);
  });
});
