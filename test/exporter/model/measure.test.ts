import { expect } from 'chai';
import type { FeatureDefinition } from '../../../src/exporter/features/catalog.js';
import { type BaselineKind, fitBaseline } from '../../../src/exporter/model/baseline.js';
import type { Measurement } from '../../../src/exporter/model/measure.js';
import { compress, smooth } from '../../../src/exporter/model/transform.js';
import { measure } from '../../support/measure.js';
import { feature, featureTable } from '../../support/tables.js';

const NONE = Number.NaN;
const GAUGE = feature('gauge', { relativeSpreadFloor: 0 });
const COUNTER = feature('counter', {
  type: 'counter',
  direction: 'up',
  spreadFloor: 0.2,
  relativeSpreadFloor: 0,
  required: false,
});

/** Measures a series of one pod whose usual value is 10, with a spread of 1; counters are at `height`. */
function measureSeries(
  definition: FeatureDefinition,
  values: readonly number[],
  { firstInstant = 0, kind = 'pod' as BaselineKind, height = 10, stepSeconds = 60 } = {},
): Measurement {
  const rows = Array.from({ length: 60 }, () => [height]);
  const window = featureTable([definition], [{ pod: 'p', rows }]);
  const baseline = fitBaseline({ window, history: [] }, [definition], kind, 4);
  const table = featureTable([definition], [{ pod: 'p', rows: values.map((value) => [value]) }], {
    startSeconds: 3600,
    stepSeconds,
  });
  return measure(baseline, [definition], table, { firstInstant, excuseSchedules: true });
}

describe('Measurer', () => {
  it('tells deviations in spreads, and shows the forest two minutes as one', () => {
    const { expected, deviations, inputs } = measureSeries(GAUGE, [10, 14, 14, 10, 2]);
    expect([...expected]).to.deep.equal([10, 10, 10, 10, 10]);
    expect([...deviations]).to.deep.equal([0, 4, 4, 0, -8]);
    const [up, down] = [compress(4, false), compress(-8, false)];
    expect([...inputs]).to.deep.equal([0, smooth(up, 0), smooth(up, up), 0, smooth(down, 0)]);
    expect(inputs[2]).to.be.above(inputs[1] ?? 0);
  });

  it('measures from any instant on as if it had measured all', () => {
    const values = [10, 14, 14, 9, NONE, 13, 11, 12, 12, 10, 18, 2];
    for (const definition of [GAUGE, COUNTER]) {
      const all = measureSeries(definition, values);
      for (let firstInstant = 0; firstInstant < values.length; firstInstant++) {
        const some = measureSeries(definition, values, { firstInstant });
        expect(some.inputs).to.deep.equal(all.inputs.slice(firstInstant));
        expect(some.deviations).to.deep.equal(all.deviations.slice(firstInstant));
        expect(some.expected).to.deep.equal(all.expected.slice(firstInstant));
      }
    }
  });

  it('passes over incomplete instants, and leaves them blank', () => {
    const features = [feature('a'), feature('b')];
    const blank = [NONE, NONE];
    const rows = Array.from({ length: 60 }, (_, instant) => (instant % 2 === 0 ? [10, 20] : blank));
    const table = featureTable(features, [{ pod: 'p', rows }]);
    for (const kind of ['pod', 'workload', 'cluster'] as const) {
      const { expected, deviations, inputs } = measure(
        fitBaseline({ window: table, history: [] }, features, kind, 4),
        features,
        table,
        { firstInstant: 0, excuseSchedules: false },
      );
      expect([...expected.subarray(0, 4)]).to.deep.equal([10, 20, ...blank]);
      expect([...deviations.subarray(0, 4)]).to.deep.equal([0, 0, ...blank]);
      expect([...inputs.subarray(0, 4)]).to.deep.equal([0, 0, ...blank]);
    }
  });

  it('counts a minute in full whose neighbour is missing', () => {
    const { inputs } = measureSeries(GAUGE, [10, NONE, 14]);
    expect(inputs[2]).to.equal(compress(4, false));
  });

  describe('counters', () => {
    it('are judged by their rise, of which one is free', () => {
      const { deviations, inputs } = measureSeries(COUNTER, [500, 500, 501, 502, 503, 503], { height: 500 });
      [0, 0, 0, 5, 10, 10].forEach((deviation, instant) => {
        expect(deviations[instant], `instant ${instant}`).to.be.closeTo(deviation, 1e-9);
      });
      expect(inputs[2]).to.equal(0);
      expect(inputs[5]).to.be.closeTo(Math.asinh(10), 1e-9);
    });

    it('are nothing by their height, in a pod that has another one or that nobody knows', () => {
      for (const height of [0, 7, 100_000]) {
        expect([...measureSeries(COUNTER, new Array(11).fill(500), { height }).deviations]).to.deep.equal(
          new Array(11).fill(0),
        );
      }
    });

    it('are expected where they stood before the rise', () => {
      const { expected } = measureSeries(COUNTER, [500, 501, ...new Array(11).fill(502)]);
      expect([...expected]).to.deep.equal([...new Array(12).fill(500), 502]);
    });

    it('are never expected below 0, also where they began anew after a rise', () => {
      const { expected, deviations } = measureSeries(COUNTER, [500, 503, 0, 2]);
      expect([...expected]).to.deep.equal([500, 500, 0, 0]);
      expect(deviations[3]).to.be.closeTo(20, 1e-9);
    });

    it('rise by time', () => {
      const values = [5, 6, 6, 7, 7];
      expect(measureSeries(COUNTER, values, { stepSeconds: 60 }).deviations[4]).to.be.closeTo(5, 1e-9);
      expect(measureSeries(COUNTER, values, { stepSeconds: 300 }).deviations[4]).to.equal(0);
    });

    it('are taken as they stand by the plain method', () => {
      const { expected, deviations, inputs } = measureSeries(COUNTER, [10, 12], { kind: 'cluster' });
      expect([...expected]).to.deep.equal([10, 10]);
      expect([...deviations]).to.deep.equal([0, 2]);
      expect([...inputs]).to.deep.equal([0, 2]);
    });
  });

  it('shows the plain method’s forest the deviations as they are', () => {
    const { deviations, inputs } = measureSeries(GAUGE, [10, -300, 10.5, 4000], { kind: 'cluster' });
    expect([...deviations]).to.deep.equal([0, -310, 0.5, 3990]);
    expect(inputs).to.deep.equal(deviations);
  });
});
