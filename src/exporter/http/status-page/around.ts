/** What all parts of the page have at hand beside the pods that they are about. */

import { formatDuration } from '../../../lib/text/format.js';
import { type Html, html } from '../../../lib/text/html.js';
import type { ContextState, PodContext } from '../../context/pod-context.js';
import { podKey } from '../../features/table.js';
import { type ForecastState, secondsToLimit } from '../../forecast/forecast-state.js';
import { filterLink } from './filters.js';
import type { HistoryOutcome } from './history-reader.js';
import type { PodHistory } from './replay.js';
import type { ShownPod } from './selection.js';
import { clock } from './since.js';
import { isoTime } from './time.js';

/** Times are Unix times in seconds; `timeSeconds` is the instant that was scored. */
export interface Surroundings {
  readonly history: HistoryOutcome;
  readonly context: ContextState;
  readonly forecast: ForecastState;
  readonly timeSeconds: number;
  readonly nowSeconds: number;
  /** Address of the dashboard in Grafana; empty where nobody said it. */
  readonly dashboardUrl: string;
}

/** The last hour of a pod, where it is known. */
export function historyOf({ history }: Pick<Surroundings, 'history'>, { identity }: ShownPod): PodHistory | undefined {
  const key = podKey(identity.namespace, identity.pod);
  return history.kind === 'histories' ? history.histories.get(key) : undefined;
}

/** What the cluster says of a pod, where it was asked. */
export function contextOf(
  { context }: Pick<Surroundings, 'context'>,
  { identity }: Pick<ShownPod, 'identity'>,
): PodContext | undefined {
  return context.pods.get(podKey(identity.namespace, identity.pod));
}

/** In how many seconds the memory of a pod reaches its limit, where that is within a day. */
export function secondsToFull(
  { forecast, timeSeconds }: Pick<Surroundings, 'forecast' | 'timeSeconds'>,
  { identity }: Pick<ShownPod, 'identity'>,
): number | undefined {
  return secondsToLimit(forecast.pods.get(podKey(identity.namespace, identity.pod)), timeSeconds);
}

/** The pod's own view. */
export function podLink({ identity: { namespace, pod } }: Pick<ShownPod, 'identity'>): Html {
  return html`<a href="${filterLink({ namespace, pod })}" title="${pod}"><bdi class="name">${pod}</bdi></a>`;
}

/** An entry of a list of facts. */
export const fact = (term: string, description: Html) => html`<div><dt>${term}</dt> <dd>${description}</dd></div>`;

/** `released 08:40 UTC, 8 min before it began`. */
export function released(releaseSeconds: number, sinceSeconds: number | undefined, nowSeconds: number): Html {
  const before = (sinceSeconds ?? Number.NaN) - releaseSeconds;
  const when =
    before >= 0 ? `${formatDuration(before)} before it began` : `${formatDuration(nowSeconds - releaseSeconds)} ago`;
  return html`released <time datetime="${isoTime(releaseSeconds)}">${clock(releaseSeconds, nowSeconds)}</time>, ${when}`;
}
