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

/** Counters have names that end in `_total`, and only they. */
const typeOf = (name: string) => (name.endsWith('_total') ? 'counter' : 'gauge');

/** A family without labels. */
export function single<State>(
  name: string,
  help: string,
  read: (state: State) => number | boolean | undefined,
): Family<State> {
  return { name, help, type: typeOf(name), labels: [], samples: (state) => sample(read(state)) };
}

/** A family with one label, by its value. */
export function byLabel<State>(
  name: string,
  help: string,
  label: string,
  read: (state: State) => Iterable<readonly [value: string, sample: number]>,
): Family<State> {
  const samples = (state: State) => {
    const entries = [...read(state)];
    return { series: entries.map(([value]) => [value]), values: entries.map(([, value]) => value) };
  };
  return { name, help, type: typeOf(name), labels: [label], samples };
}

/** A function whose values are made once for each object, and live as long as it does. */
export function memoizeByObject<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, { readonly value: Value }>();
  return (key) => {
    const known = made.get(key) ?? { value: make(key) };
    made.set(key, known);
    return known.value;
  };
}
