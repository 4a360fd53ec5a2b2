import { listed } from '../../../lib/text/format.js';
import { PHASE_METRIC } from '../../features/pod-phase.js';
import { NAMESPACE_LABEL } from '../../features/queries/template.js';
import { checkOfAbsence, nameOf } from '../check-definition.js';
import { targetLabelsSentence } from '../label-settings.js';

const RESTARTS = 'kube_pod_container_status_restarts_total';

const HONOR_LABELS =
  'Set honor_labels: true in the job that scrapes kube-state-metrics: without it, all its series have its own namespace and pod.';

const NO_RESTARTS = 'Crash loops are not detected: restarts count as 0.';

/** Whether kube-state-metrics is there, and what is lost without it. */
export const kubeStateMetrics = checkOfAbsence(
  'kube_state_metrics',
  (facts) => facts.kubeStateMetrics,
  ({ podOwners, podPhases, replicaSetPods, replicaSetOwners, jobPods, jobOwners }, { sources }) => {
    const restarts = sources.find(({ selector }) => selector.metric === RESTARTS);
    const exported = sources.find(
      (source) =>
        source.selector.metric?.startsWith('kube_') && source.exported?.known && source.exported.value.length > 0,
    );
    if (exported?.exported?.known) {
      return {
        severity: 'warning',
        summary: targetLabelsSentence(nameOf(exported), exported.exported.value),
        meaning: 'Restarts, owners and phases are not those of the pods that are scored.',
        advice: HONOR_LABELS,
      };
    }
    const found = restarts?.emptiness?.known ? restarts.emptiness.value : undefined;
    const others = found?.blamed.filter(({ label }) => label !== NAMESPACE_LABEL) ?? [];
    if (others.length > 0) {
      return {
        severity: 'warning',
        summary: `kube-state-metrics is there, but no series of ${RESTARTS} matches ${listed(others.map(({ text }) => text))}.`,
        meaning: `${NO_RESTARTS} The same holds for owners and phases of pods.`,
        advice:
          'PROMETHEUS_MATCHERS is added to every selector. Give the label to the series of kube-state-metrics as well (in its ' +
          'scrape job, or by external_labels), or choose a matcher that all series have.',
      };
    }
    if (found !== undefined && found.seriesOfMetric > 0) {
      return {
        severity: 'warning',
        summary: `kube-state-metrics is there, but no series of ${RESTARTS} is in a namespace that NAMESPACE_REGEX matches.`,
        meaning: NO_RESTARTS,
        advice: found.example?.exported_namespace === undefined ? 'Correct NAMESPACE_REGEX.' : HONOR_LABELS,
      };
    }
    const lost = [
      ...(restarts?.series.known && restarts.series.value === 0 ? [[RESTARTS, NO_RESTARTS]] : []),
      ...(podPhases === 0
        ? [[PHASE_METRIC, 'Pods that have ended, or wait to start, count as pods without usage (`no_usage`).']]
        : []),
      ...(podOwners === 0 ? [['kube_pod_owner', 'Workloads are derived from the names of pods.']] : []),
      ...(replicaSetPods > 0 && replicaSetOwners === 0
        ? [['kube_replicaset_owner', 'Deployments are derived from the names of their ReplicaSets.']]
        : []),
      ...(jobPods > 0 && jobOwners === 0
        ? [['kube_job_owner', 'CronJobs are derived from the names of their Jobs.']]
        : []),
    ];
    if (lost.length === 0) {
      return { severity: 'ok', summary: `kube-state-metrics is there (owners of ${podOwners} pods).` };
    }
    const names = lost.map(([metric]) => metric).join(', ');
    const all = podPhases === 0 && podOwners === 0 && lost.length === 3;
    return {
      severity: 'warning',
      summary: all
        ? `Prometheus has no series of kube-state-metrics (${names}).`
        : `Prometheus has no series of ${names}, although it has others of kube-state-metrics.`,
      meaning: lost.map(([, meaning]) => meaning).join(' '),
      advice: all
        ? 'Install kube-state-metrics and let Prometheus scrape it.'
        : 'Add it to the list of allowed metrics of kube-state-metrics (--metric-allowlist) or of its scrape job.',
    };
  },
);
