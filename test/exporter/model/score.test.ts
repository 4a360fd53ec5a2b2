import { expect } from 'chai';
import { fitModel, type ModelParameters } from '../../../src/exporter/model/fit.js';
import type { Forest } from '../../../src/exporter/model/forest.js';
import { marginsOf, scoresOf } from '../../../src/exporter/model/score.js';
import { INPUT_LIMIT } from '../../../src/exporter/model/transform.js';
import { DEFAULT_PARAMETERS } from '../../support/parameters.js';
import { normalRows } from '../../support/random-data.js';
import { feature, featureTable } from '../../support/tables.js';

const FEATURES = [feature('a', { spreadFloor: 0.1 }), feature('b', { spreadFloor: 0.1, direction: 'up' })];

const modelOf = (baseline: ModelParameters['baseline']) =>
  fitModel({ window: featureTable(FEATURES, [{ pod: 'p', rows: normalRows(300, 2, 1) }]), history: [] }, FEATURES, {
    ...DEFAULT_PARAMETERS,
    baseline,
    randomState: 1,
  });

/** Finds every row equally usual: a score of 0.5. */
const INDIFFERENT: Forest = {
  estimators: 1,
  features: 2,
  depth: 1,
  splitFeatures: Uint16Array.of(0),
  splitValues: Float64Array.of(0),
  pathLengths: Float64Array.of(8, 8),
  averagePathLength: 8,
};

describe('scoresOf', () => {
  it('adds a little of the largest deviation to what the forest says', () => {
    const inputs = Float64Array.of(0, 0, 3, 1, 1, 3, -3, 2, 100, 0);
    const scores = [...scoresOf(INDIFFERENT, inputs, 'pod')];
    [0.5, 0.56, 0.56, 0.56, 2.5].forEach((expected, row) => {
      expect(scores[row], `row ${row}`).to.be.closeTo(expected, 1e-12);
    });
  });

  it('adds nothing in the plain method', () => {
    expect([...scoresOf(INDIFFERENT, Float64Array.of(0, 0, 100, -100), 'cluster')]).to.deep.equal([0.5, 0.5]);
  });

  for (const kind of ['pod', 'workload'] as const) {
    it(`keeps on rising where the forest saturates (${kind})`, () => {
      const model = modelOf(kind);
      const far = [1, 1.1, 1.5, 2, 5, 10].map((factor) => factor * INPUT_LIMIT);
      for (const rows of [far.map((input) => [input, 0]), far.map((input) => [0.3, input])]) {
        const scores = [...marginsOf(model, Float64Array.from(rows.flat()))];
        expect(scores).to.deep.equal(scores.toSorted((a, b) => a - b));
        expect(new Set(scores).size).to.equal(far.length);
      }
    });
  }

  it('takes what is out of the range of the forest for its end: no other split parts them', () => {
    const model = modelOf('pod');
    const [atEnd = 0, beyond = 0] = scoresOf(model.forest, Float64Array.of(INPUT_LIMIT, 0, INPUT_LIMIT + 1, 0), 'pod');
    expect(beyond - atEnd).to.be.closeTo(0.02, 1e-12);
  });

  it('does not write into the inputs', () => {
    const inputs = Float64Array.of(100, -100);
    scoresOf(INDIFFERENT, inputs, 'pod');
    expect([...inputs]).to.deep.equal([100, -100]);
  });
});

describe('marginsOf', () => {
  const inputs = Float64Array.from(normalRows(20, 2, 2).flat());

  for (const kind of ['pod', 'workload', 'cluster'] as const) {
    it(`measures from the threshold of the model (${kind})`, () => {
      const model = { ...modelOf(kind), minimumInput: Number.NEGATIVE_INFINITY };
      const raw = scoresOf(model.forest, inputs, kind);
      expect(marginsOf(model, inputs)).to.deep.equal(raw.map((score) => score - model.threshold));
    });
  }

  it('is at most 0 where no input reaches the least one that may be flagged, and else as it is', () => {
    const model = { ...modelOf('pod'), forest: INDIFFERENT, minimumInput: 1 };
    const inputs = Float64Array.of(0, 0, 0.5, -0.9, 1, 0, -3, 2);
    const scoresWith = (threshold: number) => [...marginsOf({ ...model, threshold }, inputs)];
    [0, 0, 0.32, 0.36].forEach((expected, row) => {
      expect(scoresWith(0.2)[row], `row ${row}`).to.be.closeTo(expected, 1e-12);
    });
    // What is usual anyway keeps its place in the ranking.
    [-0.4, -0.382, -0.38, -0.34].forEach((expected, row) => {
      expect(scoresWith(0.9)[row], `row ${row}`).to.be.closeTo(expected, 1e-12);
    });
  });
});
