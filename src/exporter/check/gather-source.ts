/** Asks about the stored series behind a selector, with aggregations: a large cluster is counted, not fetched. */

import { addMatchers } from '../features/queries/matchers.js';
import { labelList, matcherOf, selectorText } from '../features/queries/promql.js';
import type { SourceSelector } from '../features/queries/selectors.js';
import { MEMORY_METRICS, type MemoryMetric, memoryMetricName, type SourceNames } from '../features/queries/template.js';
import type { Labels } from '../prometheus/api.js';
import { type Asker, factOf } from './asker.js';
import type { EmptinessFacts, Source, SourceFacts } from './facts.js';
import { gatherCopies } from './gather-copies.js';
import { ownLabels } from './label-settings.js';

/** Everything about one source. Does not reject on failures of Prometheus. */
export async function gatherSource(asker: Asker, names: SourceNames, source: Source): Promise<SourceFacts> {
  const { selector } = source;
  const series = await factOf(asker.number(`count(${selector.text})`));
  if (!series.known || series.value === 0) {
    const emptiness = series.known ? await factOf(gatherEmptiness(asker, names, selector)) : series;
    const rest = series.known ? undefined : series;
    return {
      ...source,
      series,
      emptiness,
      exported: rest,
      duplicates: rest,
      clusters: rest,
      mixedCores: rest,
      newestAgeSeconds: rest,
      intervalSeconds: rest,
    };
  }
  const examples = asker.instant(`topk(${EXAMPLES}, topk by (instance) (1, ${selector.text}))`);
  const ofExamples = <Value>(work: (series: readonly Labels[]) => Value | Promise<Value>) =>
    factOf(examples.then(({ labels }) => work(labels)));
  const [copies, mixedCores, newestAgeSeconds, intervalSeconds, exported] = await Promise.all([
    factOf(gatherCopies(asker, selector)),
    factOf(gatherMixedCores(asker, selector)),
    factOf(asker.number(`max(timestamp(${selector.text}))`).then((newest) => asker.nowSeconds - newest)),
    ofExamples((labels) => gatherInterval(asker, labels, selector)),
    ofExamples((labels) => exportedLabels(labels, selector)),
  ]);
  const duplicates = copies.known ? { known: true as const, value: copies.value.duplicates } : copies;
  const clusters = copies.known ? { known: true as const, value: copies.value.clusters } : copies;
  const rest = { exported, duplicates, clusters, mixedCores, newestAgeSeconds, intervalSeconds };
  return { ...source, series, emptiness: undefined, ...rest };
}

/** Tries the metric without each of its matchers. A metric that a matcher names has no other form. */
async function gatherEmptiness(
  asker: Asker,
  names: SourceNames,
  { metric, matchers }: SourceSelector,
): Promise<EmptinessFacts> {
  const seriesOfMetric = metric === undefined ? 0 : await asker.number(`count(${selectorText(metric, '')})`);
  if (metric === undefined || seriesOfMetric === 0) {
    return { seriesOfMetric, blamed: [], example: undefined, instead: await gatherInstead(asker, names, metric) };
  }
  // Two matchers of one label stand and fall together.
  const labels = [...new Set(matchers.map(({ label }) => label))];
  const textOf = (isOf: (label: string) => boolean) =>
    matchers.flatMap(({ label, text }) => (isOf(label) ? [text] : [])).join(',');
  const tried = await Promise.all(
    labels.map(async (label) => {
      const count = await asker.number(
        `count(${selectorText(
          metric,
          textOf((other) => other !== label),
        )})`,
      );
      return { label, text: textOf((other) => other === label), count };
    }),
  );
  // The largest series of cAdvisor is the machine, without any label of a pod. An image is what containers have.
  const ofContainer = await asker.instant(`topk(1, ${selectorText(metric, 'image!=""')})`);
  const ofPod =
    ofContainer.labels.length > 0 ? ofContainer : await asker.instant(`topk(1, ${selectorText(metric, 'pod!=""')})`);
  const example = ofPod.labels.length > 0 ? ofPod : await asker.instant(`topk(1, ${selectorText(metric, '')})`);
  const blamed = tried.filter(({ count }) => count !== 0).map(({ label, text }) => ({ label, text }));
  return { seriesOfMetric, blamed, example: example.labels[0] };
}

