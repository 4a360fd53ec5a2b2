import { expect } from 'chai';
import fc from 'fast-check';
import { descendingInSteps } from '../../src/lib/descending.js';
import { finish } from '../../src/lib/steps.js';

describe('descendingInSteps', () => {
  it('puts the largest values first, and keeps equal ones in their order, as a stable sort of a list does', () => {
    const values = fc.array(fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: -2, max: 2 })), { maxLength: 300 });
    fc.assert(
      fc.property(values, fc.nat({ max: 3 }), (list, leaveOut) => {
        const numbers = Float64Array.from(list);
        const rows = [...numbers.keys()].filter((row) => leaveOut === 0 || row % leaveOut !== 0);
        const expected = rows.toSorted((a, b) => (numbers[b] as number) - (numbers[a] as number) || a - b);
        expect([...finish(descendingInSteps(Uint32Array.from(rows), numbers))]).to.deep.equal(expected);
      }),
    );
  });

  it('rests after a bounded number of rows', () => {
    const count = 100_000;
    const values = Float64Array.from({ length: count }, (_, row) => Math.sin(row));
    const steps = descendingInSteps(Uint32Array.from(values.keys()), values);
    let rests = 0;
    while (steps.next().done !== true) rests++;
    expect(rests).to.equal(Math.floor((Math.ceil(Math.log2(count)) * count) / 32_768));
  });
});
