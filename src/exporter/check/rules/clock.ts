import { formatDuration } from '../../../lib/text/format.js';
import { checkOf } from '../check-definition.js';
import { isVictoriaMetrics } from '../product.js';

/** Scrapes take some seconds anyway. */
const TOLERATED_SECONDS = 5;

/** From half a rate window of a minute on, the newest minute is without CPU. */
const GRAVE_SECONDS = 30;

/** `-search.latencyOffset` is 30 s unless set; its answers bear the earlier time. */
const LARGEST_LATENCY_OFFSET_SECONDS = 60;

/** Our clock against that of the server. */
export const clock = checkOf(
  'clock',
  (facts) => facts.clock,
  ({ skewSeconds, uncertaintySeconds }, { server }) => {
    const certain = Math.max(0, Math.abs(skewSeconds) - uncertaintySeconds);
    if (certain <= TOLERATED_SECONDS) {
      return {
        severity: 'ok',
        summary: `Our clock and that of Prometheus agree within ${formatDuration(Math.max(1, Math.ceil(certain)))}.`,
      };
    }
    if (
      skewSeconds < 0 &&
      skewSeconds >= -LARGEST_LATENCY_OFFSET_SECONDS &&
      server.known &&
      isVictoriaMetrics(server.value)
    ) {
      return {
        severity: 'ok',
        summary: `VictoriaMetrics answers with data from ${formatDuration(-skewSeconds)} ago (-search.latencyOffset), so its clock cannot be compared.`,
      };
    }
    return {
      severity: certain > GRAVE_SECONDS ? 'error' : 'warning',
      summary: `The clock of Prometheus is ${formatDuration(Math.abs(skewSeconds))} ${skewSeconds > 0 ? 'ahead of' : 'behind'} ours.`,
      meaning:
        skewSeconds > 0
          ? 'Pods are scored by values of that age.'
          : 'The exporter queries minutes that Prometheus does not have yet: pods are not scored, or their values do not change.',
      advice: 'Synchronise the clocks of both machines (NTP).',
    };
  },
);
