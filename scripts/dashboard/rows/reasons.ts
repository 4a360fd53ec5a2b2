/** Which pods are flagged, and why. */

import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';
import { type DynamicConfigValue, MappingType, type RegexMap } from '@grafana/grafana-foundation-sdk/dashboard';
import { coloured, gauge, linked, unit } from '../cells.js';
import { nodeLinks, pageLinks, podLinks } from '../links.js';
import { BAD, NEUTRAL, states, table, WARNING, words } from '../parts.js';
import {
  amongFlaggedNow,
  amongWorstFlagged,
  flaggedNow,
  infoOfPod,
  LARGEST_DEVIATION,
  ofPod,
  PAGE_OF_POD,
  peakOfPod,
  shareOfLimit,
} from '../queries.js';
import { type DashboardRow, POD, TABLE_ROWS } from './row.js';

const RESTARTS = ',feature="restarts"';

/** A word instead of the whole address. */
const OPEN_PAGE: RegexMap = {
  type: MappingType.RegexToText,
  options: { pattern: '.+', result: { text: 'open', index: 0 } },
};

const FLAG_WORDS = words({ 0: ['normal', 'green'], 1: ['flagged', BAD] });

export const reasons: DashboardRow = {
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
          properties: linked(podLinks('__data.fields.Namespace', '__value.raw')),
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
        limitColumn('cpu', 'CPU of limit'),
        ...valueColumns('memory', 'Memory', unit('bytes', 1)),
        limitColumn('memory', 'Memory of limit'),
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
        { title: 'Last end', label: 'reason', width: 100 },
        {
          title: 'End',
          refId: 'end',
          query: amongFlaggedNow(infoOfPod('anomaly_pod_last_termination_info', 'reason'), TABLE_ROWS),
          hidden: true,
        },
        { title: 'Node', label: 'node', width: 110, properties: linked(nodeLinks('__value.raw')) },
        {
          title: 'Place',
          refId: 'place',
          query: amongFlaggedNow(infoOfPod('anomaly_pod_info', 'node'), TABLE_ROWS),
          hidden: true,
        },
        {
          title: 'Page',
          label: 'page',
          width: 80,
          properties: [
            ...linked(pageLinks('__value.raw', '__data.fields.Namespace', '__data.fields.Pod')),
            { id: 'mappings', value: [OPEN_PAGE] },
          ],
        },
        { title: 'Address', refId: 'address', query: amongFlaggedNow(PAGE_OF_POD, TABLE_ROWS), hidden: true },
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

/** How near the limit of the pod its value is. */
function limitColumn(resource: 'cpu' | 'memory', title: string) {
  return {
    title,
    refId: `limit_${resource}`,
    query: amongFlaggedNow(shareOfLimit(resource), TABLE_ROWS),
    width: 130,
    properties: [...unit('percentunit', 0), ...coloured([NEUTRAL, [0.9, BAD]])],
  };
}
