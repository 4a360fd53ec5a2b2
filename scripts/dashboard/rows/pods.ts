/** The selected pods in detail. */

import { LineInterpolation } from '@grafana/grafana-foundation-sdk/common';
import { DashboardLinkBuilder, DashboardLinkType } from '@grafana/grafana-foundation-sdk/dashboard';
import { podLinks } from '../links.js';
import { BAD, lines, WARNING, withDashed, withThresholdLines } from '../parts.js';
import { actual, amongWorst, ofFeature, ofPod, RECENT_RESTARTS } from '../queries.js';
import { CHART_PODS, type DashboardRow, POD } from './row.js';

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
        [{ expression: amongWorst(ofPod('anomaly_score'), CHART_PODS), legend: POD }],
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

function usual(feature: string): string {
  return amongWorst(ofPod('anomaly_feature_expected', `,feature="${feature}"`), CHART_PODS);
}

function withUsual(panel: ReturnType<typeof lines>) {
  return withDashed(panel.min(0), / usual$/);
}
