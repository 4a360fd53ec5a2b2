import { formatDuration, formatNumber, listed } from '../../../lib/text/format.js';
import { answersOf, checkOf, NO_SERIES } from '../check-definition.js';

/** Whether the server answers for the instants that it is asked about. */
export const grid = checkOf('grid', answersOf, (answers) => {
  const filled = answers.filter(({ points }) => points > 0);
  if (filled.length === 0) return NO_SERIES;
  const strayed = filled.filter(({ points, strayed: away }) => 2 * away > points);
  if (strayed.length > 0) {
    const names = listed(strayed.map(({ feature }) => feature.name));
    const counts = strayed.map(({ points, strayed: away }) => `${formatNumber(away)} of ${formatNumber(points)}`);
    return {
      severity: 'error',
      summary: `The answers for ${names} are about other times than were asked for (${listed(counts)} samples).`,
      meaning: 'Samples of other times are left out, so pods are not scored (`misaligned`).',
      advice:
        'Does a cache or a proxy before Prometheus change start, end or step by more than a step? Set PROMETHEUS_URL to ' +
        'Prometheus itself. Else compare the clocks of the machines.',
    };
  }
  const shiftSeconds = Math.max(...filled.map((answer) => answer.shiftSeconds));
  if (shiftSeconds === 0) {
    return { severity: 'ok', summary: 'Prometheus answers for the instants that are asked for.' };
  }
  return {
    severity: 'warning',
    summary:
      'A query frontend moves the ranges that are asked for to whole multiples of their step: this time, values are ' +
      `${formatDuration(shiftSeconds)} older than asked for.`,
    meaning: 'Scores are right, and come up to a minute later. Within a minute, they do not change.',
    advice:
      'If that is too late, set PROMETHEUS_URL to the querier behind the frontend, or turn the alignment off: in Thanos ' +
      '--no-query-range.align-range-with-step, in Mimir align_queries_with_step, in VictoriaMetrics nocache=1 in ' +
      'PROMETHEUS_QUERY_PARAMETERS.',
  };
});
