/** The rule about the history of workloads: how many of its days are known, and how many Prometheus has. */

import { counted, formatDuration, formatNumber } from '../../../lib/text/format.js';
import { HOURS_PER_DAY } from '../../history/grid.js';
import { checkOfAbsence, NO_SERIES } from '../check-definition.js';

const DAY_SECONDS = 86_400;

/** What is missing as long as not all days are known. */
const MEANING = 'What comes once a day, or at weekends only, may be flagged until it is known as usual.';

/** Whether the days are there that the history is to remember. */
export const pastDays = checkOfAbsence(
  'past_days',
  (facts) => facts.pastDays,
  ({ reachSeconds, stepSeconds }, _, { historyDays, keeper }) => {
    if (historyDays === 0) {
      return { severity: 'ok', summary: 'Nothing is remembered of past days (HISTORY_DAYS=0, or BASELINE=cluster).' };
    }
    if (reachSeconds === undefined) return NO_SERIES;
    const days = counted(historyDays, 'day');
    const known = keeper && `The history knows ${formatNumber(keeper.knownHours / HOURS_PER_DAY)} of ${days}.`;
    if (keeper?.isFailing) {
      return {
        severity: 'warning',
        summary: `The past of the workloads cannot be read from Prometheus. ${known}`,
        meaning: MEANING,
        advice: keeper.lastError?.message ?? '',
      };
    }
    const reach = reachSeconds === 0 ? 'hours' : formatDuration(reachSeconds);
    // The oldest instants need not be there: nothing was asked for in between.
    if (reachSeconds < historyDays * DAY_SECONDS - stepSeconds) {
      return {
        severity: 'warning',
        summary: `Prometheus has data of the last ${reach}, and the history remembers ${days}.`,
        meaning: MEANING,
        advice: 'Wait if Prometheus is new. Otherwise raise its retention, or lower HISTORY_DAYS to what it keeps.',
      };
    }
    if (keeper === undefined || known === undefined) {
      return { severity: 'ok', summary: `Prometheus has the last ${days}, which the history remembers.` };
    }
    const missing = keeper.missingHours;
    return {
      severity: 'ok',
      summary: missing > 1 ? `${known} ${counted(missing, 'hour')} are still being read.` : known,
    };
  },
);
