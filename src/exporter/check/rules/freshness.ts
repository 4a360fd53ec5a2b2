import { formatDuration, listed } from '../../../lib/text/format.js';
import { answersOf, checkOf, NO_SERIES, nameOf, ofSources } from '../check-definition.js';
import { isVictoriaMetrics } from './server.js';

/** How much older than one scrape interval a sample may be: kubelets measure some seconds before the scrape. */
const TOLERATED_SECONDS = 20;

/** Assumed where the interval is unknown. */
const USUAL_INTERVAL_SECONDS = 60;

/** A minute later the last value is gone as well (`--query.lookback-delta`). */
const GRAVE_SECONDS = 240;

/** Whether the newest samples can be seen soon after they were taken. */
export const freshness = checkOf(
  'freshness',
  ofSources((source) => source.newestAgeSeconds),
  (ages, facts) => {
    const [latest] = ages
      .map(({ source, value: age }) => {
        const { intervalSeconds } = source;
        const known = intervalSeconds?.known ? intervalSeconds.value : undefined;
        return { name: nameOf(source), age, interval: known ?? USUAL_INTERVAL_SECONDS };
      })
      .sort((a, b) => b.age - b.interval - (a.age - a.interval));
    if (latest === undefined) return NO_SERIES;
    const { name, age, interval } = latest;
    const summary = `The newest sample of ${name} is ${formatDuration(Math.max(0, age))} old.`;
    if (age <= interval + TOLERATED_SECONDS) return { severity: 'ok', summary };
    const answers = answersOf(facts);
    const gone = (answers.known ? answers.value : [])
      .filter(({ feature, series, pods }) => feature.required && series > 0 && pods.size === 0)
      .map(({ feature }) => feature.name);
    return {
      severity: age > GRAVE_SECONDS || gone.length > 0 ? 'error' : 'warning',
      summary: `${summary} Its scrape interval is ${formatDuration(interval)}.`,
      meaning:
        gone.length > 0
          ? `There is no current value of ${listed(gone)}, so no pod is scored.`
          : 'Flags are delayed by that time, and with a short CPU_RATE_WINDOW the newest rate is empty.',
      advice: isVictoriaMetrics(facts.server)
        ? 'VictoriaMetrics hides the newest 30 s unless -search.latencyOffset is lower. Lower it, or set ' +
          'PROMETHEUS_QUERY_OFFSET_SECONDS to at least this age.'
        : 'If samples arrive by remote write, check its lag, or set PROMETHEUS_QUERY_OFFSET_SECONDS to at least this ' +
          'age. Otherwise check whether the targets are up.',
    };
  },
);
