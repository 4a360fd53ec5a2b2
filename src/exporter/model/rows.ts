/**
 * What a model is made of: tables whose columns are arrays of numbers. A column is added here, in one line: it is then
 * allocated, saved, transferred and checked like all others.
 */

import { finish } from '../../lib/steps.js';
import { isEndOfStep, type NamedPod, podKey } from '../features/table.js';
import { LARGEST_PATTERN_SPREADS } from './hourly-pattern.js';
import { type ArrayOf, type Dtype, newArray } from './snapshot/safetensors.js';

/** What the length of a column depends on. */
export type Dimension =
  | 'pods'
  | 'workloads'
  | 'limits'
  | 'features'
  | 'patterns'
  | 'samples'
  | 'slots'
  | 'sides'
  | 'views'
  | 'trees'
  | 'nodes'
  | 'leaves';

/** How many there are of each. */
export type Sizes = Readonly<Record<Dimension, number>>;

/** A column: its type, its shape, and what its numbers must be. */
export interface Column<Type extends Dtype = Dtype> {
  readonly dtype: Type;
  readonly shape: readonly Dimension[];
  readonly isValid: (value: number) => boolean;
}

/** The arrays of some columns. */
export type Columns<Specifications> = {
  readonly [Name in keyof Specifications]: Specifications[Name] extends Column<infer Type> ? ArrayOf<Type> : never;
};

const column = <Type extends Dtype>(
  dtype: Type,
  shape: readonly Dimension[],
  isValid: (value: number) => boolean,
): Column<Type> => ({ dtype, shape, isValid });

const any = () => true;
const isDuration = (value: number) => value >= 0 && value < Number.POSITIVE_INFINITY;
const isFlag = (value: number) => value === 0 || value === 1;
const isPositive = (value: number) => value > 0 && value < Number.POSITIVE_INFINITY;
/** `NaN`: there is no boundary. */
const isBoundary = (value: number) => value > 0 || Number.isNaN(value);

/** In the `flags` of a pod: it has enough samples for statistics of its own. */
export const OWN_BASELINE = 1;
/** It has been there since the beginning of the window, and has a baseline: only its past is a measure. */
export const ESTABLISHED = 2;
/** It keeps the usual values of an earlier training, and was not there at the end of the window: it is no member. */
export const ABSENT = 4;

const PASTS = [OWN_BASELINE, OWN_BASELINE | ESTABLISHED];

