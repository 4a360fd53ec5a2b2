/** The scores of a case. */

import { podKey } from '../../exporter/features/table.js';
import type { Case } from './case.js';

/** Scores of each pod of a case, and of each of its minutes; `NaN` without one. */
export interface CaseScores {
  /** Of the detector; above 0 is flagged. */
  readonly detector: readonly Float64Array[];
  /** The largest robust z-score. */
  readonly robustZ: readonly Float64Array[];
}

/** Scores of the pods that a piece has seen, by the pod's key: one for each minute of the piece, `NaN` without one. */
export type PieceScores = Readonly<Record<keyof CaseScores, ReadonlyMap<string, Float64Array>>>;

export function emptyScores({ pods }: Case): CaseScores {
  const blank = () => pods.map(({ minutes }) => new Float64Array(minutes).fill(Number.NaN));
  return { detector: blank(), robustZ: blank() };
}

/** Writes the scores of a piece, whose first minute is minute `first` of the case, into those of the case. */
export function addPiece({ pods }: Case, scores: CaseScores, piece: PieceScores, first: number): void {
  pods.forEach(({ identity, firstMinute, minutes }, index) => {
    const key = podKey(identity.namespace, identity.pod);
    for (const kind of ['detector', 'robustZ'] as const) {
      const own = piece[kind].get(key);
      if (own === undefined) continue;
      const from = Math.max(first, firstMinute);
      const to = Math.min(first + own.length, firstMinute + minutes);
      if (from < to) scores[kind][index]?.set(own.subarray(from - first, to - first), from - firstMinute);
    }
  });
}
