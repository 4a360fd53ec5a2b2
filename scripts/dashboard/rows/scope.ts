/** How far the trouble reaches. */

import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';
import { gauge, linked, unit } from '../cells.js';
import { workloadLinks } from '../links.js';
import { BAD, stacked, table, WARNING } from '../parts.js';
import { ofWorkload, peakOfWorkload } from '../queries.js';
import type { DashboardRow } from './row.js';

export const scope: DashboardRow = {
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
        {
          title: 'Workload',
          label: 'workload',
          properties: linked(workloadLinks('__data.fields.Namespace', '__value.raw')),
        },
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