/** All columns, by table. */
export const COLUMNS = {
  /** A row for each pod of the training window; after them, those of absent pods that earlier trainings knew. */
  pods: {
    /** Row of its workload. */
    workload: column('U32', ['pods'], any),
    /** For how long it was seen in the window that its statistics come from, in seconds. */
    seenSeconds: column('F64', ['pods'], isDuration),
    /** End of that window, Unix time: of an earlier training where the last one found too little (`known-before.ts`). */
    fittedSeconds: column('F64', ['pods'], isDuration),
    /** `OWN_BASELINE`, `ESTABLISHED`, `ABSENT`. */
    flags: column('U8', ['pods'], (flags) => flags === 0 || PASTS.includes(flags & ~ABSENT)),
    /** Where its hourly pattern ends in `patterns`; it begins where that of the pod before ends. */
    patternEnd: column('U32', ['pods'], any),
    /** Centre of each feature, in its unit; 0 without a baseline of its own. */
    location: column('F64', ['pods', 'features'], Number.isFinite),
    /** Spread of each feature, in its unit, above 0; 1 without a baseline of its own. */
    scale: column('F64', ['pods', 'features'], isPositive),
    /** The last hour (`fitRecent`). */
    recent: column('U16', ['pods', 'features', 'samples'], any),
  },
  /** A row for each workload of these pods. */
  workloads: {
    /** How many established pods its statistics come from; 0 where it has none. */
    members: column('U32', ['workloads'], any),
    /** End of the newest window that they come from, Unix time; 0 where it has none. */
    fittedSeconds: column('F64', ['workloads'], isDuration),
    /** Centre of each feature over these pods, in its unit; 0 without statistics. */
    location: column('F64', ['workloads', 'features'], Number.isFinite),
    /** Spread of each feature over these pods, in its unit, above 0; 1 without statistics. */
    scale: column('F64', ['workloads', 'features'], isPositive),
    /** The same hour of the median of its pods. */
    recent: column('U16', ['workloads', 'features', 'samples'], any),
    /** Its newest release of the last day, Unix time; 0 without one (`fitReleases`). */
    releaseSeconds: column('F64', ['workloads'], isDuration),
    /** What stands for the revision of most of its pods; 0 where they have none. */
    revision: column('U32', ['workloads'], any),
  },
  /** A row for each workload of the last days (`Limits`). */
  limits: {
    season: column('U16', ['limits', 'features', 'slots'], any),
    range: column('F32', ['limits', 'features', 'sides'], Number.isFinite),
    held: column('U8', ['limits', 'features', 'views'], isFlag),
    boundaries: column('F32', ['limits', 'features', 'views'], isBoundary),
  },
  /** What workloads are judged by that nothing is known of. */
  fleet: {
    boundaries: column('F32', ['features', 'views'], isBoundary),
  },
  /** What hourly patterns expect, pod by pod (`hourly-pattern.ts`). */
  patterns: {
    /** Which minute, feature and side. */
    cell: column('U32', ['patterns'], any),
    /** By how many spreads the pod is expected to deviate then. */
    spreads: column('F32', ['patterns'], (value) => value > 0 && value <= LARGEST_PATTERN_SPREADS),
  },
  /**
   * All pods in scope. Of ln(value) for the kinds `pod` and `workload`, where only what is extreme for all pods together
   * stands out; of the value itself for `cluster`.
   */
  global: {
    location: column('F64', ['features'], Number.isFinite),
    scale: column('F64', ['features'], isPositive),
  },
  /** See `Forest`. */
  forest: {
    splitFeatures: column('U16', ['trees', 'nodes'], any),
    splitValues: column('F64', ['trees', 'nodes'], Number.isFinite),
    pathLengths: column('F64', ['trees', 'leaves'], isDuration),
  },
} as const;

/** Rows that are found by their keys (`podKey` of pods and workloads). */
export interface KeyedRows {
  readonly keys: readonly string[];
  readonly rows: ReadonlyMap<string, number>;
}

export type PodRows = KeyedRows & Columns<typeof COLUMNS.pods>;

export type WorkloadRows = KeyedRows & {
  /** Names without namespaces. */
  readonly names: readonly string[];
} & Columns<typeof COLUMNS.workloads>;

export type LimitRows = KeyedRows & Columns<typeof COLUMNS.limits>;

/** Arrays for columns, all 0; spreads are 1. */
export function newColumns<Specifications extends Readonly<Record<string, Column>>>(
  specifications: Specifications,
  sizes: Partial<Sizes>,
): Columns<Specifications> {
  const arrays = Object.entries(specifications).map(([name, { dtype, shape, isValid }]) => {
    const length = shape.reduce((product, dimension) => product * (sizes[dimension] ?? 0), 1);
    return [name, newArray(dtype, length).fill(isValid(0) ? 0 : 1)];
  });
  return Object.fromEntries(arrays) as Columns<Specifications>;
}

/** The name of a workload without its namespace. */
export function nameOfKey(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}

/** The rows of pods, -1 where the model does not know one: the one look-up that a pod needs in a scrape. */
export function locatePods(known: KeyedRows, pods: readonly NamedPod[]): Int32Array {
  return finish(locatePodsInSteps(known, pods));
}

/** Does the same in steps of a few milliseconds. */
export function* locatePodsInSteps({ rows }: KeyedRows, pods: readonly NamedPod[]): Generator<undefined, Int32Array> {
  const located = new Int32Array(pods.length);
  for (const [position, { namespace, pod }] of pods.entries()) {
    if (isEndOfStep(position)) yield;
    located[position] = rows.get(podKey(namespace, pod)) ?? -1;
  }
  return located;
}
