/** Asks about the stored series behind a selector, with aggregations: a large cluster is counted, not fetched. */

import { quotePromql } from '../features/queries/promql.js';
import type { SourceSelector } from '../features/queries/selectors.js';
import type { Labels } from '../prometheus/api.js';
import { type Asker, factOf } from './asker.js';
import { CLUSTER_LABELS } from './cluster-labels.js';
import type { ClusterFacts, DuplicateFacts, EmptinessFacts, SourceFacts } from './facts.js';

/** A selector with the features that read it. */
export type Source = Pick<SourceFacts, 'selector' | 'features' | 'required'>;

/** Everything about one source. Does not reject on failures of Prometheus. */
export async function gatherSource(asker: Asker, source: Source): Promise<SourceFacts> {
  const { selector } = source;
  const series = await factOf(asker.number(`count(${selector.text})`));
  if (!series.known) {
    const unknown = series;
    return {
      ...source,
      series,
      emptiness: unknown,
      duplicates: unknown,
      clusters: unknown,
      newestAgeSeconds: unknown,
      intervalSeconds: unknown,
    };
  }
  if (series.value === 0) {
    return {
      ...source,
      series,
      emptiness: await factOf(gatherEmptiness(asker, selector)),
      duplicates: undefined,
      clusters: undefined,
      newestAgeSeconds: undefined,
      intervalSeconds: undefined,
    };
  }
  const [duplicates, clusters, newestAgeSeconds, intervalSeconds] = await Promise.all([
    factOf(gatherDuplicates(asker, selector)),
    factOf(gatherClusters(asker, selector)),
    factOf(asker.number(`max(timestamp(${selector.text}))`).then((newest) => asker.nowSeconds - newest)),
    factOf(gatherInterval(asker, selector)),
  ]);
  return { ...source, series, emptiness: undefined, duplicates, clusters, newestAgeSeconds, intervalSeconds };
}

/** Tries the metric without each of its matchers. A metric that a matcher names has no other form. */
async function gatherEmptiness(asker: Asker, { metric, matchers }: SourceSelector): Promise<EmptinessFacts> {
  if (metric === undefined) return { seriesOfMetric: 0, blamed: [], example: undefined };
  const seriesOfMetric = await asker.number(`count(${metric})`);
  if (seriesOfMetric === 0) return { seriesOfMetric, blamed: [], example: undefined };
  // Two matchers of one label stand and fall together.
  const labels = [...new Set(matchers.map(({ label }) => label))];
  const counts = await Promise.all(
    labels.map((label) => {
      const others = matchers.filter((matcher) => matcher.label !== label).map(({ text }) => text);
      return asker.number(`count(${metric}{${others.join(',')}})`);
    }),
  );
  const example = await asker.instant(`topk(1, ${metric})`);
  return {
    seriesOfMetric,
    blamed: labels.flatMap((label, index) => {
      if (counts[index] === 0) return [];
      const texts = matchers.filter((matcher) => matcher.label === label).map(({ text }) => text);
      return [{ label, text: texts.join(',') }];
    }),
    example: example.labels[0],
  };
}

/**
 * Labels that differ for a good reason where a thing is reported more than once: one run of a container and the next
 * one, a pod and its successor of the same name, the cores of a machine, and clusters, which are judged by themselves.
 */
const RUN_LABELS = ['id', 'name', 'image', 'uid', 'cpu', 'container_id', ...CLUSTER_LABELS];

async function gatherDuplicates(asker: Asker, { text, identity }: SourceSelector): Promise<DuplicateFacts> {
  if (identity === undefined) return { things: 0, differing: [] };
  const labels = [...identity, ...RUN_LABELS.filter((label) => !identity.includes(label))];
  const copies = `count by (${labels.join(', ')}) (${text})`;
  const things = await asker.number(`count(${copies} > 1)`);
  if (things === 0) return { things, differing: [] };
  const { labels: examples } = await asker.instant(`topk(1, ${copies})`);
  const [example] = examples;
  if (example === undefined) return { things, differing: [] };
  const series = await asker.instant(`${text} and on (${labels.join(', ')}) topk(1, ${copies})`);
  return { things, differing: differingLabels(series.labels) };
}

function differingLabels(series: readonly Labels[]): DuplicateFacts['differing'] {
  const names = [...new Set(series.flatMap((labels) => Object.keys(labels)))].sort();
  return names.flatMap((label) => {
    const values = [...new Set(series.map((labels) => labels[label] ?? ''))].sort();
    return values.length > 1 ? [{ label, values: values.slice(0, EXAMPLES) }] : [];
  });
}

/** How many names of a kind are shown. */
const EXAMPLES = 10;

async function gatherClusters(
  asker: Asker,
  { text, identity }: SourceSelector,
): Promise<readonly ClusterFacts[]> {
  const { labels: combinations } = await asker.instant(`count by (${CLUSTER_LABELS.join(', ')}) (${text})`);
  const found: ClusterFacts[] = [];
  for (const label of CLUSTER_LABELS) {
    const values = [...new Set(combinations.map((labels) => labels[label] ?? ''))].sort();
    if (values.length < 2) continue;
    const thing = (identity ?? ['namespace', 'pod']).join(', ');
    const collisions = await asker.number(
      `count(count by (${thing}) (count by (${thing}, ${label}) (${text})) > 1)`,
    );
    found.push({ label, values: values.slice(0, EXAMPLES), collisions });
  }
  return found;
}

/** Long enough to see two samples of a series that is scraped every five minutes. */
const INTERVAL_WINDOW_SECONDS = 900;

/** Shorter intervals are unproblematic, so they need not be measured. */
const INTERVAL_STEP_SECONDS = 5;

/** Targets differ: one series of each of this many is checked. */
const INTERVAL_SERIES = 3;

/** The longest of the usual intervals of a few series, each from another target. */
async function gatherInterval(asker: Asker, { text, metric }: SourceSelector): Promise<number | undefined> {
  if (metric === undefined) return undefined;
  const { labels } = await asker.instant(`topk(${INTERVAL_SERIES}, topk by (instance) (1, ${text}))`);
  const intervals = await Promise.all(
    labels.map(async ({ __name__: _, ...own }) => {
      const matchers = Object.entries(own).map(([label, value]) => `${label}=${quotePromql(value)}`);
      const { values } = await asker.range(
        `timestamp(${metric}{${matchers.join(',')}})`,
        asker.nowSeconds - INTERVAL_WINDOW_SECONDS,
        asker.nowSeconds,
        INTERVAL_STEP_SECONDS,
      );
      return usualDistance(values);
    }),
  );
  const known = intervals.filter((interval) => interval !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
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
