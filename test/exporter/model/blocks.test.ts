import { expect } from 'chai';
import { BlockStore, type Blocks, blockOf, blocksIn, raise, type Span } from '../../../src/exporter/model/blocks.js';
import { CATALOG } from '../../support/tables.js';

describe('blocks of time', () => {
  it('are counted from the last, the first may be shorter', () => {
    const span: Span = { first: 10, last: 58, blockHours: 24 };
    expect(blocksIn(span)).to.equal(3);
    expect([10, 11, 34, 35, 58].map((hour) => blockOf(span, hour))).to.deep.equal([0, 1, 1, 2, 2]);
  });

  it('keep the largest value', () => {
    const values = Float64Array.of(Number.NaN, 1, 1, 1);
    for (const [cell, value] of [2, 2, 0.5, Number.NaN].entries()) raise(values, cell, value);
    expect([...values]).to.deep.equal([2, 2, 1, 1]);
  });
});

describe('a store of blocks', () => {
  const blocksOf = (row: number, column: number, view: number): Blocks => ({
    row,
    column,
    view,
    feature: CATALOG[column] as Blocks['feature'],
    floor: column / 10,
    maxima: Float64Array.of(row, column, view),
    usual: Float64Array.of(Number.NaN, column, view),
  });
  const all = [blocksOf(0, 0, 3), blocksOf(0, 1, 0), blocksOf(4, 1, 7), blocksOf(9, 0, 0), blocksOf(9, 0, 5)];

  it('has what it was made from, as often as it is asked', () => {
    const store = new BlockStore(all);
    for (const time of ['once', 'again']) expect([...store], time).to.deep.equal(all);
    expect([...new BlockStore([])]).to.deep.equal([]);
  });

  it('keeps what is written to what is usual, and nothing of it elsewhere', () => {
    const store = new BlockStore(all);
    for (const { row, usual } of store) if (row === 4) usual.fill(Number.NaN);
    expect([...store].map(({ usual }) => usual.every(Number.isNaN))).to.deep.equal([false, false, true, false, false]);
    expect([...store].map(({ maxima }) => maxima)).to.deep.equal(all.map(({ maxima }) => maxima));
    expect(all[2]?.usual).to.deep.equal(Float64Array.of(Number.NaN, 1, 7));
  });
});
