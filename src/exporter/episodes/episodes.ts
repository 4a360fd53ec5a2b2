/** Anomalies that last, each from its beginning to its end, and why it ended. Pure: detections in, episodes out. */

import type { Detection } from '../detection/detection.js';
import { type PodIdentity, podKey } from '../features/table.js';

/**
 * Why an anomaly no longer lasts: the pod is back within its boundaries; it is no longer there, or no longer scored; the
 * boundaries have moved, and it is where it was; or somebody has muted it or opted it out.
 */
export const END_REASONS = ['recovered', 'gone', 'accepted', 'muted'] as const;

export type EndReason = (typeof END_REASONS)[number];

/** Times are Unix times in seconds. */
export interface Episode extends PodIdentity {
  /** The first detection that saw it: after a restart of the exporter, the first one since. */
  readonly sinceSeconds: number;
}

export interface EndedEpisode extends Episode {
  readonly endSeconds: number;
  readonly reason: EndReason;
}

/** An episode that goes on, or that may have ended. */
interface OpenEpisode extends Episode {
  /** Since when the anomaly does not last, and why; `undefined` while it does. */
  readonly quiet: { readonly sinceSeconds: number; readonly reason: EndReason } | undefined;
}

export interface EpisodesState {
  /** Time of the newest detection. */
  readonly timeSeconds: number;
  /** By the key of the pod (`podKey`). */
  readonly open: ReadonlyMap<string, OpenEpisode>;
  /** Those of the last `SHOWN_SECONDS`, at most `MOST_ENDED`, by the time of their end. */
  readonly ended: readonly EndedEpisode[];
  /** Since the start. */
  readonly endedTotal: Readonly<Record<EndReason, number>>;
}

export const NO_EPISODES: EpisodesState = {
  timeSeconds: Number.NEGATIVE_INFINITY,
  open: new Map(),
  ended: [],
  endedTotal: { recovered: 0, gone: 0, accepted: 0, muted: 0 },
};

/** An anomaly that comes again within this time has not ended, in seconds. */
const QUIET_SECONDS = 120;

/** A pod without a score may come again: a container that crashes has no usage for up to five minutes (the kubelet's back-off). */
const ABSENT_SECONDS = 300;

/** For how long an end is shown, in seconds. */
const SHOWN_SECONDS = 1800;

/** More ends are not shown. */
const MOST_ENDED = 10_000;

/** A detection that is older than the newest one by more than this was made after the clock was set back. */
const CLOCK_SET_SECONDS = 600;

/**
 * The episodes after another detection. One that is not newer than the last changes nothing: passes may overlap.
 *
 * @param isPartial pods may be missing in the detection that are there: nothing is over because of that.
 */
export function advance(state: EpisodesState, detection: Detection, isPartial = false): EpisodesState {
  const now = detection.timeSeconds;
  if (now <= state.timeSeconds) {
    if (now > state.timeSeconds - CLOCK_SET_SECONDS) return state;
    return advance({ ...NO_EPISODES, endedTotal: state.endedTotal }, detection, isPartial);
  }
  const { lasting, table } = detection;
  const open = new Map<string, OpenEpisode>();
  const rows = new Map<string, number>();
  for (const [row, identity] of table.pods.entries()) {
    const lasts = lasting[row] === 1;
    if (!lasts && state.open.size === 0) continue;
    const key = podKey(identity.namespace, identity.pod);
    const known = state.open.get(key);
    if (lasts)
      open.set(
        key,
        goesOn(known, identity) ?? { ...identity, sinceSeconds: known?.sinceSeconds ?? now, quiet: undefined },
      );
    else if (known !== undefined) rows.set(key, row);
  }
  const ended: EndedEpisode[] = [];
  for (const [key, episode] of state.open) {
    if (open.has(key)) continue;
    const reason = reasonOf(detection, key, rows.get(key));
    if (reason === 'gone' && isPartial) {
      open.set(key, episode);
      continue;
    }
    const quiet = quietOf(episode, reason, now);
    const enough = quiet.reason === 'muted' ? 0 : quiet.reason === 'gone' ? ABSENT_SECONDS : QUIET_SECONDS;
    if (now - quiet.sinceSeconds < enough) open.set(key, { ...episode, quiet });
    else {
      const { quiet: _, ...own } = episode;
      ended.push({ ...own, endSeconds: quiet.sinceSeconds, reason: quiet.reason });
    }
  }
  const shown = [...state.ended, ...ended].filter(({ endSeconds }) => endSeconds > now - SHOWN_SECONDS);
  const endedTotal = { ...state.endedTotal };
  for (const { reason } of ended) endedTotal[reason]++;
  return { timeSeconds: now, open, ended: shown.slice(-MOST_ENDED), endedTotal };
}

/** The episode of a pod that lasts, where nothing changes in it: most of very many do. */
function goesOn(known: OpenEpisode | undefined, { workload }: PodIdentity): OpenEpisode | undefined {
  return known?.quiet === undefined && known?.workload === workload ? known : undefined;
}

/** @param row of the pod in the detection; `undefined` where it has no score. */
function reasonOf({ muted, optedOut, accepted }: Detection, key: string, row: number | undefined): EndReason {
  if (row === undefined) return optedOut.has(key) ? 'muted' : 'gone';
  if (muted[row] === 1) return 'muted';
  return accepted.has(key) ? 'accepted' : 'recovered';
}

/** A pod that was away counts by what it is when it is back; otherwise the first reason counts: that of the change. */
function quietOf({ quiet }: OpenEpisode, reason: EndReason, now: number): NonNullable<OpenEpisode['quiet']> {
  if (quiet === undefined) return { sinceSeconds: now, reason };
  const isFirst = reason === 'recovered' && quiet.reason !== 'gone';
  return { sinceSeconds: quiet.sinceSeconds, reason: isFirst ? quiet.reason : reason };
}

/** Since when the anomaly of a pod lasts; `undefined` where it does not. @param key of the pod. */
export function lastingSince({ open }: EpisodesState, key: string): number | undefined {
  const episode = open.get(key);
  return episode?.quiet === undefined ? episode?.sinceSeconds : undefined;
}
