/** From answers to the courses of memory of pods. */

import { labelNamesOf } from '../features/queries/template.js';
import { podKey } from '../features/table.js';
import type { SeriesSet } from '../prometheus/api.js';
import type { Instants } from '../prometheus/range.js';
import type { ForecastOptions } from './queries.js';
import type { Floors } from './time-to-limit.js';

/**
 * The floors of each pod of an answer, by the keys of the pods (`podKey`).
 *
 * @param asked the instants of the question. Some servers move them: a sample belongs to the nearest one.
 */
export function readFloors(
  { labels, offsets, timestampsSeconds, values }: SeriesSet,
  asked: Instants,
  options: ForecastOptions,
): ReadonlyMap<string, Floors> {
  const { namespace, pod } = labelNamesOf(options);
  const { startSeconds, stepSeconds, instants } = asked;
  return new Map(
    labels.map((own, series) => {
      const bytes = new Float64Array(instants).fill(Number.NaN);
      for (let sample = offsets[series] as number; sample < (offsets[series + 1] as number); sample++) {
        const instant = Math.round(((timestampsSeconds[sample] as number) - startSeconds) / stepSeconds);
        const value = values[sample] as number;
        if (instant >= 0 && instant < instants && Number.isFinite(value)) bytes[instant] = value;
      }
      return [podKey(own[namespace] ?? '', own[pod] ?? ''), { bytes, stepSeconds }] as const;
    }),
  );
}
