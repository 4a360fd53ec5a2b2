/** What the value of a feature is compared with: its last hours, or what its workload did during the last days. */

import type { Model } from '../model/model.js';
import type { Judgement } from '../model/views.js';

/** All that a value may be compared with. */
export const COMPARISONS = [
  'last_hours',
  'time_of_day',
  'time_of_day_for_an_hour',
  'siblings',
  'siblings_for_an_hour',
  'rise_in_an_hour',
] as const;

export type Comparison = (typeof COMPARISONS)[number];

/**
 * The words for it. `usual` stands before the value to expect and `when` behind it; `lasting` is for how long the value has
 * been away from it.
 */
export const COMPARISON_WORDS: Readonly<
  Record<Comparison, { readonly usual: string; readonly when: string; readonly lasting: string }>
> = {
  last_hours: { usual: 'usually', when: 'in the last hours', lasting: '' },
  time_of_day: { usual: 'usually', when: 'at this time of day', lasting: '' },
  time_of_day_for_an_hour: { usual: 'usually', when: 'at this time of day', lasting: 'for an hour' },
  siblings: { usual: 'its siblings', when: 'now', lasting: '' },
  siblings_for_an_hour: { usual: 'its siblings', when: 'now', lasting: 'for an hour' },
  rise_in_an_hour: { usual: 'from', when: 'an hour ago', lasting: '' },
};

/** The usual values of pods, and how far the pods are from them. All are pods × features. */
export interface Compared {
  /** In the unit of the feature. */
  readonly expected: Float64Array;
  /** In usual spreads, signed. */
  readonly deviations: Float64Array;
  /** Positions in `COMPARISONS`. */
  readonly comparisons: Uint8Array;
}

const RISE = COMPARISONS.indexOf('rise_in_an_hour');

/**
 * Chooses what counts for each value. It is the view that reached the largest share of its boundary; a boundary is as many
 * usual spreads as the sensitivity says. The last hours count where no view knows the workload, for pods that only they
 * flag, and for values of flagged pods that no view finds unusual: these may still have a part in the score.
 *
 * @param ofLastHours the comparison with the last hours.
 * @param scores of the pods, above 0 is anomalous.
 */
export function compare(
  { features, remembers, sensitivity }: Model,
  ofLastHours: Omit<Compared, 'comparisons'>,
  judgement: Judgement | undefined,
  scores: Float64Array,
): Compared {
  const expected = ofLastHours.expected.slice();
  const deviations = ofLastHours.deviations.slice();
  const comparisons = new Uint8Array(expected.length);
  if (judgement === undefined || !remembers) return { expected, deviations, comparisons };
  const width = features.length;
  for (let row = 0; row < scores.length; row++) {
    if (isBrief({ features, remembers }, judgement, scores, row)) continue;
    const isFlagged = (scores[row] as number) > 0;
    const end = (row + 1) * width;
    for (let cell = end - width; cell < end; cell++) {
      const usual = judgement.expected[cell] as number;
      const share = judgement.shares[cell] as number;
      if (Number.isNaN(usual) || (isFlagged && share === 0)) continue;
      expected[cell] = usual;
      deviations[cell] = share * sensitivity;
      const isCounter = features[cell % width]?.type === 'counter';
      // Rises and falls of a view count as one.
      comparisons[cell] = isCounter ? RISE : 1 + Math.floor((judgement.views[cell] as number) / 2);
    }
  }
  return { expected, deviations, comparisons };
}

/** Whether only its last hours flag a pod, for some minutes. */
export function isBrief(
  { features, remembers }: Pick<Model, 'features' | 'remembers'>,
  judgement: Judgement | undefined,
  scores: Float64Array,
  row: number,
): boolean {
  const width = features.length;
  const shares = judgement?.shares.subarray(row * width, (row + 1) * width) ?? new Float64Array();
  return remembers && (scores[row] as number) > 0 && largestShare(shares) <= 1;
}

/** The largest share of a boundary that any feature of a pod reached; beyond 1 the pod is anomalous. */
export function largestShare(shares: Float64Array): number {
  return shares.reduce((largest, own) => Math.max(largest, Math.abs(own)), 0);
}
