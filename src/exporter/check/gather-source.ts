/** Asks about the stored series behind a selector, with aggregations: a large cluster is counted, not fetched. */

import { quotePromql } from '../features/queries/promql.js';
import type { SourceSelector } from '../features/queries/selectors.js';
import type { Labels } from '../prometheus/api.js';
import { type Asker, factOf } from './asker.js';
import type { EmptinessFacts, Source, SourceFacts } from './facts.js';

/** Everything about one source. Does not reject on failures of Prometheus. */
export async function gatherSource(asker: Asker, source: Source): Promise<SourceFacts> {
  const { selector } = source;
  const series = await factOf(asker.number(`count(${selector.text})`));
  if (!series.known || series.value === 0) {
    const emptiness = series.known ? await factOf(gatherEmptiness(asker, selector)) : series;
    const rest = series.known ? undefined : series;
    return {
      ...source,
      series,
      emptiness,
      duplicates: rest,
      clusters: rest,
      newestAgeSeconds: rest,
      intervalSeconds: rest,
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
  const seriesOfMetric = metric === undefined ? 0 : await asker.number(`count(${metric})`);
  if (seriesOfMetric === 0) return { seriesOfMetric, blamed: [], example: undefined };
  // Two matchers of one label stand and fall together.
  const labels = [...new Set(matchers.map(({ label }) => label))];
  const textOf = (isOf: (label: string) => boolean) =>
    matchers.flatMap(({ label, text }) => (isOf(label) ? [text] : [])).join(',');
  const tried = await Promise.all(
    labels.map(async (label) => {
      const count = await asker.number(`count(${metric}{${textOf((other) => other !== label)}})`);
      return { label, text: textOf((other) => other === label), count };
    }),
  );
  const example = await asker.instant(`topk(1, ${metric})`);
  const blamed = tried.filter(({ count }) => count !== 0).map(({ label, text }) => ({ label, text }));
  return { seriesOfMetric, blamed, example: example.labels[0] };
}

/** By which people tell clusters apart: kube-prometheus, Thanos, Mimir, Amazon, Google, Grafana Cloud, home-made ones. */
const CLUSTER_LABELS = [
  'cluster',
  'cluster_id',
  'cluster_name',
  'clusterName',
  'k8s_cluster',
  'k8s_cluster_name',
  'kube_cluster',
  'kubernetes_cluster',
  'exported_cluster',
];

/**
 * Labels that differ for a good reason where a thing is reported more than once: one run of a container and the next
 * one, a pod and its successor of the same name, the cores of a machine, and clusters, which are judged by themselves.
 */
const RUN_LABELS = ['id', 'name', 'image', 'uid', 'cpu', 'container_id', ...CLUSTER_LABELS];

async function gatherDuplicates(asker: Asker, { text, identity }: SourceSelector) {
  if (identity === undefined) return { things: 0, differing: [] };
  const labels = [...new Set([...identity, ...RUN_LABELS])].join(', ');
  const copies = `count by (${labels}) (${text})`;
  const things = await asker.number(`count(${copies} > 1)`);
  if (things === 0) return { things, differing: [] };
  const example = await asker.instant(`topk(1, ${copies})`);
  if (example.labels.length === 0) return { things, differing: [] };
  const series = await asker.instant(`${text} and on (${labels}) topk(1, ${copies})`);
  const names = [...new Set(series.labels.flatMap((own) => Object.keys(own)))].sort();
  const differing = names
    .map((label) => ({ label, values: valuesOf(series.labels, label) }))
    .filter(({ values }) => values.length > 1);
  return { things, differing };
}

/** At most this many values of a label are shown. */
const EXAMPLES = 10;

/** The first of the values that a label has, sorted; an empty text where it is absent. */
const valuesOf = (series: readonly Labels[], label: string) =>
  [...new Set(series.map((labels) => labels[label] ?? ''))].sort().slice(0, EXAMPLES);

async function gatherClusters(asker: Asker, { text, identity = ['namespace', 'pod'] }: SourceSelector) {
  const combinations = await asker.instant(`count by (${CLUSTER_LABELS.join(', ')}) (${text})`);
  const thing = identity.join(', ');
  const found: { label: string; values: string[]; collisions: number }[] = [];
  for (const label of CLUSTER_LABELS) {
    const values = valuesOf(combinations.labels, label);
    if (values.length < 2) continue;
    const collisions = await asker.number(`count(count by (${thing}) (count by (${thing}, ${label}) (${text})) > 1)`);
    found.push({ label, values, collisions });
  }
  return found;
}

/** Long enough to see two samples of a series that is scraped every five minutes. */
const INTERVAL_WINDOW_SECONDS = 900;

/** Shorter intervals are unproblematic, so they need not be measured. */
const INTERVAL_STEP_SECONDS = 5;

/** Targets differ: one series of each of this many is checked. */
const INTERVAL_SERIES = 3;

/** The longest of the usual intervals of a few series, each from another target; `undefined` where it is unknown. */
async function gatherInterval(asker: Asker, { text, metric }: SourceSelector): Promise<number | undefined> {
  if (metric === undefined) return undefined;
  const { labels } = await asker.instant(`topk(${INTERVAL_SERIES}, topk by (instance) (1, ${text}))`);
  const intervals = await Promise.all(
    labels.map(async ({ __name__: _, ...own }) => {
      const matchers = Object.entries(own).map(([label, value]) => `${label}=${quotePromql(value)}`);
      const start = asker.nowSeconds - INTERVAL_WINDOW_SECONDS;
      const query = `timestamp(${metric}{${matchers.join(',')}})`;
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
