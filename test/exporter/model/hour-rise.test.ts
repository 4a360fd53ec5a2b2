import { expect } from 'chai';
import { riseWithinHour, type TrainedRises } from '../../../src/exporter/model/hour-rise.js';

const NONE = Number.NaN;
const UNKNOWN = 65_535;
const MINUTE = 60;

/** A table ends at 0, and has 20 instants, a minute apart. */
const INSTANTS = Float64Array.from({ length: 20 }, (_, instant) => (instant - 19) * MINUTE);

/** A counter that rises by one at each of these times, in minutes. */
const counting = (risesAt: readonly number[], from = 3) =>
  INSTANTS.map((seconds) => from + risesAt.filter((at) => at * MINUTE <= seconds).length);

/** What a training saw that ended at a time, in minutes: the rises that ended at these times, five minutes apart, and gaps. */
function trained(
  endMinute: number,
  rises: Readonly<Record<number, number>>,
  unknown: readonly number[] = [],
): TrainedRises {
  const codes = Uint16Array.from({ length: 13 }, (_, sample) => {
    const minute = endMinute - (12 - sample) * 5;
    return unknown.includes(minute) ? UNKNOWN : (rises[minute] ?? 0);
  });
  return { codes, endSeconds: endMinute * MINUTE };
}

describe('riseWithinHour', () => {
  const cases: readonly (readonly [
    what: string,
    known: TrainedRises | undefined,
    values: Float64Array,
    rise: number,
  ])[] = [
    ['the table, where no training knows the pod', undefined, counting([-15, -3]), 2],
    ['the training before the table, and the table', trained(-25, { [-30]: 1, [-25]: 1 }), counting([-3]), 3],
    ['nothing that is older than an hour', trained(-2, { [-57]: 1, [-52]: 1 }), counting([]), 1],
    ['each rise once, where both know it', trained(-12, { [-22]: 1, [-17]: 1, [-12]: 1 }), counting([-18, -13, -5]), 4],
    ['a rise in the last ten minutes once', trained(-2, { [-7]: 1, [-2]: 1 }), counting([-8, -3]), 2],
    [
      'what the training counts to an event before the table as part of it',
      trained(-12, { [-22]: 1 }),
      counting([-17]),
      1,
    ],
    ['the table, where the training knows nothing', trained(-12, {}, [-22, -17, -12]), counting([-18, -13, -5]), 3],
    ['the table from where on the training knows nothing', trained(-12, { [-17]: 2 }, [-12]), counting([-13, -5]), 4],
    [
      'a rise just after the training, that the table shows at its next instant',
      trained(-12.5, {}),
      counting([-12.2]),
      1,
    ],
    ['a rise just before the end of the training once', trained(-12.5, { [-12.5]: 1 }), counting([-12.8]), 1],
    ['both of them', trained(-12.5, { [-12.5]: 1 }), counting([-14, -12.2]), 2],
  ];
  for (const [what, known, values, rise] of cases) {
    it(`counts ${what}`, () => {
      const found = riseWithinHour(known, values, INSTANTS);
      expect(found).to.deep.equal({ rise, height: values.at(-1) });
    });
  }

  it('counts no correction, no new beginning, and a rise in a gap when it ends', () => {
    const values = INSTANTS.map((_, instant) => [514, 513, 514, NONE, NONE, 516, 0, 0, 1][instant] ?? 1);
    expect(riseWithinHour(undefined, values, INSTANTS)).to.deep.equal({ rise: 3, height: 1 });
  });
});
