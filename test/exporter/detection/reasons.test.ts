import { expect } from 'chai';
import { describeReason, notableReasons } from '../../../src/exporter/detection/reasons.js';

const GIB = 2 ** 30;
const cpu = { feature: 'cpu', unit: 'cores', actual: 0.25, expected: 0.077, deviation: 11.3, share: 1 };
const restarts = {
  feature: 'restarts',
  unit: 'restarts',
  actual: 515,
  expected: 512,
  deviation: 10,
  share: 0,
};
const memory = {
  feature: 'memory',
  unit: 'bytes',
  actual: 1.9 * GIB,
  expected: 0.6 * GIB,
  deviation: 21.7,
  share: 0.88,
};

describe('notableReasons', () => {
  it('are what makes the score, the largest share first, whatever the order', () => {
    const few = { ...restarts, deviation: 2, share: 0.12 };
    const nothing = { ...cpu, deviation: -0.3, share: 0 };
    expect(notableReasons([nothing, few, memory])).to.deep.equal([memory, few]);
    expect(notableReasons([memory, few, nothing])).to.deep.equal([memory, few]);
  });

  it('are at least one', () => {
    const none = [cpu, restarts, memory].map((feature) => ({ ...feature, deviation: 1, share: 0 }));
    expect(notableReasons(none)).to.have.lengthOf(1);
  });

  it('include what deviates far without a share of the score, last', () => {
    const near = { ...memory, deviation: -0.2, share: 0 };
    expect(notableReasons([restarts, cpu, near])).to.deep.equal([cpu, restarts]);
  });
});

describe('describeReason', () => {
  it('has the value, the usual one, the distance and the share', () => {
    expect(describeReason(memory)).to.equal('memory 1.9 GiB, usually 614 MiB (+21.7 spreads, 88 % of the score)');
    expect(describeReason({ ...cpu, deviation: -3, share: 0.02 })).to.equal(
      'cpu 0.25 cores, usually 0.077 cores (-3 spreads)',
    );
  });

  it('has a multiple where the value is one of the usual value', () => {
    const other = { feature: 'balance', unit: '', deviation: 9, share: 1, comparison: 'time_of_day' } as const;
    const at = 'at this time of day';
    const rest = '+9 spreads, 100 % of the score)';
    for (const [actual, expected, text] of [
      [12, 4, `balance 12, usually 4 ${at} (3 × as much, ${rest}`],
      [0, 4, `balance 0, usually 4 ${at} (0 × as much, ${rest}`],
      [-12, 4, `balance -12, usually 4 ${at} (${rest}`],
      [12, -4, `balance 12, usually -4 ${at} (${rest}`],
      [12, 0, `balance 12, usually 0 ${at} (${rest}`],
      [1e30, Number.MIN_VALUE, `balance 1.0e+30, usually 4.9e-324 ${at} (${rest}`],
    ] as const) {
      expect(describeReason({ ...other, actual, expected })).to.equal(text);
    }
  });

  it('does not repeat the name of a feature as its unit', () => {
    const { share: _, ...unknownShare } = restarts;
    expect(describeReason(unknownShare)).to.equal('restarts 515, usually 512 (+10 spreads)');
  });
});
