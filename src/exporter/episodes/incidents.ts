/** How many workloads had an anomaly that lasts within a day: what the budget of messages is about. Pure. */

import { podKey } from '../features/table.js';
import type { EpisodesState } from './episodes.js';

export interface IncidentsState {
  /** Time of the first detection that counted; `undefined` before it. */
  readonly sinceSeconds: number | undefined;
  /** Time of the newest detection. */
  readonly timeSeconds: number;
  /** When the incidents of the last day began, ascending, Unix time in seconds: at most `MOST_INCIDENTS`, the newest. */
  readonly beganSeconds: readonly number[];
  /** When the workloads that have or had an incident lately last had one, by their keys (`podKey`). */
  readonly lastSeconds: ReadonlyMap<string, number>;
}

export const NO_INCIDENTS: IncidentsState = {
  sinceSeconds: undefined,
  timeSeconds: Number.NEGATIVE_INFINITY,
  beganSeconds: [],
  lastSeconds: new Map(),
};

const DAY_SECONDS = 86_400;

/** What comes again within this time, in seconds, is the same incident: for that long its alert is held. */
const SAME_SECONDS = 900;

const MOST_INCIDENTS = 10_000;

/** The count after another detection, of which these are the episodes. After the clock was set back, it begins again. */
export function countIncidents(state: IncidentsState, episodes: EpisodesState): IncidentsState {
  const { timeSeconds, open } = episodes;
  if (timeSeconds === state.timeSeconds || !Number.isFinite(timeSeconds)) return state;
  if (timeSeconds < state.timeSeconds) return countIncidents(NO_INCIDENTS, episodes);
  const lastSeconds = new Map([...state.lastSeconds].filter(([, last]) => last > timeSeconds - SAME_SECONDS));
  const began: number[] = [];
  let before: { readonly namespace: string; readonly workload: string } | undefined;
  for (const episode of open.values()) {
    const { namespace, workload, quiet } = episode;
    // Pods of a workload mostly follow one another.
    if (quiet !== undefined || (before?.workload === workload && before.namespace === namespace)) continue;
    before = episode;
    const key = podKey(namespace, workload);
    if (!lastSeconds.has(key)) began.push(timeSeconds);
    lastSeconds.set(key, timeSeconds);
  }
  const kept = state.beganSeconds.filter((seconds) => seconds > timeSeconds - DAY_SECONDS);
  return {
    sinceSeconds: state.sinceSeconds ?? timeSeconds,
    timeSeconds,
    beganSeconds: [...kept, ...began].slice(-MOST_INCIDENTS),
    lastSeconds,
  };
}
