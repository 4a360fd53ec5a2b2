import { formatDuration } from '../../../lib/text/format.js';
import { checkOf } from '../check-definition.js';
import { isVictoriaMetrics } from './server.js';

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
      const within = formatDuration(Math.max(1, Math.ceil(certain)));
      return { severity: 'ok', summary: `Our clock and that of Prometheus agree within ${within}.` };
    }
    const off = formatDuration(Math.abs(skewSeconds));
    const isAhead = skewSeconds > 0;
    if (!isAhead && skewSeconds >= -LARGEST_LATENCY_OFFSET_SECONDS && isVictoriaMetrics(server)) {
      const summary = `VictoriaMetrics answers with data from ${off} ago (-search.latencyOffset), so its clock cannot be compared.`;
      return { severity: 'ok', summary };
    }
    return {
      severity: certain > GRAVE_SECONDS ? 'error' : 'warning',
      summary: `The clock of Prometheus is ${off} ${isAhead ? 'ahead of' : 'behind'} ours.`,
      meaning: isAhead
        ? 'Pods are scored by values of that age.'
        : 'The exporter queries minutes that Prometheus does not have yet: pods are not scored, or their values do not change.',
      advice: 'Synchronise the clocks of both machines (NTP).',
    };
  },
);
