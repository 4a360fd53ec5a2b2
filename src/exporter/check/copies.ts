/** Whether series that a query takes for one thing are copies of it, or things of the same name in different clusters. */

import { groupBy } from '../../lib/group-by.js';
import type { Labels } from '../prometheus/api.js';

/**
 * Labels that differ from one run of a container to the next, from a pod to its successor of the same name, and between the
 * cores of a machine.
 */
export const RUN_LABELS = ['id', 'name', 'image', 'image_id', 'uid', 'pod_uid', 'container_id', 'cpu'];

/** Those of them that may hold what is unique in the world: the UID of a pod, or the ID of a container. */
const IDENTIFYING_LABELS = ['id', 'name', 'uid', 'pod_uid', 'container_id'];

/** UUIDs, also with the `_` of a systemd unit, and hashes. The path of a cgroup as such is the same on many machines. */
const UNIQUE = /[0-9a-f]{8}([-_])[0-9a-f]{4}(?:\1[0-9a-f]{4}){2}\1[0-9a-f]{12}|[0-9a-f]{32,}/g;

/**
 * Labels that tell who has scraped a thing, and where: Prometheus and its operator add them, replicas of Prometheus,
 * federations, and OpenTelemetry. They differ between copies, and between clusters as well.
 */
const SCRAPE_LABEL =
  /^(?:exported_)?(?:job|instance|endpoint|service|metrics_path|scheme|prometheus)$|(?:^|[._])(?:node|host)(?:[._]?name)?$|^server[._](?:address|port)$|^service[._]instance[._]id$|replica/;

/** What cAdvisor on its own says of a container in the words of its runtime: the pod, for example. */
const RUNTIME = 'container_label_';

/** Whether a label may name the cluster by its meaning, and not only by chance. */
export const isScrapeLabel = (label: string): boolean => SCRAPE_LABEL.test(label);

/** A label in which series of the same thing differ. */
export interface DifferingLabel {
  readonly label: string;
  /** Sorted; an empty text where the label is absent. */
  readonly values: readonly string[];
}

/**
 * The labels that tell clusters apart, the best first: another value of the label means another thing.
 *
 * Identifiers decide where the series have any: copies have them in common. Elsewhere it is the label itself: replicas and
 * jobs make copies; a label of another meaning is about another cluster, unless one of the copies just lacks it.
 *
 * @param series some of them, with all of their labels.
 * @param identity the labels by which a query tells things apart.
 */
export function clusterLabelsOf(series: readonly Labels[], identity: readonly string[]): readonly string[] {
  const votes = new Map<string, { clusters: number; copies: number; values: Set<string> }>();
  for (const same of thingsOf(series, identity)) {
    const differing = differingLabels(same);
    const isScrapedTwice = differing.some(({ label }) => isScrapeLabel(label));
    for (const { label, values } of differing) {
      if (identity.some((own) => label === own || label === `exported_${own}`) || label.startsWith(RUNTIME)) continue;
      const vote = votes.get(label) ?? { clusters: 0, copies: 0, values: new Set<string>() };
      votes.set(label, vote);
      for (const value of values) vote.values.add(value);
      const isCopy =
        sharesIdentifiers(same, label) ?? (isScrapeLabel(label) || (isScrapedTwice && values.includes('')));
      if (isCopy) vote.copies++;
      else vote.clusters++;
    }
  }
  const rank = (label: string) => (isScrapeLabel(label) ? 2 : /cluster/i.test(label) ? 0 : 1);
  return [...votes]
    .filter(([, { clusters, copies }]) => clusters > copies)
    .sort(
      ([a, one], [b, two]) =>
        rank(a) - rank(b) || two.clusters - one.clusters || one.values.size - two.values.size || (a < b ? -1 : 1),
    )
    .map(([label]) => label);
}

/** The labels, except those of a run, in which series of one of the things differ, with the values of all such things. */
export function differingOf(series: readonly Labels[], identity: readonly string[]): readonly DifferingLabel[] {
  const found = new Map<string, Set<string>>();
  for (const same of thingsOf(series, identity)) {
    for (const { label, values } of differingLabels(same)) {
      found.set(label, new Set([...(found.get(label) ?? []), ...values]));
    }
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, values]) => ({ label, values: [...values].sort() }));
}

/** The series of each thing. */
function thingsOf(series: readonly Labels[], identity: readonly string[]): Iterable<readonly Labels[]> {
  return groupBy(series, (labels) => JSON.stringify(identity.map((label) => labels[label]))).values();
}

function differingLabels(series: readonly Labels[]): readonly DifferingLabel[] {
  const names = new Set(series.flatMap((labels) => Object.keys(labels)));
  return [...names]
    .filter((label) => !RUN_LABELS.includes(label))
    .map((label) => ({ label, values: valuesOf(series, label) }))
    .filter(({ values }) => values.length > 1);
}

/** The values that a label has, sorted; an empty text where it is absent. */
export const valuesOf = (series: readonly Labels[], label: string): string[] =>
  [...new Set(series.map((labels) => labels[label] ?? ''))].sort();

/** Whether series with different values of a label have identifiers in common; `undefined` where some have none. */
function sharesIdentifiers(series: readonly Labels[], label: string): boolean | undefined {
  const seen = new Set<string>();
  let isShared = false;
  for (const part of groupBy(series, (labels) => labels[label] ?? '').values()) {
    const identifiers = new Set(part.flatMap(identifiersOf));
    if (identifiers.size === 0) return undefined;
    for (const identifier of identifiers) {
      isShared ||= seen.has(identifier);
      seen.add(identifier);
    }
  }
  return isShared;
}

function identifiersOf(labels: Labels): readonly string[] {
  return IDENTIFYING_LABELS.flatMap((label) => labels[label]?.match(UNIQUE) ?? []).map((text) =>
    text.replaceAll('_', '-'),
  );
}
