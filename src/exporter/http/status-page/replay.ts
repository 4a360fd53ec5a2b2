/** The last hour of some pods, scored again with the current model: since when they are flagged, and what was usual. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { detect, RECENT_INSTANTS } from '../../detection/detect.js';
import type { Detection } from '../../detection/detection.js';
import { podKey } from '../../features/table.js';
import type { BuiltTable } from '../../features/table-builder.js';
import { Measurer } from '../../model/measure.js';
import type { Model } from '../../model/model.js';
import { deviationsWithin } from '../../model/transform.js';
import { usualAt } from '../../model/views.js';

/** One feature of a pod over time. All arrays have one number for each instant, `NaN` where the pod was not scored. */
export interface FeatureHistory {
  readonly feature: string;
  readonly unit: string;
  readonly values: Float64Array;
  /** Below it, a value is unusual; `-Infinity` where low values do not count. */
  readonly lower: Float64Array;
  /** Above it, a value is unusual. */
  readonly upper: Float64Array;
}

/** A pod over time, as a detection at each of the instants would have scored it. */
export interface PodHistory {
  /** Ascending, `RECENT_STEP_SECONDS` apart. */
  readonly timestampsSeconds: Float64Array;
  /** Above 0 is anomalous; `NaN` where the pod could not be scored. */
  readonly scores: Float64Array;
  /** In the order of the model. */
  readonly features: readonly FeatureHistory[];
}

/** Half the default sensitivity: used for a model without `minimumInput`. */
const SPREADS_WITHOUT_MINIMUM = 2;

/**
 * Runs a detection at each instant of a table that has the `RECENT_INSTANTS` before it. Each sees what a pass at that time
 * would have seen, so nothing depends on what the process remembers; only what lasts for an hour is not seen before the
 * training window. Lets the event loop turn in between. The band is where the feature alone cannot cause a flag: the
 * boundaries at that time of day where the model knows the workload, otherwise `minimumInput`, in the feature's unit.
 *
 * @returns histories by the keys of the pods (`podKey`).
 */
export async function replay(model: Model, built: BuiltTable): Promise<Map<string, PodHistory>> {
  const { table } = built;
  const width = model.features.length;
  const lookback = RECENT_INSTANTS - 1;
  const times = table.timestampsSeconds.slice(lookback);
  const measurer = new Measurer(model.baseline, model.features, table, false);
  const limits = Number.isFinite(model.minimumInput)
    ? deviationsWithin(model.minimumInput)
    : { below: SPREADS_WITHOUT_MINIMUM, above: SPREADS_WITHOUT_MINIMUM };
  const blank = () => new Float64Array(times.length).fill(Number.NaN);
  const pods = new Map(
    table.pods.map(({ namespace, pod }, index) => [
      podKey(namespace, pod),
      {
        timestampsSeconds: times,
        scores: blank(),
        features: model.features.map(({ name, unit }, column) => ({
          feature: name,
          unit,
          values: blank(),
          lower: blank(),
          upper: blank(),
          band: measurer.bandOf(index, column, limits),
        })),
      },
    ]),
  );
  for (let instant = 0; instant < times.length; instant++) {
    const detection = detect(model, {
      table: table.selectInstants(instant, instant + RECENT_INSTANTS),
      unscored: new Map(),
      incomplete: new Map(),
      droppedSeries: new Map(),
    });
    for (const [row, { namespace, pod, workload }] of detection.table.pods.entries()) {
      const history = pods.get(podKey(namespace, pod));
      if (history === undefined) continue;
      history.scores[instant] = detection.scores[row] as number;
      for (const [column, { values, lower, upper, band }] of history.features.entries()) {
        const cell = row * width + column;
        const ground = band.ofRises ? (detection.expected[cell] as number) : 0;
        const ofDays = usualByDays(detection, podKey(namespace, workload), cell);
        values[instant] = detection.table.at(row, 0, column);
        lower[instant] = ofDays?.lower ?? ground + band.lower;
        upper[instant] = ofDays?.upper ?? ground + band.upper;
      }
    }
    await nextTurn();
  }
  return pods;
}

/** What the last days make usual at the instant of a detection; `undefined` where they do not know it. */
function usualByDays({ model, judgement, timeSeconds }: Detection, workload: string, cell: number) {
  const column = cell % model.features.length;
  if (model.features[column]?.type !== 'counter') return usualAt(model, workload, column, timeSeconds);
  const upper = judgement?.boundaries[cell] ?? Number.NaN;
  return Number.isNaN(upper) ? undefined : { lower: Number.NEGATIVE_INFINITY, upper };
}

/**
 * Since when a pod has been flagged without a break, Unix time in seconds; `orEarlier` where the flag goes back as far
 * as the history. `undefined` where the pod is not flagged at the last instant.
 */
export function flaggedSince({ scores, timestampsSeconds }: PodHistory) {
  let first = scores.length;
  while (first > 0 && (scores[first - 1] as number) > 0) first--;
  if (first === scores.length) return undefined;
  return { timeSeconds: timestampsSeconds[first] as number, orEarlier: first === 0 };
}
