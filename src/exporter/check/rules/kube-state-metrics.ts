import { listed } from '../../../lib/text/format.js';
import { metricName, OWNER_ATTRIBUTES } from '../../features/opentelemetry/names.js';
import { PHASE_METRIC } from '../../features/pod-phase.js';
import { NAMESPACE_LABEL } from '../../features/queries/template.js';
import { checkOfAbsence, type Judgement, nameOf } from '../check-definition.js';
import type { Conditions, Facts } from '../facts.js';
import { targetLabelsSentence } from '../label-settings.js';
import { areNamesWrong } from './names.js';
import { NAMES_ARE_WRONG } from './series.js';

const RESTARTS = 'kube_pod_container_status_restarts_total';

const HONOR_LABELS =
  'Set honor_labels: true in the job that scrapes kube-state-metrics: without it, all its series have its own namespace and pod.';

const NO_RESTARTS = 'Crash loops are not detected: restarts count as 0.';

const NO_PHASES = 'Pods that have ended, or wait to start, count as pods without usage (`no_usage`).';

const NO_OWNERS = 'Workloads are derived from the names of pods.';

/** Whether kube-state-metrics is there, and what is lost without it. */
export const kubeStateMetrics = checkOfAbsence(
  'kube_state_metrics',
  (facts) => facts.kubeStateMetrics,
  (state, facts, conditions) => {
    if (areNamesWrong(facts, conditions)) return NAMES_ARE_WRONG;
    if (conditions.metricsSource === 'opentelemetry') return stateOfCollector(state, facts, conditions);
    const { podOwners, podPhases, replicaSetPods, replicaSetOwners, jobPods, jobOwners } = state;
    const { sources } = facts;
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
      ...(podPhases === 0 ? [[PHASE_METRIC, NO_PHASES]] : []),
      ...(podOwners === 0 ? [['kube_pod_owner', NO_OWNERS]] : []),
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

/** What a Collector never has. */
const NEVER_OF_COLLECTOR =
  'It has nothing about restarts of init containers, the last end of a container, throttling and pressure, nor annotations that ' +
  'tune pods.';

/** The same of the receiver k8s_cluster and the processor k8sattributes. */
function stateOfCollector(
  { podOwners, podPhases }: Extract<Facts['kubeStateMetrics'], { known: true }>['value'],
  { sources }: Facts,
  { otlpTranslation }: Conditions,
): Judgement {
  const name = metricName('k8s.container.restarts', otlpTranslation);
  const restarts = sources.find(({ selector }) => selector.metric === name);
  const hasNoRestarts = restarts?.series.known && restarts.series.value === 0;
  const missing = [
    ...(hasNoRestarts ? [[name, NO_RESTARTS]] : []),
    ...(podPhases === 0 ? [[metricName('k8s.pod.phase', otlpTranslation), NO_PHASES]] : []),
    ...(podOwners === 0 ? [[`attributes such as ${Object.keys(OWNER_ATTRIBUTES)[0]}`, NO_OWNERS]] : []),
  ];
  if (missing.length === 0) {
    return { severity: 'ok', summary: `The Collector has restarts, phases and owners of pods. ${NEVER_OF_COLLECTOR}` };
  }
  const advice = [
    ...(hasNoRestarts || podPhases === 0
      ? ['Let one Collector of the cluster run the receiver k8s_cluster, with its attributes as labels.']
      : []),
    ...(podOwners === 0
      ? [
          `Add the processor k8sattributes with extract: {metadata: [${Object.keys(OWNER_ATTRIBUTES).join(', ')}]}, and let ` +
            'Prometheus promote these attributes to labels.',
        ]
      : []),
  ];
  return {
    severity: 'warning',
    summary: `Prometheus has no ${listed(missing.map(([what = '']) => what))} of the Collector. ${NEVER_OF_COLLECTOR}`,
    meaning: missing.map(([, meaning]) => meaning).join(' '),
    advice: advice.join(' '),
  };
}
