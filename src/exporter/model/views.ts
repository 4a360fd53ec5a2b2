/** Compares pods with what their workloads did during the last days, each view with the boundary of its workload. */

import { medianOfKnown } from '../../lib/statistics.js';
import type { FeatureDefinition } from '../features/catalog.js';
import { type FeatureTable, type PodIdentity, podKey } from '../features/table.js';
import { LEAST_SIBLINGS } from '../history/hour-summary.js';
import { levelOf, valueOfLevel } from '../history/level.js';
import {
  type EarlierSamples,
  LONG_STEP_SECONDS,
  type Sustained,
  sustainedLong,
  sustainedShort,
} from '../history/sustained.js';
import { decodeLevel } from '../history/workload-history.js';
import { HELD_SHARE } from './held-back.js';
import { riseWithinHour } from './hour-rise.js';
import { LEAST_RISE_BOUNDARY } from './limits.js';
import type { Model } from './model.js';
import { RECENT_SAMPLES } from './recent.js';
import { SEASON_SLOTS, slotBeyondEdge, slotOf } from './season.js';
import { isFall, longOf, RISE_VIEW, SIBLING_VIEWS, VIEWS } from './view-list.js';

/** What the views say of pods, one row for each pod. */
export interface Judgement {
  /**
   * pods × features: the largest share of a boundary that any view reached, negative where the value is below what it
   * should be. Beyond 1 and -1, the pod is anomalous.
   */
  readonly shares: Float64Array;
  /** pods × features: the value to expect according to that view, in the unit of the feature; `NaN` where it has none. */
  readonly expected: Float64Array;
  /** pods × features: the value that may not be exceeded, or fallen short of; `NaN` where nothing is known. */
  readonly boundaries: Float64Array;
  /** pods × features: position of that view in `VIEWS`. */
  readonly views: Uint8Array;
}

/** A workload in a table. */
interface Group {
  /** Row in the limits of the model, -1 where the workload is not known. */
  readonly limits: number;
  /** Row in the workloads of the model, -1 where it has none. */
  readonly row: number;
  readonly pods: number[];
  /** For each feature, the median of the pods at each instant; once it was asked for. */
  readonly middles: (Float64Array | undefined)[];
}

/** How far below (at most 0) and above (at least 0) a reference levels are known. */
interface Known {
  readonly lowest: number;
  readonly highest: number;
}

const NOTHING_KNOWN: Known = { lowest: 0, highest: 0 };

/** Room for `cells` cells. */
export function emptyJudgement(cells: number): Judgement {
  return {
    shares: new Float64Array(cells),
    expected: new Float64Array(cells).fill(Number.NaN),
    boundaries: new Float64Array(cells).fill(Number.NaN),
    views: new Uint8Array(cells),
  };
}

/** How far back gauges are looked at in a table, in seconds. */
export const GAUGE_SECONDS = 600;

/**
 * A deviation that was beyond its boundary within this time, in seconds, stays one down to this share of it: what wavers
 * around a boundary is one incident, and not many. Read from the samples of that time, so that replicas agree.
 */
const STAY_SECONDS = 3600;
const STAY_SHARE = 0.7;

/** Judges pods of a table at its last instant, one at a time. */
export class ViewJudge {
  readonly #model: Model;
  readonly #table: FeatureTable;
  readonly #rows: Int32Array;
  readonly #groups: readonly Group[];
  readonly #last: number;
  /** Gauges are looked at from this instant on: a table reaches further back for its counters. */
  readonly #first: number;
  readonly #timeSeconds: number;
  /** Where the season of this time stands, and that of the half hour beyond the edge that it is near. */
  readonly #slot: number;
  readonly #slotBeyond: number;
  readonly #levels: Float64Array;
  readonly #difference: Float64Array;
  readonly #recent: EarlierSamples;
  readonly #recentMiddle: EarlierSamples;
  readonly #short: Sustained = { up: Number.NaN, down: Number.NaN };
  readonly #long: Sustained = { up: Number.NaN, down: Number.NaN };
  readonly #deviations = new Float64Array(VIEWS.length);
  /** The largest deviation of the same kind within the hour before. */
  readonly #before = new Float64Array(VIEWS.length);
  readonly #references = new Float64Array(VIEWS.length);
  /** How far from the reference a view begins to count: the levels up to there are known. */
  readonly #known = new Float64Array(VIEWS.length);

