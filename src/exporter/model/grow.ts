/**
 * Grows an isolation forest with the package `isolation-forest`, and flattens it.
 *
 * Only the package's tree is used (0.0.9). Its forest draws a sub-sample and then grows each tree on every row, which
 * makes training slow and lets the scores of normal data fall with the number of rows; it takes its numbers from
 * `Math.random`; and it keeps the training rows. So the sample is drawn here, the generator is seeded for the time of
 * the call, and only the flattened tree is kept.
 */

import { ITree } from 'isolation-forest/dist/iTree.js';
import { averagePathLength, type Forest, type Tree, treeOf } from './forest.js';
import type { Random } from './random.js';

type TreeNode = ReturnType<ITree['getRootNode']>;

/** What a forest is grown from. */
export interface GrowOptions extends Pick<Forest, 'estimators' | 'features'> {
  /** Rows of each tree's sample, 2 or more. */
  readonly sampleRows: number;
  /** Draws the sample of one tree: `sampleRows` rows × features. */
  readonly drawSample: () => Float64Array;
  readonly random: Random;
}

/** Grows the trees one after the other; takes about a millisecond each for 256 rows. */
export function growForest(options: GrowOptions): Forest {
  const { estimators, features, sampleRows } = options;
  const depth = Math.max(1, Math.ceil(Math.log2(sampleRows)));
  const leaves = 2 ** depth;
  const forest = {
    estimators,
    features,
    depth,
    splitFeatures: new Uint16Array(estimators * (leaves - 1)),
    splitValues: new Float64Array(estimators * (leaves - 1)),
    pathLengths: new Float64Array(estimators * leaves),
    averagePathLength: averagePathLength(sampleRows),
  };
  for (let tree = 0; tree < estimators; tree++) {
    flatten(growTree(options.drawSample(), features, depth, options.random), 0, 0, 0, treeOf(forest, tree));
  }
  return forest;
}

/**
 * The package also splits on columns that are constant in a node, which parts nothing and uses up a level. Those
 * splits are left out later, so the tree may grow deeper than it will be kept.
 */
const SPARE_LEVELS = 12;

function growTree(sample: Float64Array, features: number, depth: number, random: Random): TreeNode {
  const rows: Record<string, number>[] = [];
  for (let start = 0; start < sample.length; start += features) {
    rows.push(Object.fromEntries(sample.subarray(start, start + features).entries()));
  }
  const original = Math.random;
  Math.random = random;
  try {
    return new ITree(rows, depth + SPARE_LEVELS).getRootNode();
  } finally {
    Math.random = original;
  }
}

/**
 * Writes `node` at position `index` of level `level`, and all below it.
 *
 * @param pathLength splits on the way that parted the rows: one with an empty side (its column was constant there)
 *   says nothing about a row and does not count. scikit-learn never makes such splits.
 */
function flatten(node: TreeNode, index: number, level: number, pathLength: number, flat: Tree): void {
  let current = node;
  while (current.isInternalNode() && (rowsBelow(current.leftChild) === 0 || rowsBelow(current.rightChild) === 0)) {
    current = rowsBelow(current.leftChild) === 0 ? current.rightChild : current.leftChild;
  }
  if (level === flat.depth) {
    const firstLeaf = 2 ** flat.depth - 1;
    flat.pathLengths[index - firstLeaf] = pathLength + averagePathLength(rowsBelow(current));
    return;
  }
  const isLeaf = current.isExternalNode();
  flat.splitFeatures[index] = isLeaf ? 0 : Number(current.splitAttribute);
  flat.splitValues[index] = isLeaf ? 0 : current.splitValue;
  const length = isLeaf ? pathLength : pathLength + 1;
  flatten(isLeaf ? current : current.leftChild, 2 * index + 1, level + 1, length, flat);
  flatten(isLeaf ? current : current.rightChild, 2 * index + 2, level + 1, length, flat);
}

function rowsBelow(node: TreeNode): number {
  return node.isExternalNode() ? node.size() : rowsBelow(node.leftChild) + rowsBelow(node.rightChild);
}
