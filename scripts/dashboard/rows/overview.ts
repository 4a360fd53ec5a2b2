/** Whether the detector works, and how many pods are flagged. */

import { BigValueColorMode } from '@grafana/grafana-foundation-sdk/common';
import { BAD, CALM, lines, NEUTRAL, stacked, stat, WARNING, withThresholdLines, words } from '../parts.js';
import { ANOMALY_RATE, exporterMetric, ofPod, ofWorkload, peakOfPod } from '../queries.js';
import type { DashboardRow } from './row.js';

/** Above it, the model or the whole cluster is the problem, not single pods. */
const MASS_FLAGGING = 0.2;

export const overview: DashboardRow = {
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
      `max(${exporterMetric('k8s_anomaly_detector_up')})`,
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
      `time() - min(${exporterMetric('k8s_anomaly_detector_model_trained_timestamp_seconds')})`,
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
