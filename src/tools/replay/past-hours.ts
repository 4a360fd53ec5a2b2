/** What the trainings of a replay remember of the days before: the hours that were over by then, as in the service. */

import type { FeatureDefinition } from '../../exporter/features/catalog.js';
import { HOURS_PER_DAY, lastSettledHour } from '../../exporter/history/grid.js';
import type { HourSummary } from '../../exporter/history/hour-summary.js';
import { type HistoryState, WorkloadHistory } from '../../exporter/history/workload-history.js';
import { featureNames } from '../../exporter/model/snapshot/history-codec.js';

/** What the trainings of a chunk remember: plain data. */
export interface PastHours {
  /** As of the first training. */
  readonly state: HistoryState;
  /** Hours that end and settle from then to the last training, ascending. */
  readonly later: readonly HourSummary[];
}

/** Summaries of consecutive hours, in order; both ends are included. */
export type HoursReader = (firstHour: number, lastHour: number) => Promise<readonly HourSummary[]>;

/** Hours that are read at a time. */
export const HOURS_PER_READ = 6;

/** The first hour that a training may remember. */
export function firstRememberedHour(trainingSeconds: number, days: number): number {
  return lastSettledHour(trainingSeconds) - days * HOURS_PER_DAY + 1;
}

/** Of the hours that are known, how many had pods. */
export function countHours({ hours, pods }: HistoryState): number {
  return hours.reduce((count, hour, position) => count + Number(hour >= 0 && (pods[position] as number) > 0), 0);
}

/** Reads the hours of a range once, in order of time, and has for each chunk what its trainings remember. */
export class PastHoursSupply {
  readonly #history: WorkloadHistory;
  readonly #read: HoursReader;
  /** Hours that are read and that the history does not have yet, ascending. */
  #later: HourSummary[] = [];
  #nextHour: number;

  /**
   * @param days how far back a training remembers.
   * @param firstHour the first one to read: that of the data, or what the first training remembers.
   */
  constructor(days: number, features: readonly FeatureDefinition[], firstHour: number, read: HoursReader) {
    this.#history = new WorkloadHistory({ days, ...featureNames({ features }) });
    this.#nextHour = firstHour;
    this.#read = read;
  }

  /**
   * Chunks come in order of time; the same one may come again.
   *
   * @param trainingTimes those of a chunk, at least one, ascending.
   */
  async of(trainingTimes: readonly number[]): Promise<PastHours> {
    const known = lastSettledHour(trainingTimes[0] as number);
    const last = lastSettledHour(trainingTimes.at(-1) as number);
    while (this.#nextHour <= last) {
      const end = Math.min(last, this.#nextHour + HOURS_PER_READ - 1);
      this.#later.push(...(await this.#read(this.#nextHour, end)));
      this.#nextHour = end + 1;
      this.#settle(known);
    }
    this.#settle(known);
    return { state: this.#history.state(), later: [...this.#later] };
  }

  #settle(hour: number): void {
    const later = this.#later.findIndex((summary) => summary.hour > hour);
    for (const summary of this.#later.splice(0, later < 0 ? this.#later.length : later)) this.#history.add(summary);
  }
}

/** The memory at one training after the other. */
export class GrowingHistory {
  readonly #history: WorkloadHistory;
  readonly #later: HourSummary[];
  #state: HistoryState;

  /** Takes over what it is given. */
  constructor({ state, later }: PastHours) {
    this.#history = new WorkloadHistory(state);
    this.#later = [...later];
    this.#state = state;
  }

  /** What a training remembers. Trainings come in order of time. */
  at(trainingSeconds: number): HistoryState {
    const known = lastSettledHour(trainingSeconds);
    let isNew = false;
    while (this.#later[0] !== undefined && this.#later[0].hour <= known) {
      this.#history.add(this.#later.shift() as HourSummary);
      isNew = true;
    }
    if (isNew) this.#state = this.#history.state();
    return this.#state;
  }
}
