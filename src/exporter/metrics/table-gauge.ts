/** A gauge with very many series, which are given as a whole at each scrape. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { Gauge, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';

/** Series and their values at one scrape. */
export interface GaugeTable {
  /**
   * The label values of each series, in the order of the label names. Gauges that show the same series share one list:
   * the text of the labels is then made once.
   */
  readonly series: readonly (readonly string[])[];
  /** One for each series. */
  readonly values: ArrayLike<number>;
}

/** A scrape without pods. */
export const NO_SERIES: GaugeTable = { series: [], values: [] };

export interface TableGaugeOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly registry: Registry;
  /** All series of the scrape. Does not reject. */
  readonly collect: () => Promise<GaugeTable>;
}

/** So many lines are written at a stretch; then it is others' turn. */
const LINES_PER_TURN = 4096;

/** The labels of a list of series as text, which stands as long as the list does. */
const labelTexts = new WeakMap<GaugeTable['series'], Promise<readonly string[]>>();

/**
 * A gauge of prom-client as far as registries are concerned. It keeps nothing from scrape to scrape, so that scrapes
 * that overlap cannot mix, and series that are gone need no removal. A `TableRegistry` has it write its own text; in
 * others it gives its values one by one like any gauge.
 */
export class TableGauge extends Gauge {
  readonly #options: TableGaugeOptions;

  constructor(options: TableGaugeOptions) {
    const { name, help, labelNames, registry } = options;
    super({ name, help, labelNames, registers: [registry] });
    this.#options = options;
  }

  override async get(): Promise<MetricObjectWithValues<MetricValue<string>>> {
    const empty = await super.get();
    const { series, values } = await this.#options.collect();
    const { labelNames } = this.#options;
    return {
      ...empty,
      values: series.map((labelValues, row) => ({
        labels: Object.fromEntries(labelNames.map((label, index) => [label, labelValues[index] ?? ''])),
        value: values[row] as number,
      })),
    };
  }

  /** What a registry of prom-client would write, without an end of line behind the last one. */
  async text(): Promise<string> {
    const { name, help, labelNames, collect } = this.#options;
    const { series, values } = await collect();
    const texts = [`# HELP ${name} ${escapeText(help)}\n# TYPE ${name} gauge`];
    const labels = await labelTextsOf(series, labelNames);
    for (let start = 0; start < series.length; start += LINES_PER_TURN) {
      const end = Math.min(start + LINES_PER_TURN, series.length);
      let lines = '';
      for (let row = start; row < end; row++)
        lines += `\n${name}${labels[row]} ${numberText(values[row] as number)}`;
      texts.push(lines);
      if (end < series.length) await nextTurn();
    }
    return texts.join('');
  }
}

/** A registry that has each `TableGauge` write its own text. */
export class TableRegistry extends Registry {
  override async metrics(): Promise<string> {
    const texts: string[] = [];
    // One after the other: the turns of several at the same time would be one long turn.
    for (const { name } of this.getMetricsAsArray()) {
      const metric = this.getSingleMetric(name);
      texts.push(await (metric instanceof TableGauge ? metric.text() : this.getSingleMetricAsString(name)));
    }
    return `${texts.join('\n\n')}\n`;
  }
}

/** Gauges that ask while the text is being made wait for it. */
function labelTextsOf(
  series: GaugeTable['series'],
  labelNames: readonly string[],
): Promise<readonly string[]> {
  const made = labelTexts.get(series) ?? makeLabelTexts(series, labelNames);
  labelTexts.set(series, made);
  return made;
}

async function makeLabelTexts(
  series: GaugeTable['series'],
  labelNames: readonly string[],
): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const labelValues of series) {
    const pairs = labelValues.map((value, index) => `${labelNames[index]}="${escapeLabel(value)}"`);
    texts.push(`{${pairs.join(',')}}`);
    if (texts.length % LINES_PER_TURN === 0) await nextTurn();
  }
  return texts;
}

/** As prom-client writes numbers, `NaN` aside: none is exposed. */
function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** Hardly any label needs it: one look instead of three. */
function escapeLabel(value: string): string {
  return /[\\\n"]/.test(value) ? escapeText(value).replaceAll('"', '\\"') : value;
}
