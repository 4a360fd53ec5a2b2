/** What the exporter would have exposed, as OpenMetrics text with timestamps. */

import { anomaly, workload } from '../../exporter/metrics/anomaly.js';
import { budget } from '../../exporter/metrics/budget.js';
import { detector } from '../../exporter/metrics/detector.js';
import { explanation } from '../../exporter/metrics/explanation.js';
import { type Family, sample } from '../../exporter/metrics/family.js';
import type { DetectorState, ExplainScope } from '../../exporter/metrics/state.js';
import { escapeHelp, labelText, numberText } from '../../exporter/metrics/text.js';
import { type Chunk, MINUTE_SECONDS } from './plan.js';
import type { MinuteState } from './replay.js';

/** What is the same in every sample. */
export interface OpenMetricsOptions {
  /** Labels that a scrape adds: `job` and `instance`. */
  readonly targetLabels: Readonly<Record<string, string>>;
  readonly explain: ExplainScope;
  readonly version: string;
}

/** The families of a replay. Where it cannot know a value, such as the duration of a scrape, that is absent. */
const FAMILIES: readonly Family<DetectorState>[] = [
  ...anomaly,
  ...explanation,
  ...workload,
  { name: 'up', help: 'The replay counts as scraped.', type: 'gauge', labels: [], samples: () => sample(1) },
  ...detector,
  ...budget,
];

/** Collects the samples of a chunk minute by minute: OpenMetrics wants all samples of a series in one place. */
export class OpenMetricsText {
  /** For each family, by the text of its labels: the value of each minute, `NaN` where it is absent. */
  readonly #families = FAMILIES.map((family) => ({ family, series: new Map<string, Float64Array>() }));

  constructor(
    readonly chunk: Chunk,
    readonly options: OpenMetricsOptions,
  ) {}

  /** Adds the samples of a minute, counted from the start. */
  async add(minute: number, known: MinuteState): Promise<void> {
    const { explain, version, targetLabels } = this.options;
    const minutes = Math.round((this.chunk.endSeconds - this.chunk.startSeconds) / MINUTE_SECONDS);
    const state = { ...known, explain, version };
    for (const { family, series } of this.#families) {
      const names = [...family.labels, ...Object.keys(targetLabels)];
      const { series: labels, values } = await family.samples(state);
      for (const [row, labelValues] of labels.entries()) {
        const text = labelText(names, [...labelValues, ...Object.values(targetLabels)]);
        const column = series.get(text) ?? new Float64Array(minutes).fill(Number.NaN);
        series.set(text, column);
        column[minute] = values[row] as number;
      }
    }
  }

  /** The text in pieces, family by family and in each of them series by series, each in order of time. */
  *pieces(): Generator<string> {
    for (const { family, series } of this.#families) {
      const { name, help, type } = family;
      // The name of a counter's family is without the ending of its samples.
      const familyName = type === 'counter' ? name.replace(/_total$/, '') : name;
      let head = `# HELP ${familyName} ${escapeHelp(help)}\n# TYPE ${familyName} ${type}\n`;
      for (const [labels, column] of series) {
        let text = '';
        column.forEach((value, minute) => {
          if (Number.isNaN(value)) return;
          text += `${name}${labels} ${numberText(value)} ${this.chunk.startSeconds + minute * MINUTE_SECONDS}\n`;
        });
        if (text === '') continue;
        yield head + text;
        head = '';
      }
    }
    yield '# EOF\n';
  }
}
