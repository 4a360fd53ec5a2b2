/** Fetches the last day of one pod and the day before it, for people who look at the pod. */

import type { Detection } from '../../detection/detection.js';
import type { FeatureDefinition } from '../../features/catalog.js';
import { type PodIdentity, podKey } from '../../features/table.js';
import { FeatureTableBuilder } from '../../features/table-builder.js';
import { usualAt } from '../../model/views.js';
import type { PrometheusApi } from '../../prometheus/api.js';
import { askTogether } from './ask-together.js';
import { BoundedReads, type FailedRead } from './bounded-reads.js';
import { ofPods } from './pod-query.js';

/** A gauge of a pod over a day. All arrays have one number for each instant, `NaN` where nothing is known. */
export interface DayCourse {
  readonly feature: string;
  readonly unit: string;
  readonly today: Float64Array;
  /** At the same times of the day before. */
  readonly yesterday: Float64Array;
  /** What is usual for the workload at that time of day; `-Infinity` where low values do not count. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** The result of reading. A failure is a value: the page shows the rest. */
export type DayOutcome =
  /** `timestampsSeconds` of today, ascending. Without counters, which have no course. */
  | { readonly kind: 'day'; readonly timestampsSeconds: Float64Array; readonly courses: readonly DayCourse[] }
  | FailedRead;

const DAY_SECONDS = 86_400;

/** Distance of the instants: 145 a day, which a picture can show. */
const STEP_SECONDS = 600;

const INSTANTS = DAY_SECONDS / STEP_SECONDS + 1;

/** People wait for the page. */
const TIMEOUT_SECONDS = 3;

export class DayReader {
  readonly #reads = new BoundedReads<DayOutcome>();

  constructor(
    private readonly api: PrometheusApi,
    private readonly timeoutSeconds = TIMEOUT_SECONDS,
  ) {}

  /**
   * The two days up to a detection, of one of its pods, by its row: one query for each gauge. Does not reject. Callers that ask
   * for the same pod of the same detection share the result.
   */
  async read(detection: Detection, row: number): Promise<DayOutcome> {
    const { model, timeSeconds, table } = detection;
    const pod = table.pods[row] as PodIdentity;
    const key = [model.fingerprint, model.windowEndSeconds, timeSeconds, podKey(pod.namespace, pod.pod)].join(',');
    return this.#reads.read(key, () => this.#read(detection, pod));
  }

  async #read({ model, timeSeconds }: Detection, pod: PodIdentity): Promise<DayOutcome> {
    const gauges = model.features.filter(({ type }) => type !== 'counter');
    const last = 2 * (INSTANTS - 1);
    const instants = Float64Array.from({ length: last + 1 }, (_, index) => timeSeconds - (last - index) * STEP_SECONDS);
    const answers = await askTogether(this.timeoutSeconds, (signal) =>
      gauges.map((feature) =>
        this.api.queryRange({
          query: ofPods(feature, [pod]),
          startSeconds: instants[0] as number,
          endSeconds: timeSeconds,
          stepSeconds: STEP_SECONDS,
          signal,
          isOneOff: true,
        }),
      ),
    );
    const builder = new FeatureTableBuilder(gauges, instants);
    for (const [index, answer] of answers.entries()) builder.add(gauges[index] as FeatureDefinition, answer);
    const { table } = builder.build(() => pod.workload);
    // The queries may name other pods: of the same name, in other namespaces.
    const own = table.pods.findIndex(({ namespace, pod: name }) => namespace === pod.namespace && name === pod.pod);
    const timestampsSeconds = instants.slice(INSTANTS - 1);
    const courses = gauges.map(({ name, unit }, column): DayCourse => {
      const at = (instant: number) => (own < 0 ? Number.NaN : table.at(own, instant, column));
      const usual = Array.from(timestampsSeconds, (seconds) =>
        usualAt(
          model,
          podKey(pod.namespace, pod.workload),
          model.features.indexOf(gauges[column] as FeatureDefinition),
          seconds,
        ),
      );
      return {
        feature: name,
        unit,
        today: timestampsSeconds.map((_, index) => at(INSTANTS - 1 + index)),
        yesterday: timestampsSeconds.map((_, index) => at(index)),
        lower: Float64Array.from(usual, (range) => range?.lower ?? Number.NaN),
        upper: Float64Array.from(usual, (range) => range?.upper ?? Number.NaN),
      };
    });
    return { kind: 'day', timestampsSeconds, courses };
  }
}
