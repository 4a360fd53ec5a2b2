import { checkOf } from '../check-definition.js';

const RESTARTS = 'kube_pod_container_status_restarts_total';

const NO_RESTARTS = 'Crash loops are not detected: restarts count as 0.';

/** Whether kube-state-metrics is there, and what is lost without it. */
export const kubeStateMetrics = checkOf(
  'kube_state_metrics',
  (facts) => facts.kubeStateMetrics,
  ({ podOwners }, { sources }) => {
    const restarts = sources.find(({ selector }) => selector.metric === RESTARTS);
    const found = restarts?.emptiness?.known ? restarts.emptiness.value : undefined;
    if (found !== undefined && found.seriesOfMetric > 0) {
      return {
        severity: 'warning',
        summary: `kube-state-metrics is there, but no series of ${RESTARTS} is in a namespace that NAMESPACE_REGEX matches.`,
        meaning: NO_RESTARTS,
        advice:
          found.example?.exported_namespace === undefined
            ? 'Correct NAMESPACE_REGEX.'
            : 'Set honor_labels: true in the job that scrapes kube-state-metrics: without it, all its series have its own namespace and pod.',
      };
    }
    const noRestarts = restarts?.series.known === true && restarts.series.value === 0;
    const missing = [...(noRestarts ? [RESTARTS] : []), ...(podOwners === 0 ? ['kube_pod_owner'] : [])];
    if (missing.length === 0) {
      return { severity: 'ok', summary: `kube-state-metrics is there (owners of ${podOwners} pods).` };
    }
    const all = noRestarts && podOwners === 0;
    return {
      severity: 'warning',
      summary: all
        ? `Prometheus has no series of kube-state-metrics (${missing.join(', ')}).`
        : `Prometheus has no series of ${missing[0]}, although it has others of kube-state-metrics.`,
      meaning: [
        ...(noRestarts ? [NO_RESTARTS] : []),
        ...(podOwners === 0 ? ['Workloads are derived from the names of pods.'] : []),
      ].join(' '),
      advice: all
        ? 'Install kube-state-metrics and let Prometheus scrape it.'
        : 'Add it to the list of allowed metrics of kube-state-metrics (--metric-allowlist) or of its scrape job.',
    };
  },
);
