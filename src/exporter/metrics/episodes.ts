/** Families about anomalies that last: since when they do, and how they ended. */

import { END_REASONS } from '../episodes/episodes.js';
import { byLabel, type Family, NO_SAMPLES } from './family.js';
import { detectionOf, type ScrapeState } from './state.js';

export const episodes: readonly Family<ScrapeState>[] = [
  {
    name: 'anomaly_since_timestamp_seconds',
    help: 'Since when the anomaly lasts, Unix time; absent for pods without one. After a restart of the exporter, since then.',
    type: 'gauge',
    labels: ['namespace', 'pod', 'workload'],
    samples(state) {
      // Without a detection, nothing is known of any pod.
      if (detectionOf(state) === undefined) return NO_SAMPLES;
      const { open } = state.episodes;
      const lasting = [...open.values()].filter(({ quiet }) => quiet === undefined);
      return {
        series: lasting.map(({ namespace, pod, workload }) => [namespace, pod, workload]),
        values: lasting.map(({ sinceSeconds }) => sinceSeconds),
      };
    },
  },
  {
    name: 'anomaly_ended_timestamp_seconds',
    help:
      'When an anomaly that lasted ended, and why (`recovered`, `gone`, `accepted`, `muted`), Unix time; for half an hour, ' +
      'and at most 10,000.',
    type: 'gauge',
    labels: ['namespace', 'pod', 'workload', 'reason'],
    samples(state) {
      if (detectionOf(state) === undefined) return NO_SAMPLES;
      const { ended } = state.episodes;
      // Of several ends of a pod for the same reason, the last one counts.
      const last = new Map(ended.map((episode) => [JSON.stringify(labelsOf(episode)), episode]));
      return {
        series: [...last.values()].map(labelsOf),
        values: [...last.values()].map(({ endSeconds }) => endSeconds),
      };
    },
  },
  byLabel(
    'k8s_anomaly_detector_episodes_ended_total',
    'Anomalies that lasted and have ended, by reason.',
    'reason',
    ({ episodes: { endedTotal } }) => END_REASONS.map((reason) => [reason, endedTotal[reason]]),
  ),
];

const labelsOf = ({ namespace, pod, workload, reason }: ScrapeState['episodes']['ended'][number]) => [
  namespace,
  pod,
  workload,
  reason,
];