  /** @param rows row of each pod of the table in the model, -1 where it has none (`locatePods`). */
  constructor(model: Model, table: FeatureTable, rows: Int32Array) {
    this.#model = model;
    this.#table = table;
    this.#rows = rows;
    this.#last = table.timestampsSeconds.length - 1;
    this.#first = Math.max(0, this.#last - Math.round(GAUGE_SECONDS / table.stepSeconds));
    this.#timeSeconds = table.timestampsSeconds[this.#last] as number;
    this.#slot = slotOf(this.#timeSeconds);
    this.#slotBeyond = slotBeyondEdge(this.#timeSeconds);
    this.#groups = this.#group();
    const recentSamples = () => ({ values: new Float64Array(RECENT_SAMPLES), endSeconds: model.windowEndSeconds });
    this.#recent = recentSamples();
    this.#recentMiddle = recentSamples();
    this.#levels = new Float64Array(table.timestampsSeconds.length);
    this.#difference = new Float64Array(table.timestampsSeconds.length).fill(Number.NaN);
  }

  /** The group of each pod. */
  #group(): Group[] {
    const { workloads } = this.#model.baseline;
    const { limits } = this.#model;
    const groups = new Map<string, Group>();
    let last: Group | undefined;
    let lastPod: PodIdentity | undefined;
    return this.#table.pods.map((identity, pod) => {
      const { namespace, workload } = identity;
      // Pods of a workload mostly follow one another.
      if (last === undefined || lastPod?.workload !== workload || lastPod.namespace !== namespace) {
        const key = podKey(namespace, workload);
        last = groups.get(key);
        if (last === undefined) {
          const row = workloads.rows.get(key) ?? -1;
          last = { limits: limits.rows.get(key) ?? -1, row, pods: [], middles: [] };
          groups.set(key, last);
        }
        lastPod = identity;
      }
      last.pods.push(pod);
      return last;
    });
  }

  /** Judges a pod by boundaries that are `distance` times as far, and writes to row `row` of `into`. */
  judge(pod: number, into: Judgement, row: number, distance = 1): void {
    const { features } = this.#model;
    for (const [column, feature] of features.entries()) {
      this.#deviations.fill(Number.NaN);
      this.#before.fill(Number.NaN);
      this.#references.fill(Number.NaN);
      this.#known.fill(0);
      if (feature.type === 'counter') this.#compareRise(pod, column);
      else this.#compareLevels(pod, column, feature);
      const cell = row * features.length + column;
      const { share, view, boundary } = this.#worstView(this.#groups[pod] as Group, column, distance);
      const reference = this.#references[view] as number;
      into.views[cell] = view;
      if (feature.type === 'counter') {
        into.shares[cell] = share;
        into.expected[cell] = reference;
        into.boundaries[cell] = reference + Math.floor(boundary);
        continue;
      }
      const sign = isFall(view) ? -1 : 1;
      into.shares[cell] = sign * share;
      into.expected[cell] = valueOfLevel(feature, reference);
      into.boundaries[cell] = valueOfLevel(feature, reference + sign * ((this.#known[view] as number) + boundary));
    }
  }

  #worstView({ limits }: Group, column: number, distance: number): { share: number; view: number; boundary: number } {
    const { limits: known, fleet, features } = this.#model;
    const boundaries = limits < 0 ? fleet.boundaries : known.boundaries;
    const start = (Math.max(0, limits) * features.length + column) * VIEWS.length;
    const boundaryOf = (own: number) => {
      const boundary = distance * (boundaries[start + own] as number);
      // A crash loop is one from the first minute on, when nothing is known of earlier days.
      if (features[column]?.type === 'counter' && !(boundary > 0)) return distance * LEAST_RISE_BOUNDARY;
      const stay = HELD_SHARE * boundary;
      if (limits >= 0 && known.held[start + own] === 1 && (this.#deviations[longOf(own)] as number) > stay) return stay;
      return (this.#before[own] as number) > boundary ? STAY_SHARE * boundary : boundary;
    };
    let [share, view] = [0, 0];
    for (let own = 0; own < VIEWS.length; own++) {
      const ownShare = (this.#deviations[own] as number) / boundaryOf(own);
      if (ownShare > share) [share, view] = [ownShare, own];
    }
    return { share, view, boundary: boundaryOf(view) };
  }

  /** Fills deviations and references with what the views of a gauge say. */
  #compareLevels(pod: number, column: number, feature: FeatureDefinition): void {
    const group = this.#groups[pod] as Group;
    const levels = this.#levels;
    this.#readLevels(pod, column, feature, levels);
    const { stepSeconds } = this.#table;
    const recent = this.#readRecent('pods', this.#rows[pod] as number, column, this.#recent);
    sustainedShort(levels, this.#last, stepSeconds, this.#short);
    if (Number.isNaN(this.#short.up)) return;
    this.#sustainLong(levels, recent);
    const season = this.#seasonOf(group, column, this.#slot);
    const beyond = this.#seasonOf(group, column, this.#slotBeyond);
    this.#compare(0, season, withLevel(this.#rangeOf(group, column), beyond - season));
    this.#lookBack(0, levels, recent);
    const middle = this.#middleOf(group, column, feature);
    if (middle === undefined) return;
    const recentMiddle = this.#readRecent('workloads', group.row, column, this.#recentMiddle);
    const difference = this.#difference;
    for (let instant = this.#first; instant <= this.#last; instant++) {
      difference[instant] = (levels[instant] as number) - (middle[instant] as number);
    }
    const newestMiddle = middle[this.#last] as number;
    sustainedShort(difference, this.#last, stepSeconds, this.#short);
    // `recent` is not asked for any more.
    for (let sample = 0; sample < RECENT_SAMPLES; sample++) {
      recent.values[sample] = (recent.values[sample] as number) - (recentMiddle.values[sample] as number);
    }
    this.#sustainLong(difference, recent);
    this.#compare(SIBLING_VIEWS, 0);
    this.#lookBack(SIBLING_VIEWS, difference, recent);
    this.#references.fill(newestMiddle, SIBLING_VIEWS);
  }

  /**
   * How far a level stays above and below a reference, for the short and the long time: four views.
   *
   * @param known how far below and above the reference the levels are known.
   */
  #compare(view: number, reference: number, known: Known = NOTHING_KNOWN): void {
    this.#references.fill(reference, view, view + 4);
    for (const own of [view, view + 2]) {
      this.#known[own] = known.highest;
      this.#known[own + 1] = -known.lowest;
    }
    const { up, down } = this.#short;
    this.#deviate(view, this.#deviations, up, down);
    this.#deviate(view + 2, this.#deviations, this.#long.up, this.#long.down);
  }

  /** Writes how far two levels are beyond what is known: one upwards, and one downwards. */
  #deviate(view: number, into: Float64Array, up: number, down: number): void {
    const reference = this.#references[view] as number;
    into[view] = beyondKnown(up - reference, this.#known[view] as number);
    into[view + 1] = beyondKnown(reference - down, this.#known[view + 1] as number);
  }

  /** How far it stayed there in the hour before, as far as samples five minutes apart tell. */
  #lookBack(view: number, levels: Float64Array, { values, endSeconds }: EarlierSamples): void {
    let up = Number.NEGATIVE_INFINITY;
    let down = Number.POSITIVE_INFINITY;
    const age = this.#timeSeconds - endSeconds;
    for (let sample = 1; sample < values.length; sample++) {
      if (age + (values.length - 1 - sample) * LONG_STEP_SECONDS > STAY_SECONDS) continue;
      const older = values[sample - 1] as number;
      const newer = values[sample] as number;
      // Comparisons with `NaN` are false.
      if (older > up && newer > up) up = older < newer ? older : newer;
      if (older < down && newer < down) down = older > newer ? older : newer;
    }
    const stride = Math.max(1, Math.round(LONG_STEP_SECONDS / this.#table.stepSeconds));
    for (let position = this.#last - stride; position >= this.#first + stride; position -= stride) {
      const older = levels[position - stride] as number;
      const newer = levels[position] as number;
      if (older > up && newer > up) up = older < newer ? older : newer;
      if (older < down && newer < down) down = older > newer ? older : newer;
    }
    this.#deviate(view, this.#before, up, down);
    if (age > STAY_SECONDS) return;
    sustainedLong(values, values.length - 1, LONG_STEP_SECONDS, this.#long);
    this.#deviate(view + 2, this.#before, this.#long.up, this.#long.down);
  }

  #sustainLong(levels: Float64Array, earlier: EarlierSamples): void {
    sustainedLong(levels, this.#last, this.#table.stepSeconds, this.#long, this.#timeSeconds, earlier);
  }

  #compareRise(pod: number, column: number): void {
    const { baseline, features, windowEndSeconds } = this.#model;
    const table = this.#table;
    const values = this.#levels;
    table.copyColumn(pod, column, values);
    const row = this.#rows[pod] as number;
    const start = (row * features.length + column) * RECENT_SAMPLES;
    const trained =
      row < 0
        ? undefined
        : { codes: baseline.pods.recent.subarray(start, start + RECENT_SAMPLES), endSeconds: windowEndSeconds };
    const { rise, height } = riseWithinHour(trained, values, table.timestampsSeconds);
    this.#deviations[RISE_VIEW] = rise;
    this.#references[RISE_VIEW] = height - rise;
  }

  #readLevels(pod: number, column: number, feature: FeatureDefinition, into: Float64Array): void {
    this.#table.copyColumn(pod, column, into);
    for (let instant = this.#first; instant <= this.#last; instant++) {
      into[instant] = levelOf(feature, into[instant] as number);
    }
    into.fill(Number.NaN, 0, this.#first);
  }

  /** The median of the pods of a workload at each instant; `undefined` where there are no siblings. */
  #middleOf(group: Group, column: number, feature: FeatureDefinition): Float64Array | undefined {
    const known = group.middles[column];
    if (known !== undefined || group.pods.length < LEAST_SIBLINGS) return known;
    const instants = this.#last + 1;
    const all = new Float64Array(group.pods.length * instants);
    group.pods.forEach((pod, index) => {
      this.#readLevels(pod, column, feature, all.subarray(index * instants, (index + 1) * instants));
    });
    const room = new Float64Array(group.pods.length);
    const middle = new Float64Array(instants);
    middle.fill(Number.NaN, 0, this.#first);
    for (let instant = this.#first; instant < instants; instant++) {
      for (let index = 0; index < room.length; index++) room[index] = all[index * instants + instant] as number;
      middle[instant] = medianOfKnown(room, LEAST_SIBLINGS);
    }
    group.middles[column] = middle;
    return middle;
  }

  #readRecent(table: 'pods' | 'workloads', row: number, column: number, into: EarlierSamples): EarlierSamples {
    const { values } = into;
    const start = (row * this.#model.features.length + column) * RECENT_SAMPLES;
    const { recent } = this.#model.baseline[table];
    for (let sample = 0; sample < RECENT_SAMPLES; sample++) {
      values[sample] = row < 0 ? Number.NaN : decodeLevel(recent[start + sample] as number);
    }
    return into;
  }

  #rangeOf({ limits }: Group, column: number): Known {
    if (limits < 0) return NOTHING_KNOWN;
    const { range } = this.#model.limits;
    const cell = 2 * (limits * this.#model.features.length + column);
    return { lowest: range[cell] as number, highest: range[cell + 1] as number };
  }

  #seasonOf({ limits }: Group, column: number, slot: number): number {
    if (limits < 0) return Number.NaN;
    const { season } = this.#model.limits;
    return decodeLevel(season[(limits * this.#model.features.length + column) * SEASON_SLOTS + slot] as number);
  }
}

/** A deviation that a view has found to be usual: not 0, which says that no view has an opinion. */
const USUAL_DEVIATION = 1e-9;

/** How far a deviation is beyond the levels that are known on its side. */
function beyondKnown(deviation: number, known: number): number {
  const beyond = deviation - known;
  return beyond <= 0 && deviation > 0 ? USUAL_DEVIATION : beyond;
}

/** Levels that are known around the season, and around another level: so far above the season, or below it. */
function withLevel(known: Known, distance: number): Known {
  const { lowest, highest } = known;
  if (distance > 0) return { lowest, highest: highest + distance };
  return distance < 0 ? { lowest: lowest + distance, highest } : known;
}

/**
 * The values of a gauge that the last days make usual for a pod of a workload at a time of day, if they last for some minutes;
 * `undefined` where they do not know it.
 *
 * @param key of the workload.
 */
export function usualAt(
  { features, limits }: Pick<Model, 'features' | 'limits'>,
  key: string,
  column: number,
  timeSeconds: number,
): { readonly lower: number; readonly upper: number } | undefined {
  const row = limits.rows.get(key);
  const feature = features[column] as FeatureDefinition;
  if (row === undefined || feature.type === 'counter') return undefined;
  const cell = row * features.length + column;
  const levelAt = (slot: number) => decodeLevel(limits.season[cell * SEASON_SLOTS + slot] as number);
  const level = levelAt(slotOf(timeSeconds));
  // What lasts for some minutes has the first two views.
  const up = limits.boundaries[cell * VIEWS.length] as number;
  const down = limits.boundaries[cell * VIEWS.length + 1] as number;
  if (Number.isNaN(level) || Number.isNaN(up)) return undefined;
  const range = { lowest: limits.range[2 * cell] as number, highest: limits.range[2 * cell + 1] as number };
  const { lowest, highest } = withLevel(range, levelAt(slotBeyondEdge(timeSeconds)) - level);
  return {
    lower: Number.isNaN(down) ? Number.NEGATIVE_INFINITY : valueOfLevel(feature, level + lowest - down),
    upper: valueOfLevel(feature, level + highest + up),
  };
}
