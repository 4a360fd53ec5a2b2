import { examples, formatDuration, promDuration } from '../../../lib/text/format.js';
import { always, checkOfAbsence, knownOf, NO_SERIES, nameOf } from '../check-definition.js';
import type { Facts, SourceFacts } from '../facts.js';

/** Two samples make a rate; four leave one when a scrape or two are missed (Grafana's `$__rate_interval`). */
const WANTED_INTERVALS = 4;

/** How many samples fewer intervals hold. */
const SAMPLES = ['no', 'one or two', 'two', 'three'];

/** Timestamps waver. */
const TOLERANCE = 1.05;

/** Below this share of instants with a value, gaps are not the odd missed scrape. */
const FILLED = 0.9;

/** Whether the windows of `rate()` hold enough scrapes. */
export const rateWindow = checkOfAbsence(
  'rate_window',
  ({ sources }) => {
    const ranged = sources.filter(({ selector }) => selector.rangeSeconds !== undefined);
    const unknown = ranged.map(({ series }) => series).find(({ known }) => !known);
    return unknown?.known === false ? unknown : always(ranged);
  },
  (ranged, facts) => {
    const [worst] = ranged
      .filter(({ series }) => series.known && series.value > 0)
      .map((source) => judgeSource(source, facts))
      .sort((a, b) => b.rank - a.rank);
    if (worst === undefined) {
      return ranged.length === 0 ? { severity: 'ok', summary: 'No query uses a range.' } : NO_SERIES;
    }
    const { interval, window, name } = worst;
    const scraped =
      interval === undefined
        ? `The rate window of ${name} is ${formatDuration(window)}`
        : `${name} is scraped every ${formatDuration(interval)} and rated over ${formatDuration(window)}`;
    const wanted = interval === undefined ? 'four scrape intervals' : promDuration(WANTED_INTERVALS * interval);
    const advice = `Set CPU_RATE_WINDOW to ${wanted} or more, or scrape the kubelets more often.`;
    const unscored = `A rate needs two samples in its window. Without ${worst.features} no pod is scored.`;
    if (worst.isEmpty) {
      const summary = `${scraped}: the rate is empty although there are series.`;
      return { severity: 'error', summary, meaning: unscored, advice };
    }
    if (worst.filled < FILLED) {
      return {
        severity: 'warning',
        summary: `${scraped}: the rate has a value at ${Math.round(worst.filled * 100)} % of the minutes only.`,
        meaning: 'Pods are not scored in some minutes, and their usual values are learned from data with gaps.',
        advice,
      };
    }
    if (interval !== undefined && window < TOLERANCE * interval) {
      const summary = `${scraped}: the window has two samples only if they fall on its ends, as they do now.`;
      return { severity: 'error', summary, meaning: unscored, advice };
    }
    if (interval !== undefined && window * TOLERANCE < WANTED_INTERVALS * interval) {
      return {
        severity: 'warning',
        summary: `${scraped}: the window has ${SAMPLES[Math.floor((window * TOLERANCE) / interval)] ?? 'few'} samples.`,
        meaning: 'When a scrape is missed or late, the pods of that node are not scored for a minute.',
        advice,
      };
    }
    return { severity: 'ok', summary: `${scraped}: enough for a rate.` };
  },
);

function judgeSource(source: SourceFacts, facts: Facts) {
  const { selector, features, intervalSeconds } = source;
  const readers = facts.features.filter(({ feature }) => features.includes(feature.name));
  const answers = knownOf(readers.map(({ answer }) => answer));
  const window = selector.rangeSeconds as number;
  const interval = intervalSeconds?.known ? intervalSeconds.value : undefined;
  const isEmpty = answers.some(({ series }) => series === 0);
  const filled = Math.min(1, ...answers.map((answer) => answer.filled));
  const short = interval === undefined ? 0 : (WANTED_INTERVALS * interval) / window;
  const rank = isEmpty ? 1e6 : filled < FILLED ? 1e3 : short;
  return { name: nameOf(source), features: examples(features), window, interval, isEmpty, filled, rank };
}
