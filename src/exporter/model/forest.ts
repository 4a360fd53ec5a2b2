/** The isolation forest as data: flat trees, and the scores they give (Liu, Ting and Zhou, 2008). */

/**
 * Every tree is laid out as a perfect binary tree of the same depth: node i has the children 2i + 1 and 2i + 2.
 * A leaf that comes early is repeated below itself, so that every walk takes `depth` steps and needs no branch.
 */
export interface Forest {
  /** Number of trees. */
  readonly estimators: number;
  /** Number of columns of a row. */
  readonly features: number;
  /** Steps from the root to a leaf. */
  readonly depth: number;
  /** estimators × (2^depth - 1): the column that a node compares. */
  readonly splitFeatures: Uint16Array;
  /** estimators × (2^depth - 1): a row goes right when its value is at least this. */
  readonly splitValues: Float64Array;
  /** estimators × 2^depth: path length to the leaf, with the expected rest of it for the rows that share the leaf. */
  readonly pathLengths: Float64Array;
  /** Expected path length of a tree's whole sample, which the mean path length is measured by. */
  readonly averagePathLength: number;
}

/** The part of a forest that is one tree. */
export type Tree = Pick<Forest, 'depth' | 'splitFeatures' | 'splitValues' | 'pathLengths'>;

/** One tree: views, not copies. */
export function treeOf({ depth, splitFeatures, splitValues, pathLengths }: Forest, tree: number): Tree {
  const leaves = 2 ** depth;
  const start = tree * (leaves - 1);
  return {
    depth,
    splitFeatures: splitFeatures.subarray(start, start + leaves - 1),
    splitValues: splitValues.subarray(start, start + leaves - 1),
    pathLengths: pathLengths.subarray(tree * leaves, (tree + 1) * leaves),
  };
}

/** Trees of 2^16 samples: more than any setting allows, and few enough to be walked at every scrape. */
export const LARGEST_DEPTH = 16;

const EULER_MASCHERONI = 0.5772156649015329;

/**
 * Average path length of an unsuccessful search in a binary search tree of n rows, c(n) in the paper: what a tree
 * that had been grown to the end would add below a leaf of n rows.
 */
export function averagePathLength(rows: number): number {
  if (rows <= 1) return 0;
  if (rows === 2) return 1;
  return 2 * (Math.log(rows - 1) + EULER_MASCHERONI) - (2 * (rows - 1)) / rows;
}

/**
 * Isolation scores of rows, in (0, 1]: 2 to the power of minus the mean path length over the expected one. Higher is
 * more anomalous; scikit-learn's `score_samples` has the opposite sign.
 *
 * @param rows rows × features, finite.
 */
export function scoreRows(forest: Forest, rows: Float64Array): Float64Array {
  const count = rows.length / forest.features;
  if (!Number.isInteger(count)) {
    throw new Error(`Expected rows of ${forest.features} features, got ${rows.length} values.`);
  }
  const pathLengthSums = new Float64Array(count);
  for (let tree = 0; tree < forest.estimators; tree++) {
    addPathLengths(treeOf(forest, tree), forest.features, rows, pathLengthSums);
  }
  const perUnit = -1 / (forest.estimators * forest.averagePathLength);
  return pathLengthSums.map((sum) => 2 ** (sum * perUnit));
}

/**
 * Tree by tree, so that one tree stays in the cache; eight rows abreast, so that the processor need not wait for one
 * comparison before it makes the next. Four abreast take 1.3 times as long, one alone nearly three times.
 */
function addPathLengths(
  { depth, splitFeatures, splitValues, pathLengths }: Tree,
  features: number,
  rows: Float64Array,
  sums: Float64Array,
): void {
  const firstLeaf = 2 ** depth - 1;
  const count = sums.length;
  let row = 0;
  for (; row + 7 < count; row += 8) {
    const rowA = row * features;
    const rowB = rowA + features;
    const rowC = rowB + features;
    const rowD = rowC + features;
    const rowE = rowD + features;
    const rowF = rowE + features;
    const rowG = rowF + features;
    const rowH = rowG + features;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let e = 0;
    let f = 0;
    let g = 0;
    let h = 0;
    for (let level = 0; level < depth; level++) {
      a = 2 * a + 1 + +((rows[rowA + (splitFeatures[a] as number)] as number) >= (splitValues[a] as number));
      b = 2 * b + 1 + +((rows[rowB + (splitFeatures[b] as number)] as number) >= (splitValues[b] as number));
      c = 2 * c + 1 + +((rows[rowC + (splitFeatures[c] as number)] as number) >= (splitValues[c] as number));
      d = 2 * d + 1 + +((rows[rowD + (splitFeatures[d] as number)] as number) >= (splitValues[d] as number));
      e = 2 * e + 1 + +((rows[rowE + (splitFeatures[e] as number)] as number) >= (splitValues[e] as number));
      f = 2 * f + 1 + +((rows[rowF + (splitFeatures[f] as number)] as number) >= (splitValues[f] as number));
      g = 2 * g + 1 + +((rows[rowG + (splitFeatures[g] as number)] as number) >= (splitValues[g] as number));
      h = 2 * h + 1 + +((rows[rowH + (splitFeatures[h] as number)] as number) >= (splitValues[h] as number));
    }
    sums[row] = (sums[row] as number) + (pathLengths[a - firstLeaf] as number);
    sums[row + 1] = (sums[row + 1] as number) + (pathLengths[b - firstLeaf] as number);
    sums[row + 2] = (sums[row + 2] as number) + (pathLengths[c - firstLeaf] as number);
    sums[row + 3] = (sums[row + 3] as number) + (pathLengths[d - firstLeaf] as number);
    sums[row + 4] = (sums[row + 4] as number) + (pathLengths[e - firstLeaf] as number);
    sums[row + 5] = (sums[row + 5] as number) + (pathLengths[f - firstLeaf] as number);
    sums[row + 6] = (sums[row + 6] as number) + (pathLengths[g - firstLeaf] as number);
    sums[row + 7] = (sums[row + 7] as number) + (pathLengths[h - firstLeaf] as number);
  }
  for (; row < count; row++) {
    let node = 0;
    for (let level = 0; level < depth; level++) {
      const value = rows[row * features + (splitFeatures[node] as number)] as number;
      node = 2 * node + 1 + +(value >= (splitValues[node] as number));
    }
    sums[row] = (sums[row] as number) + (pathLengths[node - firstLeaf] as number);
  }
}
