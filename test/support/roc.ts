/** Measures of a ranking. */

/**
 * Area under the ROC curve: the probability that a random positive scores higher than a random negative, ties half
 * (Mann and Whitney's U).
 *
 * @param scores higher = more likely positive.
 * @param labels 1 = positive, 0 = negative.
 */
export function areaUnderRocCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = Array.from({ length: scores.length }, (_, index) => index);
  order.sort((a, b) => (scores[a] as number) - (scores[b] as number));
  let rankSum = 0;
  let positives = 0;
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && scores[order[end] as number] === scores[order[start] as number]) end++;
    const meanRank = (start + 1 + end) / 2;
    for (let i = start; i < end; i++) {
      if (labels[order[i] as number] === 1) {
        rankSum += meanRank;
        positives++;
      }
    }
    start = end;
  }
  const negatives = scores.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
