/** The panels of the dashboard, row by row. */

import {
  BarGaugeDisplayMode,
  BarGaugeValueMode,
  BigValueColorMode,
  LineInterpolation,
  type TableBarGaugeCellOptions,
  TableCellDisplayMode,
  type TableColorTextCellOptions,
  TableSortByFieldStateBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type DynamicConfigValue,
  type FieldColor,
  FieldColorModeId,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  BAD,
  CALM,
  DASHED,
  lines,
  NEUTRAL,
  placeholder,
  stacked,
  stat,
  states,
  table,
  thresholds,
  WARNING,
  withDashed,
  withThresholdLines,
  words,
} from './parts.js';
import {
  ANOMALY_RATE,
  actual,
  amongFlaggedNow,
  amongWorst,
  amongWorstFlagged,
  flaggedNow,
  LARGEST_DEVIATION,
  ofExporter,
  ofFeature,
  ofPod,
  ofWorkload,
  peakOfPod,
  peakOfWorkload,
  RECENT_RESTARTS,
} from './queries.js';

export const UID = 'k8s-anomaly-detector';

/** A panel of any kind. */
export interface PanelSource {
  build(): Panel;
}

export interface DashboardRow {
  readonly title: string;
  /** The panels of a collapsed row send no queries until it is opened. */
  readonly collapsed: boolean;
  readonly panels: readonly PanelSource[];
}

/** Above it, the model or the whole cluster is the problem, not single pods. */
const MASS_FLAGGING = 0.2;
/** Rows of the tables, and pods of the charts with one or two series each. */
const TABLE_ROWS = 20;
const CHART_PODS = 6;

const RESTARTS = ',feature="restarts"';

const POD = '{{namespace}}/{{pod}}';
const FLAG_WORDS = words({ 0: ['normal', 'green'], 1: ['flagged', BAD] });

/** Opens this dashboard for one pod, whose namespace and name Grafana fills into these placeholders. */
const podUrl = (namespace: string, pod: string) =>
  `/d/${UID}?var-namespace=${placeholder(namespace)}&var-pod=${placeholder(pod)}&` +
  `${placeholder('datasource:queryparam')}&${placeholder('__url_time_range')}`;

const coloured = (steps: Parameters<typeof thresholds>[0]): DynamicConfigValue[] => [
  { id: 'thresholds', value: thresholds(steps).build() },
  { id: 'color', value: { mode: FieldColorModeId.Thresholds } satisfies FieldColor },
  {
    id: 'custom.cellOptions',
    value: { type: TableCellDisplayMode.ColorText } satisfies TableColorTextCellOptions,
  },
];
const unit = (name: string, decimals?: number): DynamicConfigValue[] => [
  { id: 'unit', value: name },
  ...(decimals === undefined ? [] : [{ id: 'decimals', value: decimals }]),
];
const gauge = (max: number, steps: Parameters<typeof thresholds>[0]): DynamicConfigValue[] => [
  ...coloured(steps).filter(({ id }) => id !== 'custom.cellOptions'),
  { id: 'min', value: 0 },
  { id: 'max', value: max },
  {
    id: 'custom.cellOptions',
    value: {
      type: TableCellDisplayMode.Gauge,
      mode: BarGaugeDisplayMode.Basic,
      valueDisplayMode: BarGaugeValueMode.Text,
    } satisfies TableBarGaugeCellOptions,
  },
];

