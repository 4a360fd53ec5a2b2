/** Which pods have ended: only Kubernetes knows. A pod without CPU and memory may as well be one that nobody measures. */

import type { SeriesSet } from '../prometheus/api.js';
import { addMatchers } from './queries/matchers.js';
import { quotePromql } from './queries/promql.js';
import type { QueryScope } from './queries/template.js';
import { podKey } from './table.js';

/** The metric of kube-state-metrics that has a series for each pod and phase. */
export const PHASE_METRIC = 'kube_pod_status_phase';

/** The selector of all phases, in the scope of the features. */
export function buildPhaseSelector({ namespaceRegex, matchers = '' }: QueryScope): string {
  return addMatchers(`${PHASE_METRIC}{namespace=~${quotePromql(namespaceRegex)}}`, matchers);
}

/** The query for the pods that have ended. @param selector from `buildPhaseSelector`. */
export function endedPodsQuery(selector: string): string {
  return `${addMatchers(selector, 'phase=~"Succeeded|Failed"')} == 1`;
}

/** The keys (`podKey`) of the pods that an answer to that query names. */
export function endedPodsIn({ labels }: Pick<SeriesSet, 'labels'>): ReadonlySet<string> {
  return new Set(labels.flatMap(({ namespace, pod }) => (namespace && pod ? [podKey(namespace, pod)] : [])));
}
