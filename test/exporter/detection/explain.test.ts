import { expect } from 'chai';
import { detect } from '../../../src/exporter/detection/detect.js';
import type { Detection } from '../../../src/exporter/detection/detection.js';
import { explain, type FeatureExplanation } from '../../../src/exporter/detection/explain.js';
import type { FeatureDefinition } from '../../../src/exporter/features/catalog.js';
import { fitModel } from '../../../src/exporter/model/fit.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { marginsOf } from '../../../src/exporter/model/score.js';
import { additiveModel } from '../../support/additive-model.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { normalRows } from '../../support/random-data.js';
import { scoredAs } from '../../support/scored.js';
import { asBuilt, CATALOG, feature, featureTable } from '../../support/tables.js';

const [A, B, C] = [feature('a', { unit: 'apples' }), feature('b'), feature('c')];
const THREE = [A, B, C];

/** A detection whose deviations are told; a value is 10 and one for each spread, where 10 is usual. */
function detectionWith(
  features: readonly FeatureDefinition[],
  model: Model,
  ...deviations: readonly (readonly number[])[]
): Detection {
  const flat = Float64Array.from(deviations.flat());
  // The plain method scores deviations as they are.
  const inputs = model.baseline.kind === 'cluster' ? flat.slice() : flat.map(Math.asinh);
  const pods = deviations.map((row, index) => ({
    pod: `pod-${index}`,
    rows: [row.map((deviation) => 10 + deviation)],
  }));
  return {
    timeSeconds: 0,
    model,
    table: featureTable(features, pods),
    ...scoredAs(...marginsOf(model, inputs)),
    expected: new Float64Array(flat.length).fill(10),
    deviations: flat,
    comparisons: new Uint8Array(flat.length),
    inputs,
    unscored: new Map(),
    droppedSeries: new Map(),
  };
}

/** The explanation of a single pod. */
const explainOne = (
  features: readonly FeatureDefinition[],
  model: Model,
  deviations: readonly number[],
): FeatureExplanation[] => explain(detectionWith(features, model, deviations), [0])[0] ?? [];

const sharesOf = (explanations: readonly FeatureExplanation[]) =>
  Object.fromEntries(explanations.map(({ feature: name, share }) => [name, share]));
const namesOf = (explanations: readonly FeatureExplanation[]) => explanations.map(({ feature: name }) => name);

