import { expect } from 'chai';
import { ITree } from 'isolation-forest/dist/iTree.js';
import { TreeNode } from 'isolation-forest/dist/treeNode.js';
import { averagePathLength, type Forest, scoreRows } from '../../../src/exporter/model/forest.js';
import { growForest } from '../../../src/exporter/model/grow.js';
import { createRandom, type Random, sampleWithoutReplacement } from '../../../src/exporter/model/random.js';
import { normalRows } from '../../support/random-data.js';

const EULER_MASCHERONI = 0.5772156649015329;

type Rows = readonly (readonly number[])[];

const flat = (rows: Rows) => Float64Array.from(rows.flat());

/** Grows a forest whose trees draw from the rows. */
function grow(rows: Rows, estimators = 100, sampleRows = 256, seed = 1): Forest {
  const random = createRandom(seed);
  const drawn = Math.min(sampleRows, rows.length);
  return growForest({
    estimators,
    features: rows[0]?.length ?? 0,
    sampleRows: drawn,
    drawSample: () => flat([...sampleWithoutReplacement(rows.length, drawn, random)].map((row) => rows[row] ?? [])),
    random,
  });
}

/** Runs `work` with another generator in the place of the global one, and puts that back. */
function withGlobalRandom(random: Random, work: () => void): void {
  const original = Math.random;
  Math.random = random;
  try {
    work();
  } finally {
    Math.random = original;
  }
}

describe('averagePathLength', () => {
  // As in scikit-learn's test_iforest_average_path_length.
  const rows: readonly (readonly [rows: number, length: number])[] = [
    [0, 0],
    [1, 0],
    [2, 1],
    [5, 2 * (Math.log(4) + EULER_MASCHERONI) - (2 * 4) / 5],
    [999, 2 * (Math.log(998) + EULER_MASCHERONI) - (2 * 998) / 999],
  ];
  for (const [count, length] of rows) {
    it(`has the closed form at ${count}`, () => {
      expect(averagePathLength(count)).to.be.closeTo(length, 1e-12);
    });
  }

  it('grows with the number of rows', () => {
    for (let rows = 1; rows < 5000; rows++) {
      expect(averagePathLength(rows + 1)).to.be.above(averagePathLength(rows));
    }
  });
});

/** Ends a grown tree of the package at a level, as its height limit would have. */
function cut(node: TreeNode, rows: Record<string, number>[], levels: number): TreeNode {
  if (node.isExternalNode()) return node;
  if (levels === 0) return new TreeNode(rows, 0, 0);
  const isLeft = (row: Record<string, number>) => (row[node.splitAttribute] ?? 0) < node.splitValue;
  node.leftChild = cut(
    node.leftChild,
    rows.filter((row) => isLeft(row)),
    levels - 1,
  );
  node.rightChild = cut(
    node.rightChild,
    rows.filter((row) => !isLeft(row)),
    levels - 1,
  );
  return node;
}

