import { expect } from 'chai';
import { fitBaseline } from '../../../src/exporter/model/baseline.js';
import { createRandom } from '../../../src/exporter/model/random.js';
import { type RowSource, TrainingRows } from '../../../src/exporter/model/training-rows.js';
import { measure } from '../../support/measure.js';
import { feature, featureTable, type WrittenPod } from '../../support/tables.js';

const FEATURES = [feature('level'), feature('count', { type: 'counter', direction: 'up' })];
const INSTANTS = 40;

/** Pods with gaps, with incidents, and one that has nothing at all. */
function pods(): WrittenPod[] {
  const random = createRandom(3);
  return Array.from({ length: 12 }, (_, pod) => ({
    pod: `p${pod}`,
    workload: `w${pod % 4}`,
    rows: Array.from({ length: INSTANTS }, (_, instant) => {
      if (pod === 7 || (pod % 3 === 0 && instant % 5 < 2)) return [Number.NaN, Number.NaN];
      const incident = pod % 4 === 1 && instant > 30 ? 50 : 0;
      return [100 + pod + random() * 3 + incident, Math.floor(instant / (10 + pod))];
    }),
  }));
}

function readAll(source: RowSource): number[][] {
  return Array.from({ length: source.count }, (_, row) => {
    const into = new Float64Array(4).fill(-1);
    source.read(row, into, 1);
    expect([into[0], into[3]], 'what is around the row').to.deep.equal([-1, -1]);
    return [...into.subarray(1, 3)];
  });
}

describe('TrainingRows', () => {
  const window = featureTable(FEATURES, pods());
  const boundary = 0.8;

  for (const kind of ['pod', 'workload', 'cluster'] as const) {
    const baseline = fitBaseline({ window, history: [] }, FEATURES, kind, 4);
    const { inputs } = measure(baseline, FEATURES, window, { firstInstant: 0, excuseSchedules: false });
    const all = Array.from({ length: inputs.length / 2 }, (_, row) => [
      ...inputs.subarray(2 * row, 2 * row + 2),
    ]).filter((row) => !row.some(Number.isNaN));
    const rows = new TrainingRows(baseline, FEATURES, window, boundary);

    it(`are those of the measured table for BASELINE=${kind}, to the last bit, in its order`, () => {
      expect(all).to.have.length.above(300);
      expect(readAll(rows.complete())).to.deep.equal(all);
    });

    it(`are usual where nothing is beyond the boundary for BASELINE=${kind}`, () => {
      const usual = all.filter((row) => row.every((input) => Math.abs(input) <= boundary));
      expect(usual.length).to.be.within(1, all.length - 1);
      expect(readAll(rows.usual())).to.deep.equal(usual);
    });

    it(`come in blocks as well for BASELINE=${kind}`, () => {
      for (const size of [1, 50, 100_000]) {
        const blocks = Array.from(rows.blocks(size), (block) => [...block]);
        expect(blocks.flat()).to.deep.equal(all.flat());
        expect(Math.max(...blocks.map(({ length }) => length / 2))).to.be.at.most(size + INSTANTS);
      }
    });
  }
});