const overview: DashboardRow = {
  title: 'Overview',
  collapsed: false,
  panels: [
    stat(
      {
        title: 'Detector',
        description:
          'Whether the last scrape carried scores. “Blind” means that the exporter runs but has no model, or that ' +
          'Prometheus did not answer it in time; “Silent” means that nobody scrapes it. In both cases nothing on ' +
          'this page says that the pods are well: open the row “Exporter”.',
        width: 4,
        unit: 'none',
        noValue: 'Silent',
        steps: [BAD, [1, CALM]],
      },
      'max(anomaly_exporter_up)',
    ).mappings([words({ 0: ['Blind', BAD], 1: ['Scoring', CALM] })]),
    stat(
      {
        title: 'Pods flagged',
        description:
          'How many of the selected pods are anomalous at this moment, that is, have a score above 0. One or two ' +
          'now and then are usual; look at the table for the reason.',
        width: 4,
        unit: 'short',
        steps: [CALM, [1, WARNING]],
        decimals: 0,
      },
      `sum(${ofPod('anomaly_flag')})`,
    ).colorMode(BigValueColorMode.Background),
    stat(
      {
        title: 'Pods scored',
        description:
          'How many of the selected pods have a score at this moment. Pods that are too young or have no CPU or ' +
          'memory series have none: that is not the same as normal. The row “Exporter” counts them by reason.',
        width: 4,
        unit: 'short',
        steps: [NEUTRAL],
        decimals: 0,
      },
      `count(${ofPod('anomaly_flag')})`,
    ),
    stat(
      {
        title: 'Share flagged',
        description:
          'Flagged pods as a share of the scored ones. From a fifth on, suspect what the pods have in common: a ' +
          'node, a shared dependency, a rollout of everything, or a model that was trained during trouble.',
        width: 4,
        unit: 'percentunit',
        steps: [CALM, [0.05, WARNING], [MASS_FLAGGING, BAD]],
        decimals: 1,
      },
      `sum(${ofPod('anomaly_flag')}) / count(${ofPod('anomaly_flag')})`,
    ),
    stat(
      {
        title: 'Workloads affected',
        description:
          'How many of the selected workloads have at least one flagged pod. Many flagged pods in one workload are ' +
          'one problem; one pod each in many workloads rather points to a node or to the network.',
        width: 4,
        unit: 'short',
        steps: [CALM, [1, WARNING]],
        decimals: 0,
      },
      `sum(${ofWorkload('anomaly_workload_pods_flagged')} > bool 0)`,
    ),
    stat(
      {
        title: 'Age of the model',
        description:
          'Time since the model that scores was trained; the older of two replicas counts. By default it is trained ' +
          'every 15 minutes. An old model goes on scoring, but does not know what has become usual since.',
        width: 4,
        unit: 's',
        noValue: 'No model',
        steps: [CALM, [2400, WARNING], [5400, BAD]],
        decimals: 0,
      },
      'time() - min(anomaly_exporter_model_trained_timestamp_seconds)',
    ),
    stacked(
      {
        title: 'Pods flagged over time',
        description:
          'Pods that were flagged, by namespace, one on top of the other. A pod counts in a step if it was flagged ' +
          'at any moment of it, so short flags stay visible over long time ranges.',
        width: 12,
        unit: 'short',
      },
      [{ expression: `sum by (namespace) (${peakOfPod('anomaly_flag')})`, legend: '{{namespace}}' }],
    ).decimals(0),
    withThresholdLines(
      lines(
        {
          title: 'Anomaly rate over time',
          description:
            'The share of all samples that were flagged, by namespace. The height shows how large a part of a ' +
            'namespace is in trouble, however many pods it has. The dashed line is a fifth: above it, suspect what ' +
            'the pods have in common.',
          width: 12,
          unit: 'percentunit',
        },
        [{ expression: ANOMALY_RATE, legend: '{{namespace}}' }],
      )
        .min(0)
        .axisSoftMax(MASS_FLAGGING + 0.05),
      [MASS_FLAGGING, BAD],
    ),
  ],
};

const reasons: DashboardRow = {
  title: 'Which pods, and why',
  collapsed: false,
  panels: [
    table(
      {
        title: 'Most anomalous pods now',
        description:
          'The pods that are flagged at this moment, the most anomalous first. “Reason” is the feature that is ' +
          'furthest from what is usual for the pod, and “Deviation” tells by how many of its usual spreads: 4 are ' +
          'the default boundary, negative is below the usual. Then follow CPU in cores and memory, each beside its ' +
          'usual value: at this time of day, of its siblings now, or in the last hours, whichever tells most. Restarts ' +
          'are those within an hour. A click on a pod selects it. With `EXPLAIN=off` the exporter gives the scores only.',
        width: 24,
        unit: 'none',
        noValue: 'No pod is flagged.',
      },
      [
        { title: 'Namespace', label: 'namespace', width: 130 },
        {
          title: 'Pod',
          label: 'pod',
          properties: [
            {
              id: 'links',
              value: [{ title: 'Show this pod', url: podUrl('__data.fields.Namespace', '__value.raw') }],
            },
          ],
        },
        {
          title: 'Score',
          refId: 'score',
          query: flaggedNow(TABLE_ROWS),
          width: 170,
          properties: [...unit('none', 3), ...gauge(0.3, [WARNING, [0.1, BAD]])],
        },
        { title: 'Reason', label: 'feature', width: 100 },
        {
          title: 'Deviation',
          refId: 'deviation',
          query: amongFlaggedNow(LARGEST_DEVIATION, TABLE_ROWS),
          width: 100,
          properties: [...unit('none', 1), ...coloured([BAD, [-4, NEUTRAL], [4, BAD]])],
        },
        ...valueColumns('cpu', 'CPU', unit('none', 3)),
        ...valueColumns('memory', 'Memory', unit('bytes', 1)),
        {
          title: 'Restarts',
          refId: 'restarts',
          // The usual value of a counter is its value an hour ago.
          query: amongFlaggedNow(
            `${ofPod('anomaly_feature_value', RESTARTS)} - ${ofPod('anomaly_feature_expected', RESTARTS)}`,
            TABLE_ROWS,
          ),
          width: 90,
          properties: unit('none', 0),
        },
      ],
    ).sortBy([new TableSortByFieldStateBuilder().displayName('Score').desc(true)]),
    states(
      {
        title: 'When pods were flagged',
        description:
          'Each line is a pod that was flagged in the time range, red while it was. A short red mark is a blip; ' +
          'lines that turn red at the same moment have a common cause; a gap means that the pod had no score: it ' +
          'was not there, or the exporter was blind.',
        width: 24,
        unit: 'none',
        noValue: 'No pod was flagged in this time.',
      },
      FLAG_WORDS,
      { expression: amongWorstFlagged(peakOfPod('anomaly_flag'), TABLE_ROWS), legend: POD },
    ),
  ],
};

