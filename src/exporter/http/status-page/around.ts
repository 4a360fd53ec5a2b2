/** What all parts of the page have at hand beside the pods that they are about. */

import { type Html, html } from '../../../lib/text/html.js';
import { podKey } from '../../features/table.js';
import { filterLink } from './filters.js';
import type { HistoryOutcome } from './history-reader.js';
import type { PodHistory } from './replay.js';
import type { ShownPod } from './selection.js';

/** Times are Unix times in seconds; `timeSeconds` is the instant that was scored. */
export interface Surroundings {
  readonly history: HistoryOutcome;
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

/** The pod's own view. */
export function podLink({ identity: { namespace, pod } }: ShownPod): Html {
  return html`<a href="${filterLink({ namespace, pod })}" title="${pod}"><bdi class="name">${pod}</bdi></a>`;
}
