/**
 * Which pods have no usage on purpose: only Kubernetes knows. A pod without CPU and memory may as well be one that nobody
 * measures.
 */

import type { SeriesSet } from '../prometheus/api.js';
import { addMatchers } from './queries/matchers.js';
import { quotePromql } from './queries/promql.js';
import type { QueryScope } from './queries/template.js';
import { podKey } from './table.js';

/** The metric of kube-state-metrics that has a series for each pod and phase. */
export const PHASE_METRIC = 'kube_pod_status_phase';

/** Why nothing runs in a pod: it has ended, or it waits for a node, a volume or an image. */
export type IdleReason = 'completed' | 'pending';

/** The phases in which nothing runs. `Unknown` is not one of them: the node is lost, the pod may run. */
const REASONS: Readonly<Record<string, IdleReason>> = {
  Pending: 'pending',
  Succeeded: 'completed',
  Failed: 'completed',
};

/** The selector of all phases, in the scope of the features. */
export function buildPhaseSelector({ namespaceRegex, matchers = '' }: QueryScope): string {
  return addMatchers(`${PHASE_METRIC}{namespace=~${quotePromql(namespaceRegex)}}`, matchers);
}

/** The selector of another metric of kube-state-metrics about pods. @param selector from `buildPhaseSelector`. */
export function inScopeOf(selector: string, metric: string): string {
  return `${metric}${selector.slice(PHASE_METRIC.length)}`;
}

/** The query for the pods in which nothing runs. @param selector from `buildPhaseSelector`. */
export function idlePodsQuery(selector: string): string {
  return `${addMatchers(selector, `phase=~"${Object.keys(REASONS).join('|')}"`)} == 1`;
}

/** The pods (`podKey`) that an answer to that query names. */
export function idlePodsIn({ labels }: Pick<SeriesSet, 'labels'>): ReadonlyMap<string, IdleReason> {
  return new Map(
    labels.flatMap(({ namespace, pod, phase = '' }) => {
      const reason = Object.hasOwn(REASONS, phase) ? REASONS[phase] : undefined;
      return namespace && pod && reason ? [[podKey(namespace, pod), reason] as const] : [];
    }),
  );
}
