import { expect } from 'chai';
import { createRandom, sampleWithoutReplacement } from '../../../src/exporter/model/random.js';

const draw = (seed: number, count: number) => {
  const random = createRandom(seed);
  return Array.from({ length: count }, random);
};

describe('createRandom', () => {
  it('gives the same numbers for the same seed, and others for another', () => {
    expect(draw(42, 100)).to.deep.equal(draw(42, 100));
    expect(draw(42, 100)).not.to.deep.equal(draw(43, 100));
  });

  it('tells all seeds of 32 bits apart at both ends', () => {
    const firsts = [0, 1, 2, 4_294_967_294, 4_294_967_295].map((seed) => draw(seed, 1)[0]);
    expect(new Set(firsts).size).to.equal(5);
  });

  it('keeps two generators of one seed apart', () => {
    const one = createRandom(7);
    const other = createRandom(7);
    for (let i = 0; i < 10; i++) one();
    expect(Array.from({ length: 5 }, other)).to.deep.equal(draw(7, 5));
  });

  it('draws evenly from [0, 1)', () => {
    const numbers = draw(1, 100_000);
    const bins = new Array<number>(20).fill(0);
    for (const number of numbers) {
      expect(number).to.be.at.least(0).and.below(1);
      const bin = Math.floor(number * 20);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    // 19 degrees of freedom: a fair generator exceeds 43.8 once in a thousand seeds.
    const chiSquared = bins.reduce((sum, count) => sum + (count - 5000) ** 2 / 5000, 0);
    expect(chiSquared).to.be.below(43.8);
  });
});

describe('sampleWithoutReplacement', () => {
  const rows: readonly (readonly [population: number, count: number])[] = [
    [1, 1],
    [10, 0],
    [10, 3],
    [10, 10],
    [10, 25],
    [100_000, 256],
  ];
  for (const [population, count] of rows) {
    it(`draws ${count} different numbers of ${population}`, () => {
      const drawn = [...sampleWithoutReplacement(population, count, createRandom(3))];
      expect(drawn).to.have.lengthOf(Math.min(population, count));
      expect(new Set(drawn).size).to.equal(drawn.length);
      for (const number of drawn) {
        expect(number).to.be.at.least(0).and.below(population);
      }
    });
  }

  it('draws all there are, in random order', () => {
    const drawn = [...sampleWithoutReplacement(1000, 1000, createRandom(5))];
    const ascending = Array.from({ length: 1000 }, (_, index) => index);
    expect(drawn).not.to.deep.equal(ascending);
    expect(drawn.sort((a, b) => a - b)).to.deep.equal(ascending);
  });

  it('draws every number as often as any other, in every place', () => {
    const random = createRandom(6);
    const counts = Array.from({ length: 3 }, () => new Array<number>(8).fill(0));
    for (let round = 0; round < 8000; round++) {
      sampleWithoutReplacement(8, 3, random).forEach((number, place) => {
        const inPlace = counts[place] ?? [];
        inPlace[number] = (inPlace[number] ?? 0) + 1;
      });
    }
    for (const count of counts.flat()) expect(count).to.be.within(850, 1150);
  });

  it('draws the same for the same seed', () => {
    const sample = (seed: number) => [...sampleWithoutReplacement(1000, 20, createRandom(seed))];
    expect(sample(1)).to.deep.equal(sample(1));
    expect(sample(1)).not.to.deep.equal(sample(2));
  });
});
