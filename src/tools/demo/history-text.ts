/** Scrapes as the past of a real Prometheus: OpenMetrics text with timestamps. */

import { labelText } from '../../exporter/metrics/text.js';
import type { MetricFamily, MetricSample } from './metric-family.js';

/** Gathers samples by series, as `promtool tsdb create-blocks-from openmetrics` wants them. */
export class HistoryText {
  /** For the head of each family, and each series, value and time of each sample. */
  readonly #families = new Map<string, Map<string, string[]>>();

  /**
   * Adds what one target had at an instant (Unix seconds), later than what was added of it before.
   *
   * @param targetLabels what a scrape would add (`job`, `instance`), so that history and scrapes are the same series.
   */
  add(
    families: readonly MetricFamily[],
    timeSeconds: number,
    targetLabels: MetricSample['labels'],
    isKept: (name: string, labels: MetricSample['labels']) => boolean = () => true,
  ): void {
    for (const { name, type, help, samples } of families) {
      const family = name.replace(/_total$/, '');
      const head = `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n`;
      const series = getOrSet(this.#families, head, () => new Map<string, string[]>());
      for (const { labels, value } of samples) {
        if (!isKept(name, labels)) continue;
        const key = `${name}${seriesLabels({ ...labels, ...targetLabels })}`;
        getOrSet(series, key, () => []).push(`${value} ${timeSeconds}`);
      }
    }
  }

  /** Series by series, each in order of time; without the end of the text. */
  *series(): Generator<string> {
    for (const [head, series] of this.#families) {
      yield head;
      for (const [key, samples] of series) yield samples.map((sample) => `${key} ${sample}\n`).join('');
    }
  }
}

function getOrSet<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

/** The labels of a series as text. An empty label is the same as an absent one. */
export function seriesLabels(labels: MetricSample['labels']): string {
  const set = Object.entries(labels).filter(([, value]) => value !== '');
  return labelText(
    set.map(([name]) => name),
    set.map(([, value]) => value),
  );
}
