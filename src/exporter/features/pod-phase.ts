/**
 * Which pods have no usage on purpose: only Kubernetes knows. A pod without CPU and memory may as well be one that nobody
 * measures.
 */

import type { SeriesSet } from '../prometheus/api.js';
import { collectorPhaseQuery, collectorPodsQuery } from './opentelemetry/queries.js';
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

/** The queries about phases, in the scope of the features. Their answers have the labels of kube-state-metrics. */
export interface PhaseQueries {
  /** The pods in which nothing runs, with the label `phase`. */
  readonly idle: string;
  /** All series of phases. */
  readonly all: string;
  /** The pods with the label `node`. */
  readonly nodes: string;
}

export function buildPhaseQueries(scope: QueryScope): PhaseQueries {
  const phases = Object.keys(REASONS);
  if (scope.metricsSource === 'opentelemetry') {
    const pods = collectorPodsQuery(scope);
    return { idle: collectorPhaseQuery(phases, scope), all: pods, nodes: pods };
  }
  const select = (metric: string) =>
    addMatchers(`${metric}{namespace=~${quotePromql(scope.namespaceRegex)}}`, scope.matchers ?? '');
  return {
    idle: `${addMatchers(select(PHASE_METRIC), `phase=~"${phases.join('|')}"`)} == 1`,
    all: select(PHASE_METRIC),
    nodes: select('kube_pod_info'),
  };
}

/** The pods (`podKey`) that an answer to the query `idle` names. */
export function idlePodsIn({ labels }: Pick<SeriesSet, 'labels'>): ReadonlyMap<string, IdleReason> {
  return new Map(
    labels.flatMap(({ namespace, pod, phase = '' }) => {
      const reason = Object.hasOwn(REASONS, phase) ? REASONS[phase] : undefined;
      return namespace && pod && reason ? [[podKey(namespace, pod), reason] as const] : [];
    }),
  );
}
