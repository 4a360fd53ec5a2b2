/** Families as metrics of prom-client, which has them collected at each scrape. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { Gauge, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';
import type { Family, Samples } from './family.js';
import { escapeHelp, labelText, numberText } from './text.js';

/** At most this many lines are written in one turn of the event loop. */
const LINES_PER_TURN = 4096;

/** After as much text of shorter families, others have their turn as well. */
const CHARACTERS_PER_TURN = 2 ** 18;

/** The labels of a list of series as text, which stands as long as the list does. */
const labelTexts = new WeakMap<Samples['series'], Promise<readonly string[]>>();

/**
 * Adds a family to a registry.
 *
 * @param stateOf the state of the scrape that is under way; awaited within `collect`. Does not reject.
 */
export function registerFamily<State>(registry: Registry, family: Family<State>, stateOf: () => Promise<State>): void {
  new FamilyMetric(registry, family, stateOf);
}

/**
 * A gauge or counter of prom-client as far as registries are concerned. It keeps nothing from scrape to scrape, so that
 * scrapes that overlap cannot mix, and series that are gone need no removal. A `FamilyRegistry` has it write its own text,
 * which is fast for very many series; in others it gives its values one by one like any metric.
 */
class FamilyMetric<State> extends Gauge {
  readonly #family: Family<State>;
  readonly #stateOf: () => Promise<State>;

  constructor(registry: Registry, family: Family<State>, stateOf: () => Promise<State>) {
    const { name, help, labels: labelNames, type } = family;
    const collect = async () => void (await stateOf());
    super({ name, help, labelNames, registers: [registry], collect });
    // prom-client describes a metric by this field, which is the only difference between the two to a registry.
    Object.assign(this, { type });
    this.#family = family;
    this.#stateOf = stateOf;
  }

  override async get(): Promise<MetricObjectWithValues<MetricValue<string>>> {
    const { description, series, values } = await this.#collect();
    const { labels } = this.#family;
    return {
      ...description,
      values: series.map((labelValues, row) => ({
        labels: labelsOf(labels, labelValues),
        value: values[row] as number,
      })),
    };
  }

  /** What a registry of prom-client would write, without an end of line behind the last one. */
  async text(): Promise<string> {
    const { description, series, values } = await this.#collect();
    const { name, help } = description;
    const { type, labels: labelNames } = this.#family;
    const texts = [`# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}`];
    const labels = await labelTextsOf(series, labelNames);
    for (let start = 0; start < series.length; start += LINES_PER_TURN) {
      const end = Math.min(start + LINES_PER_TURN, series.length);
      let lines = '';
      for (let row = start; row < end; row++) lines += `\n${name}${labels[row]} ${numberText(values[row] as number)}`;
      texts.push(lines);
      if (end < series.length) await nextTurn();
    }
    return texts.join('');
  }

  async #collect() {
    // prom-client calls `collect` here, which has the pods scored.
    const description = await super.get();
    return { description, ...(await this.#family.samples(await this.#stateOf())) };
  }
}

/** A registry that has each family write its own text. */
export class FamilyRegistry extends Registry {
  override async metrics(): Promise<string> {
    const texts: string[] = [];
    let characters = 0;
    // One after the other: the turns of several at the same time would be one long turn.
    for (const { name } of this.getMetricsAsArray()) {
      const metric = this.getSingleMetric(name);
      const text = await (metric instanceof FamilyMetric ? metric.text() : this.getSingleMetricAsString(name));
      texts.push(text);
      characters += text.length;
      if (characters < CHARACTERS_PER_TURN) continue;
      characters = 0;
      await nextTurn();
    }
    return `${texts.join('\n\n')}\n`;
  }
}

function labelsOf(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}

/** Gauges that ask while the text is being made wait for it. */
function labelTextsOf(series: Samples['series'], names: readonly string[]): Promise<readonly string[]> {
  const made = labelTexts.get(series) ?? makeLabelTexts(series, names);
  labelTexts.set(series, made);
  return made;
}

async function makeLabelTexts(series: Samples['series'], names: readonly string[]): Promise<string[]> {
  const texts: string[] = [];
  for (const values of series) {
    texts.push(labelText(names, values));
    if (texts.length % LINES_PER_TURN === 0) await nextTurn();
  }
  return texts;
}