const scope: DashboardRow = {
  title: 'How far it reaches',
  collapsed: false,
  panels: [
    table(
      {
        title: 'Workloads with flagged pods now',
        description:
          'One flagged pod of many is one bad replica: restart or drain it. Most pods of a workload flagged at once ' +
          'point to a bad release, changed traffic, or something that the workload depends on.',
        width: 12,
        unit: 'none',
        noValue: 'No workload has a flagged pod.',
      },
      [
        { title: 'Namespace', label: 'namespace' },
        { title: 'Workload', label: 'workload' },
        {
          title: 'Flagged',
          refId: 'flagged',
          query: `${ofWorkload('anomaly_workload_pods_flagged')} > 0`,
          width: 90,
          properties: unit('none', 0),
        },
        {
          title: 'Scored',
          refId: 'scored',
          query: `${ofWorkload('anomaly_workload_pods_scored')} and ${ofWorkload('anomaly_workload_pods_flagged')} > 0`,
          width: 90,
          properties: unit('none', 0),
        },
        {
          title: 'Share',
          refId: 'share',
          query: `${ofWorkload('anomaly_workload_pods_flagged')} / ${ofWorkload('anomaly_workload_pods_scored')} > 0`,
          width: 170,
          properties: [...unit('percentunit', 0), ...gauge(1, [WARNING, [0.5, BAD]])],
        },
      ],
    ).sortBy([new TableSortByFieldStateBuilder().displayName('Share').desc(true)]),
    stacked(
      {
        title: 'Flagged pods by workload',
        description:
          'How many pods of each workload were flagged, one on top of the other. A block that grows step by step is ' +
          'trouble that spreads from replica to replica, as in a rollout.',
        width: 12,
        unit: 'short',
        noValue: 'No workload had a flagged pod in this time.',
      },
      [
        {
          expression: `${peakOfWorkload('anomaly_workload_pods_flagged')} > 0`,
          legend: '{{namespace}}/{{workload}}',
        },
      ],
    ).decimals(0),
  ],
};

const pods: DashboardRow = {
  title: `The selected pods (or, of many, the ${CHART_PODS} with the highest score)`,
  collapsed: false,
  panels: [
    withThresholdLines(
      lines(
        {
          title: 'Score',
          description:
            'The anomaly score over time. Above the line at 0 the pod is flagged; far below it is as usual. The score ' +
            'saturates: far above the line, twice as bad is hardly higher, so read the deviation beside it. A click ' +
            'on a line selects the pod.',
          width: 12,
          unit: 'none',
          height: 9,
        },
        [{ expression: amongWorst(ofPod('anomaly_score'), CHART_PODS), legend: POD }],
      )
        .decimals(2)
        .axisSoftMin(-0.1)
        .axisSoftMax(0.1)
        .dataLinks([
          new DashboardLinkBuilder('Show this pod')
            .type(DashboardLinkType.Link)
            .url(podUrl('__field.labels.namespace', '__field.labels.pod')),
        ]),
      [0, BAD],
    ),
    withThresholdLines(
      lines(
        {
          title: 'Deviation by feature',
          description:
            'How far each feature is from what is usual for the pod, in its usual spreads: 0 is usual, negative is ' +
            'below the usual, and the dashed lines at 4 are the default boundary for one feature alone. By default only flagged pods have ' +
            'it, so a line begins and ends with the flag; set `EXPLAIN=all` to see it always.',
          width: 12,
          unit: 'none',
          height: 9,
          noValue: 'None of these pods was flagged in this time.',
        },
        [
          {
            expression: amongWorst(ofFeature('anomaly_feature_deviation'), CHART_PODS),
            legend: '{{pod}}: {{feature}}',
          },
        ],
      )
        .decimals(1)
        .axisSoftMin(-5)
        .axisSoftMax(5),
      [-4, WARNING],
      [4, WARNING],
    ),
    withUsual(
      lines(
        {
          title: 'CPU',
          description:
            'CPU in use, in cores, as the exporter asks for it. Dashed: what is usual for the pod, while it is flagged.',
          width: 8,
          unit: 'none',
        },
        [
          { expression: amongWorst(actual('cpu'), CHART_PODS), legend: POD },
          { expression: usual('cpu'), legend: `${POD} usual` },
        ],
      ).axisLabel('cores'),
    ),
    withUsual(
      lines(
        {
          title: 'Memory',
          description:
            'Memory in use, page cache included, as the exporter asks for it. Dashed: what is usual for the pod, ' +
            'while it is flagged. A line that climbs without end is a leak.',
          width: 8,
          unit: 'bytes',
        },
        [
          { expression: amongWorst(actual('memory'), CHART_PODS), legend: POD },
          { expression: usual('memory'), legend: `${POD} usual` },
        ],
      ),
    ),
    lines(
      {
        title: 'Restarts within ten minutes',
        description:
          'Restarts in the ten minutes before, of the container of the pod that restarts most. A single restart is a step ' +
          'of one that lasts ten minutes; a staircase is a crash loop. Needs kube-state-metrics.',
        width: 8,
        unit: 'short',
        noValue: 'No series of kube-state-metrics',
      },
      [{ expression: amongWorst(RECENT_RESTARTS, CHART_PODS), legend: POD }],
    )
      .lineInterpolation(LineInterpolation.StepAfter)
      .decimals(0)
      .min(0),
  ],
};

