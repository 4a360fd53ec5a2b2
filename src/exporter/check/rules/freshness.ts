import { formatDuration, listed } from '../../../lib/text/format.js';
import { anyOf, checkOf, NO_SERIES } from '../check-definition.js';
import { isVictoriaMetrics } from '../product.js';

/** How much older than one scrape interval a sample may be: kubelets measure some seconds before the scrape. */
const TOLERATED_SECONDS = 20;

/** Assumed where the interval is unknown. */
const USUAL_INTERVAL_SECONDS = 60;

/** A minute later the last value is gone as well (`--query.lookback-delta`). */
const GRAVE_SECONDS = 240;

/** Whether the newest samples can be seen soon after they were taken. */
export const freshness = checkOf(
  'freshness',
  ({ sources }) =>
    anyOf(
      sources.map(({ selector, newestAgeSeconds, intervalSeconds }) =>
        newestAgeSeconds?.known
          ? {
              known: true,
              value: {
                name: selector.metric ?? selector.text,
                ageSeconds: newestAgeSeconds.value,
                intervalSeconds:
                  (intervalSeconds?.known ? intervalSeconds.value : undefined) ?? USUAL_INTERVAL_SECONDS,
              },
            }
          : newestAgeSeconds,
      ),
    ),
  (sources, { server, features }) => {
    const [latest] = [...sources].sort(
      (a, b) => b.ageSeconds - b.intervalSeconds - (a.ageSeconds - a.intervalSeconds),
    );
    if (latest === undefined) return NO_SERIES;
    const { name, ageSeconds, intervalSeconds } = latest;
    const summary = `The newest sample of ${name} is ${formatDuration(Math.max(0, ageSeconds))} old.`;
    if (ageSeconds <= intervalSeconds + TOLERATED_SECONDS) return { severity: 'ok', summary };
    const gone = features.filter(
      ({ feature, answer }) =>
        feature.required && answer.known && answer.value.series > 0 && answer.value.pods.size === 0,
    );
    return {
      severity: ageSeconds > GRAVE_SECONDS || gone.length > 0 ? 'error' : 'warning',
      summary: `${summary} Its scrape interval is ${formatDuration(intervalSeconds)}.`,
      meaning:
        gone.length > 0
          ? `There is no current value of ${listed(gone.map(({ feature }) => feature.name))}, so no pod is scored.`
          : 'Flags are delayed by that time, and with a short CPU_RATE_WINDOW the newest rate is empty.',
      advice:
        server.known && isVictoriaMetrics(server.value)
          ? 'VictoriaMetrics hides the newest 30 s unless -search.latencyOffset is lower. Lower it, or set ' +
            'PROMETHEUS_QUERY_OFFSET_SECONDS to at least this age.'
          : 'If samples arrive by remote write, check its lag, or set PROMETHEUS_QUERY_OFFSET_SECONDS to at least this ' +
            'age. Otherwise check whether the targets are up.',
    };
  },
);
