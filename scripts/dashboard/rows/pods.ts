/** The selected pods in detail. */

import { LineInterpolation } from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type FieldColor,
  FieldColorModeId,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { podLinks } from '../links.js';
import { BAD, DOTTED, lines, WARNING, withDashed, withThresholdLines } from '../parts.js';
import {
  actual,
  amongWorst,
  ofEitherSource,
  ofFeature,
  ofFewPods,
  ofPod,
  RECENT_RESTARTS,
  resourceOfPod,
  THROTTLED,
} from '../queries.js';
import { CHART_PODS, type DashboardRow, POD } from './row.js';

/** Pods whose requests and limits are shown. */
const BOUNDED_PODS = 2;

const amongCharted = (expression: string) => amongWorst(expression, CHART_PODS);
const ifFew = (expression: string) => ofFewPods(expression, BOUNDED_PODS);

export const pods: DashboardRow = {
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
        [{ expression: amongCharted(ofPod('anomaly_score')), legend: POD }],
      )
        .decimals(2)
        .axisSoftMin(-0.1)
        .axisSoftMax(0.1)
        .dataLinks(
          podLinks('__field.labels.namespace', '__field.labels.pod').map(({ title, url }) =>
            new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url),
          ),
        ),
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
            expression: amongCharted(ofFeature('anomaly_feature_deviation')),
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
    withBounds(
      lines(
        {
          title: 'CPU',
          description:
            'CPU in use, in cores, as the exporter asks for it. Dashed: what is usual for the pod, while it is flagged. If one or ' +
            'two pods are selected, dotted: what their containers request (orange), and their limits (red), at which they are throttled.',
          width: 12,
          unit: 'none',
        },
        boundedQueries('cpu'),
      ).axisLabel('cores'),
    ),
    withBounds(
      lines(
        {
          title: 'Memory',
          description:
            'Memory in use, as the exporter asks for it by default; where an OpenTelemetry Collector measures it, the working set. ' +
            'Dashed: what is usual for the pod, while it is flagged. If one or two pods are selected, dotted: what their ' +
            'containers request (orange), and their limits (red). A line that climbs without end is a leak.',
          width: 12,
          unit: 'bytes',
        },
        boundedQueries('memory'),
      ),
    ),
    lines(
      {
        title: 'CPU throttled',
        description:
          'The share of the periods of the CPU quota in which a container was throttled, of the one with most. A pod that is ' +
          'throttled answers slowly although its CPU is below the limit on average. Containers without a limit have none, ' +
          'nor has an OpenTelemetry Collector a metric for it.',
        width: 12,
        unit: 'percentunit',
        noValue: 'No container has a CPU limit, or cAdvisor is not the source.',
      },
      [{ expression: amongCharted(THROTTLED), legend: POD }],
    )
      .min(0)
      .axisSoftMax(0.1),
    lines(
      {
        title: 'Restarts within ten minutes',
        description:
          'Restarts in the ten minutes before, of the container of the pod that restarts most. A single restart is a step ' +
          'of one that lasts ten minutes; a staircase is a crash loop. Needs kube-state-metrics, or the receiver k8s_cluster of ' +
          'an OpenTelemetry Collector, which does not report init containers.',
        width: 12,
        unit: 'short',
        noValue: 'No series of kube-state-metrics or of k8s_cluster',
      },
      [{ expression: ofEitherSource(RECENT_RESTARTS, amongCharted), legend: POD }],
    )
      .lineInterpolation(LineInterpolation.StepAfter)
      .decimals(0)
      .min(0),
  ],
};

/** What a pod uses, what is usual for it, and what it may use. */
function boundedQueries(resource: 'cpu' | 'memory') {
  const ofUsual = ofPod('anomaly_feature_expected', `,feature="${resource}"`);
  return [
    { expression: ofEitherSource(actual(resource), amongCharted), legend: POD },
    { expression: amongCharted(ofUsual), legend: `${POD} usual` },
    { expression: ofEitherSource(resourceOfPod('request', resource), ifFew), legend: `${POD} request` },
    { expression: ofEitherSource(resourceOfPod('limit', resource), ifFew), legend: `${POD} limit` },
  ];
}

function withBounds(panel: ReturnType<typeof lines>) {
  const dotted = (names: RegExp, colour: string) =>
    panel.overrideByRegexp(String(names), [
      { id: 'custom.lineStyle', value: DOTTED },
      { id: 'custom.lineWidth', value: 1 },
      { id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor: colour } satisfies FieldColor },
    ]);
  withDashed(panel.min(0), / usual$/);
  dotted(/ request$/, WARNING);
  return dotted(/ limit$/, BAD);
}