const exporter: DashboardRow = {
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
      'min(anomaly_exporter_last_training_success)',
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
      'sum(increase(anomaly_exporter_training_failures_total[$__range]))',
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
          query: 'max by (instance, version, nodeversion) (anomaly_exporter_build_info)',
          hidden: true,
        },
        {
          title: 'Model',
          refId: 'model',
          query: 'max by (instance, fingerprint, baseline, features, threshold) (anomaly_exporter_model_info)',
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
          expression: 'time() - max by (instance) (anomaly_exporter_model_trained_timestamp_seconds)',
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
          expression: 'max by (instance) (anomaly_exporter_training_duration_seconds)',
          legend: 'duration, {{instance}}',
        },
        {
          expression: 'max by (instance) (anomaly_exporter_training_samples)',
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
        { expression: 'max(anomaly_exporter_pods_scored)', legend: 'scored' },
        {
          expression: 'max by (reason) (anomaly_exporter_pods_unscored)',
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
          expression: 'max by (query) (anomaly_exporter_query_duration_seconds)',
          legend: 'query {{query}}',
        },
        { expression: 'max(anomaly_exporter_scrape_duration_seconds)', legend: 'whole detection' },
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
      { expression: 'min by (query) (anomaly_exporter_query_success)', legend: '{{query}}' },
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
          expression: 'sum by (code) (rate(anomaly_exporter_prometheus_requests_total[$__rate_interval]))',
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
      [{ expression: 'max by (reason) (anomaly_exporter_series_dropped)', legend: '{{reason}}' }],
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
          expression: 'max by (instance) (anomaly_exporter_expected_messages_per_day)',
          legend: 'expected, {{instance}}',
        },
        {
          expression: 'max by (instance) (anomaly_exporter_recent_exceeding_workloads_per_day)',
          legend: 'recent, {{instance}}',
        },
        { expression: 'max(anomaly_exporter_alert_budget_messages_per_day)', legend: 'budget' },
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
      [{ expression: ofExporter('process_resident_memory_bytes'), legend: '{{instance}}' }],
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
          expression: ofExporter('rate(process_cpu_seconds_total[$__rate_interval])'),
          legend: '{{instance}}',
        },
      ],
    )
      .min(0)
      .axisLabel('cores'),
  ],
};

export const ROWS: readonly DashboardRow[] = [overview, reasons, scope, pods, exporter];

/** The value of a feature, and its usual value. */
function valueColumns(feature: string, title: string, properties: readonly DynamicConfigValue[]) {
  const query = (metric: string) => amongFlaggedNow(ofPod(metric, `,feature="${feature}"`), TABLE_ROWS);
  return [
    {
      title,
      refId: feature,
      query: query('anomaly_feature_value'),
      width: 100,
      properties,
    },
    {
      title: `${title} usual`,
      refId: `usual_${feature}`,
      query: query('anomaly_feature_expected'),
      width: 120,
      properties,
    },
  ];
}

function usual(feature: string): string {
  return amongWorst(ofPod('anomaly_feature_expected', `,feature="${feature}"`), CHART_PODS);
}

function withUsual(panel: ReturnType<typeof lines>) {
  return withDashed(panel.min(0), / usual$/);
}