describe('growForest', () => {
  for (const [count, columns] of [
    [2, 1],
    [3, 2],
    [64, 3],
    [100, 2],
    [256, 5],
  ] as const) {
    it(`keeps the paths of the package's own tree of ${count} rows × ${columns}`, () => {
      const rows = normalRows(count, columns, 11);
      const objects = rows.map((row) => Object.fromEntries(row.entries()) as Record<string, number>);
      const depth = Math.ceil(Math.log2(count));
      const forest = growForest({
        estimators: 1,
        features: columns,
        sampleRows: count,
        drawSample: () => flat(rows),
        random: createRandom(5),
      });
      withGlobalRandom(createRandom(5), () => {
        const tree = new ITree(objects, depth + 12);
        const root = cut(tree.getRootNode(), objects, depth);
        const tested = [...rows, ...normalRows(50, columns, 12)];
        const scores = scoreRows(forest, flat(tested));
        tested.forEach((row, index) => {
          const path = tree.pathLength(Object.fromEntries(row.entries()), root, 0);
          // The package rounds Euler's constant to five digits.
          expect(scores[index]).to.be.closeTo(2 ** (-path / averagePathLength(count)), 1e-4);
        });
      });
    });
  }

  it('spends no depth on columns that are constant', () => {
    const informative = normalRows(1000, 2, 21);
    const probes = [0, 1, 2, 3, 5].map((distance) => [distance, 0]);
    const plain = scoreRows(grow(informative, 300), flat(probes));
    const padded = scoreRows(
      grow(
        informative.map((row) => [...row, 1, 2, 3]),
        300,
      ),
      flat(probes.map((row) => [...row, 1, 2, 3])),
    );
    plain.forEach((score, index) => {
      expect(padded[index]).to.be.closeTo(score, 0.02);
    });
  });

  it('finds nothing in rows that are all the same', () => {
    const forest = grow(
      Array.from({ length: 300 }, () => [1, 2]),
      10,
    );
    for (const score of scoreRows(
      forest,
      flat([
        [1, 2],
        [1, 3],
        [-5, 1e9],
      ]),
    )) {
      expect(score).to.be.closeTo(0.5, 1e-12);
    }
  });

  it('gives the same forest, byte by byte, for the same seed, and another for another', () => {
    const rows = normalRows(500, 3, 31);
    expect(grow(rows, 20, 256, 1)).to.deep.equal(grow(rows, 20, 256, 1));
    expect(grow(rows, 20, 256, 1)).not.to.deep.equal(grow(rows, 20, 256, 2));
  });

  it('grows trees that differ', () => {
    const { depth, splitValues } = grow(normalRows(500, 3, 31), 20);
    const nodes = 2 ** depth - 1;
    const roots = Array.from({ length: 20 }, (_, tree) => splitValues[tree * nodes]);
    expect(new Set(roots).size).to.equal(20);
  });

  it('leaves the global generator alone: not one number is drawn from it, and it stays in place', () => {
    const forbidden = () => expect.fail('Math.random was called');
    withGlobalRandom(forbidden, () => {
      grow(normalRows(100, 2, 41), 5);
      expect(Math.random).to.equal(forbidden);
    });
  });

  it('puts the global generator back when growing fails', () => {
    const original = Math.random;
    let draws = 0;
    const failing = () => {
      draws++;
      if (draws > 50) throw new Error('out of numbers');
      return 0.5;
    };
    const rows = flat(normalRows(100, 2, 42));
    expect(() =>
      growForest({ estimators: 5, features: 2, sampleRows: 100, drawSample: () => rows, random: failing }),
    ).to.throw('out of numbers');
    expect(Math.random).to.equal(original);
  });

  it('keeps trees of a size that depends on the sample, not on the number of rows', () => {
    const bytes = (forest: Forest) =>
      forest.splitFeatures.byteLength + forest.splitValues.byteLength + forest.pathLengths.byteLength;
    expect(bytes(grow(normalRows(5000, 2, 51), 10))).to.equal(bytes(grow(normalRows(300, 2, 51), 10)));
    expect(bytes(grow(normalRows(5000, 2, 51), 10))).to.equal(10 * (255 * 2 + 255 * 8 + 256 * 8));
  });
});

describe('scoreRows', () => {
  const forest = grow(normalRows(1000, 3, 61), 50);

  for (const count of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 103]) {
    it(`scores ${count} rows together as each alone`, () => {
      const rows = normalRows(count, 3, 62);
      const alone = rows.map((row) => scoreRows(forest, flat([row]))[0]);
      expect([...scoreRows(forest, flat(rows))]).to.deep.equal(alone);
    });
  }

  it('stays in (0, 1] however far a row is out', () => {
    const rows = [...normalRows(200, 3, 63).map((row) => row.map((value) => 100 * value)), [1e300, -1e300, 0]];
    for (const score of scoreRows(forest, flat(rows))) expect(score).to.be.above(0).and.at.most(1);
  });

  it('is higher for a row that is further out', () => {
    const scores = scoreRows(forest, flat([0, 1.5, 3, 6].map((distance) => [distance, 0, 0])));
    expect([...scores]).to.deep.equal([...scores].sort((a, b) => a - b));
    expect(new Set(scores).size).to.equal(4);
  });

  it('sends a row that equals the split to the right', () => {
    const stump: Forest = {
      estimators: 1,
      features: 1,
      depth: 1,
      splitFeatures: Uint16Array.of(0),
      splitValues: Float64Array.of(5),
      pathLengths: Float64Array.of(1, 3),
      averagePathLength: 2,
    };
    expect([...scoreRows(stump, Float64Array.of(4.999, 5, 5.001))]).to.deep.equal([2 ** -0.5, 2 ** -1.5, 2 ** -1.5]);
  });

  it('refuses rows of another width', () => {
    expect(() => scoreRows(forest, new Float64Array(7))).to.throw('Expected rows of 3 features, got 7 values.');
  });
});
