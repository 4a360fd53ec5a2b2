/** The exporter itself. */

import { type FieldColor, FieldColorModeId } from '@grafana/grafana-foundation-sdk/dashboard';
import { BAD, CALM, DASHED, lines, stacked, stat, states, table, WARNING, words } from '../parts.js';
import { exporterMetric, ofExporter } from '../queries.js';
import type { DashboardRow } from './row.js';

export const exporter: DashboardRow = {
  title: 'Exporter',
  collapsed: true,
  panels: [
    stat(
      {
        title: 'Last training',
        description:
          'Whether the last training of every replica succeeded. A failed one leaves the old model in place; its ' +
          'reason is in the log and in `/healthz` of the exporter.',
        width: 4,
        unit: 'none',
        noValue: 'None yet',
        steps: [BAD, [1, CALM]],
      },
      `min(${exporterMetric('k8s_anomaly_detector_last_training_success')})`,
    ).mappings([words({ 0: ['Failed', BAD], 1: ['Succeeded', CALM] })]),
    stat(
      {
        title: 'Failed trainings',
        description:
          'Trainings that failed in the time range, of all replicas. Single ones do no harm; several in a row make ' +
          'the model old.',
        width: 4,
        unit: 'short',
        steps: [CALM, [0.5, WARNING]],
        decimals: 0,
      },
      `sum(increase(${exporterMetric('k8s_anomaly_detector_training_failures_total')}[$__range]))`,
    ),
    table(
      {
        title: 'Replicas',
        description:
          'Each replica of the exporter with its version and its model. Replicas that score with the same model ' +
          'have the same fingerprint; for a moment after a training they may differ.',
        width: 16,
        unit: 'none',
        noValue: 'No exporter is scraped.',
      },
      [
        { title: 'Instance', label: 'instance' },
        { title: 'Version', label: 'version' },
        { title: 'Node.js', label: 'nodeversion' },
        { title: 'Features', label: 'features' },
        { title: 'Baseline', label: 'baseline' },
        { title: 'Threshold', label: 'threshold' },
        { title: 'Fingerprint', label: 'fingerprint' },
        {
          title: 'Build',
          refId: 'build',
          query: `max by (instance, version, nodeversion) (${exporterMetric('k8s_anomaly_detector_build_info')})`,
          hidden: true,
        },
        {
          title: 'Model',
          refId: 'model',
          query: `max by (instance, fingerprint, baseline, features, threshold) (${exporterMetric('k8s_anomaly_detector_model_info')})`,
          hidden: true,
        },
      ],
    ).height(4),
    lines(
      {
        title: 'Age of the model over time',
        description:
          'Time since the model was trained, for each replica. A saw with teeth of 15 minutes is healthy; a line ' +
          'that goes on climbing means that trainings fail or have stopped.',
        width: 8,
        unit: 's',
        noValue: 'No model',
      },
      [
        {
          expression: `time() - max by (instance) (${exporterMetric('k8s_anomaly_detector_model_trained_timestamp_seconds')})`,
          legend: '{{instance}}',
        },
      ],
    ).min(0),
    lines(
      {
        title: 'Training',
        description:
          'How long the last training took (left) and on how many rows, pods times instants, it was fitted (right). ' +
          'Rows that fall suddenly mean that Prometheus lost history or pods.',
        width: 8,
        unit: 's',
      },
      [
        {
          expression: `max by (instance) (${exporterMetric('k8s_anomaly_detector_training_duration_seconds')})`,
          legend: 'duration, {{instance}}',
        },
        {
          expression: `max by (instance) (${exporterMetric('k8s_anomaly_detector_training_samples')})`,
          legend: 'rows, {{instance}}',
        },
      ],
    )
      .min(0)
      .overrideByRegexp('/^rows/', [
        { id: 'unit', value: 'short' },
        { id: 'custom.axisPlacement', value: 'right' },
        { id: 'custom.lineStyle', value: DASHED },
      ]),
    stacked(
      {
        title: 'Pods seen',
        description:
          'All pods that the exporter saw: those with a score and, on top, those without one, by reason. Completed ' +
          'pods and pods in warm-up are usual. A pod that misses a feature has none of its series in Prometheus, ' +
          'or too few of them for a rate.',
        width: 8,
        unit: 'short',
      },
      [
        { expression: `max(${exporterMetric('k8s_anomaly_detector_pods_scored')})`, legend: 'scored' },
        {
          expression: `max by (reason) (${exporterMetric('k8s_anomaly_detector_pods_unscored')})`,
          legend: 'not scored: {{reason}}',
        },
      ],
    ).decimals(0),
    lines(
      {
        title: 'Query times',
        description:
          'How long Prometheus took to answer the query for each feature, and the whole detection within a scrape ' +
          '(dashed). Near the scrape timeout or `REQUEST_TIMEOUT_SECONDS`, scrapes begin to carry no scores.',
        width: 8,
        unit: 's',
      },
      [
        {
          expression: `max by (query) (${exporterMetric('k8s_anomaly_detector_query_duration_seconds')})`,
          legend: 'query {{query}}',
        },
        {
          expression: `max(${exporterMetric('k8s_anomaly_detector_scrape_duration_seconds')})`,
          legend: 'whole detection',
        },
      ],
    )
      .min(0)
      .overrideByRegexp('/^whole/', [{ id: 'custom.lineStyle', value: DASHED }]),
    states(
      {
        title: 'Queries answered',
        description:
          'Whether Prometheus answered the query for each feature, in time and with a usable answer. Where one is ' +
          'red, no pod was scored, and the log of the exporter says what came instead.',
        width: 8,
        height: 8,
        unit: 'none',
      },
      words({ 0: ['failed', BAD], 1: ['answered', CALM] }),
      { expression: `min by (query) (${exporterMetric('k8s_anomaly_detector_query_success')})`, legend: '{{query}}' },
    ),
    lines(
      {
        title: 'Requests to Prometheus',
        description:
          'Requests of the exporter for scoring and training, by HTTP status. `error` means that no whole answer ' +
          'came: refused, timed out, or cut off.',
        width: 8,
        unit: 'reqps',
      },
      [
        {
          expression: `sum by (code) (rate(${exporterMetric('k8s_anomaly_detector_prometheus_requests_total')}[$__rate_interval]))`,
          legend: '{{code}}',
        },
      ],
    )
      .min(0)
      .overrideByRegexp('/^(error|5..)$/', [
        { id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor: BAD } satisfies FieldColor },
      ]),
    lines(
      {
        title: 'Series left out',
        description:
          'Series in the answers of Prometheus that could not be used, whole or in part, by reason. Duplicates come ' +
          'from series that differ in other labels than those of the pod.',
        width: 6,
        unit: 'short',
        noValue: 'No series was left out.',
      },
      [
        {
          expression: `max by (reason) (${exporterMetric('k8s_anomaly_detector_series_dropped')})`,
          legend: '{{reason}}',
        },
      ],
    )
      .min(0)
      .decimals(0),
    lines(
      {
        title: 'Messages a day: expected, budget, recent',
        description:
          'Messages a day that are expected when nothing is wrong, by days that are left out, and the budget ' +
          '`ALERT_BUDGET_PER_DAY` (dashed). “Recent” are the workloads a day that exceeded their boundaries on the last ' +
          'three days, incidents included: far above the budget, look at what happened.',
        width: 6,
        unit: 'none',
        noValue: 'Less than four days are known.',
      },
      [
        {
          expression: `max by (instance) (${exporterMetric('k8s_anomaly_detector_expected_messages_per_day')})`,
          legend: 'expected, {{instance}}',
        },
        {
          expression: `max by (instance) (${exporterMetric('k8s_anomaly_detector_recent_exceeding_workloads_per_day')})`,
          legend: 'recent, {{instance}}',
        },
        {
          expression: `max(${exporterMetric('k8s_anomaly_detector_alert_budget_messages_per_day')})`,
          legend: 'budget',
        },
      ],
    )
      .min(0)
      .overrideByRegexp('/^budget/', [{ id: 'custom.lineStyle', value: DASHED }]),
    lines(
      {
        title: 'Memory of the exporter',
        description: 'Resident memory of each replica. A saw is usual: it rises while a model is trained.',
        width: 6,
        unit: 'bytes',
      },
      [{ expression: ofExporter(exporterMetric('process_resident_memory_bytes')), legend: '{{instance}}' }],
    ).min(0),
    lines(
      {
        title: 'CPU of the exporter',
        description: 'CPU in use by each replica, in cores. A peak is a training; the rest are scrapes.',
        width: 6,
        unit: 'none',
      },
      [
        {
          expression: ofExporter(`rate(${exporterMetric('process_cpu_seconds_total')}[$__rate_interval])`),
          legend: '{{instance}}',
        },
      ],
    )
      .min(0)
      .axisLabel('cores'),
  ],
};