/** The first other metric of memory that has series: collectors with a list of what they keep may keep only that. */
async function gatherInstead(
  asker: Asker,
  names: SourceNames,
  metric: string | undefined,
): Promise<MemoryMetric | undefined> {
  const others = (Object.keys(MEMORY_METRICS) as MemoryMetric[]).map(
    (setting) => [setting, memoryMetricName(setting, names)] as const,
  );
  if (!others.some(([, name]) => name === metric)) return undefined;
  for (const [setting, name] of others) {
    if (name !== metric && (await asker.number(`count(${selectorText(name, '')})`)) > 0) return setting;
  }
  return undefined;
}

/** The labels such as `exported_pod` of some series, beside one that tells pods apart. */
function exportedLabels(series: readonly Labels[], { metric = '', identity = [] }: SourceSelector): readonly string[] {
  // What an application says of itself may well be about another namespace than its own.
  if (!/^(?:container|kube)_/.test(metric)) return [];
  return [...new Set(series.flatMap((labels) => ownLabels(labels, (role) => identity.includes(role))))];
}

/** How many containers have their CPU once as a whole, and once more core by core. */
async function gatherMixedCores(asker: Asker, { text, identity = [] }: SourceSelector): Promise<number> {
  if (!identity.includes('cpu')) return 0;
  const { labels } = await asker.instant(`count by (cpu) (${text})`);
  const isWhole = ({ cpu = 'total' }: Labels) => cpu === 'total';
  if (labels.length < 2 || !labels.some(isWhole)) return 0;
  const container = labelList(identity.filter((label) => label !== 'cpu'));
  const several = `count by (${container}) (count by (${labelList(identity)}) (${text})) > 1`;
  return asker.number(`count(${several} and count by (${container}) (${addMatchers(text, 'cpu=~"total|"')}))`);
}

/** Long enough to see two samples of a series that is scraped every five minutes. */
const INTERVAL_WINDOW_SECONDS = 900;

/** Shorter intervals are unproblematic, so they need not be measured. */
const INTERVAL_STEP_SECONDS = 5;

/** Targets differ: one series of each of this many is looked at. */
const EXAMPLES = 3;

/** The longest of the usual intervals of a few series; `undefined` where it is unknown. */
async function gatherInterval(
  asker: Asker,
  series: readonly Labels[],
  { metric }: SourceSelector,
): Promise<number | undefined> {
  if (metric === undefined) return undefined;
  const intervals = await Promise.all(
    series.map(async ({ __name__: _, ...own }) => {
      const matchers = Object.entries(own).map(([label, value]) => matcherOf(label, value));
      const start = asker.nowSeconds - INTERVAL_WINDOW_SECONDS;
      const query = `timestamp(${selectorText(metric, matchers.join(','))})`;
      const { values } = await asker.range(query, start, asker.nowSeconds, INTERVAL_STEP_SECONDS);
      return usualDistance(values) ?? 0;
    }),
  );
  return Math.max(0, ...intervals) || undefined;
}

/**
 * The median distance of different timestamps.
 *
 * @param timestampsSeconds ascending, each any number of times.
 */
export function usualDistance(timestampsSeconds: ArrayLike<number>): number | undefined {
  const different = [...new Set(Array.from(timestampsSeconds))].sort((a, b) => a - b);
  const distances = different.slice(1).map((time, index) => time - (different[index] as number));
  return distances.sort((a, b) => a - b)[Math.floor(distances.length / 2)];
}
