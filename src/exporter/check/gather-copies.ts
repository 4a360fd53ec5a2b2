/** Asks for things that have several series: copies of one, or things of the same name in different clusters. */

import { labelList, labelText } from '../features/queries/promql.js';
import type { SourceSelector } from '../features/queries/selectors.js';
import type { Asker } from './asker.js';
import { clusterLabelsOf, differingOf, RUN_LABELS, valuesOf } from './copies.js';
import type { ClusterFacts, DuplicateFacts } from './facts.js';

/** Which people use for clusters. Where no thing has several series, only these names show that there are several. */
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

/** At most this many values of a label are shown. */
const EXAMPLES = 10;

/** As many things are looked at, with all of their series. */
const THINGS = 10;

/** A pod that has just moved is reported from two nodes for up to five minutes. What lasts for longer is something else. */
const EARLIER = 'offset 10m';

/** Their labels are known: two series that differ in another one are one container twice, or two of different clusters. */
const KNOWN_METRIC = /^(?:container|kube)_/;

/** How the things of a source are repeated. Asks two questions where none is. */
export async function gatherCopies(
  asker: Asker,
  { text, metric = '', identity }: SourceSelector,
): Promise<{ readonly duplicates: DuplicateFacts; readonly clusters: readonly ClusterFacts[] }> {
  const thing = identity?.filter((label) => !RUN_LABELS.includes(label)) ?? ['namespace', 'pod'];
  const withCollisions = async (found: Omit<ClusterFacts, 'collisions'>): Promise<ClusterFacts> => {
    const ofCluster = `count by (${labelList([...thing, found.label])}) (${text})`;
    return { ...found, collisions: await asker.number(`count(count by (${labelList(thing)}) (${ofCluster}) > 1)`) };
  };
  const hints = await gatherHints(asker, text);
  const repeated = identity === undefined ? undefined : await gatherRepeated(asker, text, thing);
  if (repeated === undefined) {
    return { duplicates: { things: 0, differing: [] }, clusters: await Promise.all(hints.map(withCollisions)) };
  }
  const some = await asker.instant(`${text} and on (${labelList(thing)}) topk(${THINGS}, ${repeated.query})`);
  const labels = clusterLabelsOf(some.labels, thing);
  const clusters = await Promise.all(hints.filter(({ label }) => labels.includes(label)).map(withCollisions));
  const [label] = labels;
  if (label !== undefined && KNOWN_METRIC.test(metric) && clusters.length === 0) {
    const values = await asker.instant(`topk(${EXAMPLES}, count by (${labelText(label)}) (${text}))`);
    clusters.push(await withCollisions({ label, values: valuesOf(values.labels, label) }));
  }
  const ofOneCluster = [...thing, ...clusters.map((found) => found.label)];
  const things =
    clusters.length === 0 ? repeated.things : await asker.number(`count(${repeatedOf(text, ofOneCluster)})`);
  const differing = things === 0 ? [] : differingOf(some.labels, ofOneCluster);
  const shown = differing.map((one) => ({ ...one, values: one.values.slice(0, EXAMPLES) }));
  // What differs only between copies may still be about clusters where things have names of their own.
  const others = hints.filter((hint) => !labels.includes(hint.label)).map((hint) => ({ ...hint, collisions: 0 }));
  return { duplicates: { things, differing: shown }, clusters: [...clusters, ...others] };
}

/** Labels with a telling name and more than one value. */
async function gatherHints(asker: Asker, text: string): Promise<readonly Omit<ClusterFacts, 'collisions'>[]> {
  const { labels } = await asker.instant(`count by (${labelList(CLUSTER_LABELS)}) (${text})`);
  return CLUSTER_LABELS.map((label) => ({ label, values: valuesOf(labels, label).slice(0, EXAMPLES) })).filter(
    ({ values }) => values.length > 1,
  );
}

/** The query for things that have several series other than by a restart, and their number. */
const repeatedOf = (text: string, identity: readonly string[]) =>
  `count by (${labelList(identity)}) (count without (${labelList(RUN_LABELS)}) (${text})) > 1`;

/** The things that have several series, and had them before; `undefined` if there are none. */
async function gatherRepeated(asker: Asker, text: string, identity: readonly string[]) {
  const now = repeatedOf(text, identity);
  const things = await asker.number(`count(${now})`);
  if (things === 0) return undefined;
  const lasting = `${now} and ${repeatedOf(`${text} ${EARLIER}`, identity)}`;
  const lastingThings = await asker.number(`count(${lasting})`);
  if (lastingThings > 0) return { query: `(${lasting})`, things: lastingThings };
  // There is no telling yet where nothing is as old.
  return (await asker.number(`count(${text} ${EARLIER})`)) > 0 ? undefined : { query: `(${now})`, things };
}
