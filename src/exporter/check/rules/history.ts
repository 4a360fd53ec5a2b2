import { counted, formatDuration, listed } from '../../../lib/text/format.js';
import { MINIMUM_OWN_SAMPLES } from '../../model/baseline.js';
import { checkOf, NO_SERIES } from '../check-definition.js';

/** A missed scrape here and there is no gap. */
const TOLERATED_GAPS = 0.05;

/** Whether Prometheus has what a training asks for. */
export const history = checkOf(
  'history',
  (facts) => facts.history,
  ({ reachSeconds, stepSeconds, windowInstants, windowGaps, slices }, _, { training }) => {
    if (reachSeconds === 0) return NO_SERIES;
    const { lookbackSeconds } = training;
    const lookback = formatDuration(lookbackSeconds);
    // The two ends of what was looked at need not be full.
    if (reachSeconds < lookbackSeconds - 2 * stepSeconds) {
      const reach = formatDuration(reachSeconds);
      return {
        severity: 'warning',
        summary: `Prometheus has data of the last ${reach}, and a training uses ${lookback}.`,
        meaning:
          reachSeconds < MINIMUM_OWN_SAMPLES * training.stepSeconds
            ? 'Pods have no history of their own yet and are compared with each other: large pods may be flagged.'
            : 'Usual values are learned from less than an hour, so flags are less reliable.',
        advice:
          'Wait if Prometheus is new. Otherwise raise its retention, or lower TRAINING_LOOKBACK_MINUTES to what it keeps.',
      };
    }
    if (windowGaps > TOLERATED_GAPS * windowInstants) {
      const share = Math.round((100 * windowGaps) / windowInstants);
      return {
        severity: 'warning',
        summary: `Of the last ${lookback}, ${share} % are without data.`,
        meaning: 'Usual values are learned from the rest.',
        advice: 'Check whether Prometheus was down, or whether the kubelets are scraped irregularly.',
      };
    }
    const absent = slices
      .filter(({ present }) => !present)
      .map(({ ageSeconds }) => formatDuration(ageSeconds));
    if (absent.length > 0) {
      return {
        severity: 'warning',
        summary: `Prometheus has the last ${lookback}, but no data of ${listed(absent)} ago.`,
        meaning: 'Jobs that run at the same minute of every hour are not recognised and may be flagged.',
        advice: 'Wait if Prometheus is new. Otherwise raise its retention to four hours or more.',
      };
    }
    const earlier = `, and ${counted(slices.length, 'earlier hour')} to recognise hourly jobs`;
    return {
      severity: 'ok',
      summary: `Prometheus has the last ${lookback}${slices.length > 0 ? earlier : ''}.`,
    };
  },
);
