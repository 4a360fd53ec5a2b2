/** A metric family as data: what it is called, and which samples it has in a state. It renders nothing itself. */

/** A family; `State` is what it reads. */
export interface Family<State> {
  readonly name: string;
  readonly help: string;
  /** A counter always has a value. A gauge without a value is absent. */
  readonly type: 'gauge' | 'counter';
  readonly labels: readonly string[];
  /** All samples in a state: the same for the same state. A promise where there are many, to give others their turn. */
  readonly samples: (state: State) => Samples | Promise<Samples>;
}

/** The samples of one family at one time. */
export interface Samples {
  /**
   * The label values of each sample, in the order of the labels of the family. Families that show the same series share
   * one list: the text of the labels is then made once.
   */
  readonly series: readonly (readonly string[])[];
  /** One for each of the series. */
  readonly values: ArrayLike<number>;
}

export const NO_SAMPLES: Samples = { series: [], values: [] };

const UNLABELLED = [[]] as const;

/** The sample of a family without labels; absent without a value: a 0 would mean something, such as the year 1970. */
export function sample(value: number | boolean | undefined): Samples {
  return value === undefined ? NO_SAMPLES : { series: UNLABELLED, values: [Number(value)] };
}

/** The samples of a family with one label, by its value. */
export function samplesByLabel(values: Iterable<readonly [label: string, value: number]>): Samples {
  const entries = [...values];
  return { series: entries.map(([label]) => [label]), values: entries.map(([, value]) => value) };
}