describe('explain', () => {
  describe('by a model in which every feature adds its own', () => {
    it('tells value, usual value, distance, direction and unit of every feature', () => {
      const [first, ...others] = explainOne(THREE, additiveModel(THREE), [5, 0.5, -0.5]);
      expect(first).to.deep.include({
        feature: 'a',
        unit: 'apples',
        actual: 15,
        expected: 10,
        comparison: 'last_hours',
        boundary: null,
        deviation: 5,
        direction: 'above',
        share: 1,
      });
      // Three trees of a path of 8, one of them shorter by 4.
      expect(first?.contribution).to.be.closeTo(2 ** -(20 / 24) - 0.5, 1e-12);
      for (const { contribution, share, direction } of others) {
        expect({ contribution, share, direction }).to.deep.equal({
          contribution: 0,
          share: 0,
          direction: 'usual',
        });
      }
    });

    it('gives equal shares to what weighs the same, above and below alike', () => {
      const explanations = explainOne(THREE, additiveModel(THREE), [5, -5, 0]);
      expect(sharesOf(explanations)).to.deep.equal({ a: 0.5, b: 0.5, c: 0 });
      expect(explanations.map(({ direction }) => direction)).to.deep.equal(['above', 'below', 'usual']);
    });

    it('puts what weighs most first, and not what deviates most', () => {
      const model = additiveModel(THREE, [1, 2, 4]);
      const explanations = explainOne(THREE, model, [40, 20, 5]);
      expect(namesOf(explanations)).to.deep.equal(['c', 'b', 'a']);
      const shares = explanations.map(({ share }) => share);
      expect(shares).to.deep.equal(shares.toSorted((a, b) => b - a));
      expect(shares.reduce((sum, share) => sum + share, 0)).to.be.closeTo(1, 1e-12);
    });

    it('puts the larger deviation first where the shares are equal, whatever its sign', () => {
      expect(namesOf(explainOne(THREE, additiveModel(THREE), [3, 5, -9]))).to.deep.equal(['c', 'b', 'a']);
      expect(namesOf(explainOne(THREE, additiveModel(THREE), [0.1, -0.3, 0.2]))).to.deep.equal(['b', 'c', 'a']);
    });

    it('has a share of 0 everywhere, and no NaN, where nothing makes the score higher', () => {
      for (const deviations of [
        [0, 0, 0],
        [1, -1, 1],
      ]) {
        expect(sharesOf(explainOne(THREE, additiveModel(THREE), deviations))).to.deep.equal({
          a: 0,
          b: 0,
          c: 0,
        });
      }
    });

    it('counts a feature that makes the score lower as 0, not below', () => {
      const explanations = explainOne(THREE, additiveModel(THREE, [4, -4, 0]), [5, 5, 5]);
      expect(sharesOf(explanations)).to.deep.equal({ a: 1, b: 0, c: 0 });
      for (const { contribution } of explanations) expect(contribution).to.be.at.least(0);
    });

    it('says above and below from one spread on', () => {
      const directions = (deviation: number) =>
        explainOne([A], additiveModel([A]), [deviation]).map(({ direction }) => direction);
      expect(directions(1)).to.deep.equal(['above']);
      expect(directions(-1)).to.deep.equal(['below']);
      expect(directions(0.99)).to.deep.equal(['usual']);
      expect(directions(-0.99)).to.deep.equal(['usual']);
    });

    it('explains the rows that it is asked for, in that order, each as if it were alone', () => {
      const model = additiveModel(THREE, [1, 2, 4]);
      const rows = [
        [5, 0, 0],
        [0, -5, 5],
        [3, 3, 3],
        [0, 0, 0],
        [9, 9, 0],
      ];
      const detection = detectionWith(THREE, model, ...rows);
      const chosen = [4, 1, 1, 0];
      expect(explain(detection, chosen)).to.deep.equal(chosen.map((row) => explainOne(THREE, model, rows[row] ?? [])));
      expect(explain(detection, [])).to.deep.equal([]);
    });

    it('changes nothing of the detection', () => {
      const detection = detectionWith(THREE, additiveModel(THREE), [5, -5, 0]);
      const before = structuredClone(detection);
      explain(detection, [0]);
      expect(detection).to.deep.equal(before);
    });
  });

  for (const baseline of ['pod', 'workload', 'cluster'] as const) {
    describe(`by a fitted model (${baseline})`, () => {
      let model: Model;

      before(() => {
        const pods = Array.from({ length: 8 }, (_, index) => ({
          pod: `pod-${index}`,
          rows: normalRows(60, 3, index + 1).map((row) => row.map((value) => 100 + 20 * value)),
        }));
        model = fitModel({ window: featureTable(THREE, pods), history: [] }, THREE, {
          ...QUICK_PARAMETERS,
          estimators: 100,
          baseline,
        });
      });

      for (const [column, name] of ['a', 'b', 'c'].entries()) {
        for (const sign of [1, -1]) {
          it(`gives nearly all of the score to ${name}, far ${sign > 0 ? 'above' : 'below'} all alone`, () => {
            const deviations = [0.2, -0.1, 0.3];
            deviations[column] = 20 * sign;
            const [first] = explainOne(THREE, model, deviations);
            expect(first).to.include({ feature: name, direction: sign > 0 ? 'above' : 'below' });
            expect(first?.share).to.be.above(0.9);
          });
        }
      }

      it('gives about half to each of two that are as far off', () => {
        const shares = sharesOf(explainOne(THREE, model, [15, 0.1, 15]));
        expect(shares.a).to.be.within(0.35, 0.65);
        expect(shares.c).to.be.within(0.35, 0.65);
        expect(shares.b).to.be.below(0.1);
      });

      it('has for a contribution what the score falls by', () => {
        const detection = detectionWith(THREE, model, [15, 6, -9]);
        for (const [column, name] of ['a', 'b', 'c'].entries()) {
          const putBack = detection.inputs.slice();
          putBack[column] = 0;
          const falls = (detection.scores[0] as number) - (marginsOf(model, putBack)[0] as number);
          const [own] = explain(detection, [0])[0]?.filter((one) => one.feature === name) ?? [];
          expect(own?.contribution).to.be.closeTo(Math.max(0, falls), 1e-12);
        }
      });
    });
  }

  describe('of a detection by the built-in features', () => {
    const MEBIBYTE = 2 ** 20;
    let model: Model;

    before(() => {
      const pods = Array.from({ length: 6 }, (_, index) => ({
        pod: `pod-${index}`,
        rows: normalRows(60, 2, index + 1).map(([cpu = 0, memory = 0]) => [
          0.2 + 0.01 * cpu,
          (200 + 5 * memory) * MEBIBYTE,
          3,
        ]),
      }));
      model = fitModel({ window: featureTable(CATALOG, pods), history: [] }, CATALOG, QUICK_PARAMETERS);
    });

    /** What is told of a pod with these values now, which in the ten minutes before was as usual. */
    const explanationOf = (...row: number[]) => {
      const usual = [0.2, 200 * MEBIBYTE, 3];
      const rows = [...Array.from({ length: 9 }, () => usual), row, row];
      const detection = detect(model, asBuilt(featureTable(CATALOG, [{ pod: 'pod-0', rows }])));
      return explain(detection, [0])[0] ?? [];
    };

    it('never says below for a feature that can only go wrong upwards', () => {
      const restarts = explanationOf(0.2, 200 * MEBIBYTE, 3).find((one) => one.feature === 'restarts');
      expect(restarts).to.deep.include({
        actual: 3,
        expected: 3,
        deviation: 0,
        direction: 'usual',
        contribution: 0,
        share: 0,
      });
    });

    it('names restarts first where a pod restarts and does as usual otherwise', () => {
      const [first] = explanationOf(0.2, 200 * MEBIBYTE, 12);
      expect(first).to.include({ feature: 'restarts', unit: 'restarts', actual: 12, direction: 'above' });
      expect(first?.share).to.be.above(0.8);
    });

    it('names memory first where it has grown tenfold', () => {
      const [first] = explanationOf(0.2, 2000 * MEBIBYTE, 3);
      expect(first).to.include({ feature: 'memory', unit: 'bytes', actual: 2000 * MEBIBYTE });
      expect(first?.share).to.be.above(0.8);
    });

    it('says below where CPU has gone', () => {
      const [first] = explanationOf(0, 200 * MEBIBYTE, 3);
      expect(first).to.include({ feature: 'cpu', unit: 'cores', actual: 0, direction: 'below' });
    });
  });

  it('has the readings of the pod that is asked for', () => {
    const detection = detectionWith(THREE, additiveModel(THREE), [0, 0, 0], [0, -3, 9]);
    const readings = explain(detection, [1])[0]?.map(
      ({ contribution: _, share: __, comparison: ___, boundary: ____, ...reading }) => reading,
    );
    expect(readings).to.have.deep.members([
      { feature: 'a', help: 'a', unit: 'apples', actual: 10, expected: 10, deviation: 0, direction: 'usual' },
      { feature: 'b', help: 'b', unit: 'units', actual: 7, expected: 10, deviation: -3, direction: 'below' },
      { feature: 'c', help: 'c', unit: 'units', actual: 19, expected: 10, deviation: 9, direction: 'above' },
    ]);
  });
});
