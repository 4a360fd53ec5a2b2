/** Annotations and labels with which the owners of workloads tune the detector, as kube-state-metrics exports them. */

import { addMatchers } from '../features/queries/matchers.js';
import { quotePromql } from '../features/queries/promql.js';
import type { QueryScope } from '../features/queries/template.js';
import { isObjectName } from '../features/table.js';
import type { Labels, SeriesSet } from '../prometheus/api.js';

/** What the keys begin with: `k8s-anomaly-detector/ignore`. */
export const KEY_PREFIX = 'k8s-anomaly-detector/';

/** What an object can say, in the order of the documents. */
export const TUNING_KEYS = ['ignore', 'sensitivity', 'mute-until', 'mute'] as const;

export type TuningKey = (typeof TUNING_KEYS)[number];

/** Where an object says it. Of the same key, the annotation counts: a label cannot hold every value. */
export const KEY_SOURCES = ['annotation', 'label'] as const;

export type KeySource = (typeof KEY_SOURCES)[number];

/** The label that names an object of each kind. The least specific kind comes first; owners differ in nothing but their order. */
const NAME_LABELS = {
  namespace: 'namespace',
  cronjob: 'cronjob',
  daemonset: 'daemonset',
  deployment: 'deployment',
  job: 'job_name',
  statefulset: 'statefulset',
  pod: 'pod',
} as const;

export type ObjectKind = keyof typeof NAME_LABELS;

export const OBJECT_KINDS = Object.keys(NAME_LABELS) as readonly ObjectKind[];

/** One key of one object with its value, as it was written. */
export interface ObjectKey {
  readonly kind: ObjectKind;
  readonly namespace: string;
  /** The namespace itself for a namespace. */
  readonly name: string;
  readonly source: KeySource;
  readonly key: TuningKey;
  readonly value: string;
}

/** kube-state-metrics writes `k8s-anomaly-detector/mute-until` as `annotation_k8s_anomaly_detector_mute_until`. */
const seriesLabel = (source: KeySource, key: TuningKey) =>
  `${source}_${(KEY_PREFIX + key).replaceAll(/[^a-zA-Z0-9_]/g, '_')}`;

/**
 * The one query for all objects that have one of the keys, in the scope of the features.
 *
 * Without NAMESPACE_REGEX its selectors have no matcher for the namespace, so that a shard does not repeat its
 * namespaces in each of them: servers limit the length of a query, and few objects have such keys. A shard discards
 * those of others.
 */
export function buildAnnotationQuery({ namespaceRegex, matchers = '' }: QueryScope): string {
  const namespaces = namespaceRegex === '.*' ? '' : `,namespace=~${quotePromql(namespaceRegex)}`;
  const selectors = KEY_SOURCES.flatMap((source) =>
    TUNING_KEYS.map(
      (key) => `{__name__=~"kube_(${OBJECT_KINDS.join('|')})_${source}s",${seriesLabel(source, key)}!=""${namespaces}}`,
    ),
  );
  return addMatchers(selectors.join(' or '), matchers);
}

const METRIC_NAME = new RegExp(`^kube_(?<kind>${OBJECT_KINDS.join('|')})_(?<source>${KEY_SOURCES.join('|')})s$`);

/**
 * The keys in an answer to that query, by kind, namespace and name, and each key with the annotation before the label:
 * Prometheus answers in no order that replicas could rely on. Where two series of one object differ, as those of two
 * kube-state-metrics do for a while, the first value in the order of texts counts.
 */
export function readObjectKeys({ labels }: Pick<SeriesSet, 'labels'>): readonly ObjectKey[] {
  const keys = labels.flatMap(keysOf).sort((a, b) => compareTexts(orderOf(a), orderOf(b)));
  return keys.filter((key, index) => index === 0 || identityOf(key) !== identityOf(keys[index - 1] as ObjectKey));
}

/** What was known and is not named by an incomplete answer, with what the answer names, in the order of `readObjectKeys`. */
export function withKnownKeys(partial: readonly ObjectKey[], known: readonly ObjectKey[]): readonly ObjectKey[] {
  const named = new Set(partial.map(identityOf));
  const kept = known.filter((key) => !named.has(identityOf(key)));
  return [...partial, ...kept].sort((a, b) => compareTexts(orderOf(a), orderOf(b)));
}

function keysOf(labels: Labels): readonly ObjectKey[] {
  const { kind, source } = (METRIC_NAME.exec(labels.__name__ ?? '')?.groups ?? {}) as Partial<ObjectKey>;
  if (kind === undefined || source === undefined) return [];
  // Not by the labels alone: those of the scrape may name the pod of kube-state-metrics itself.
  const { namespace = '', [NAME_LABELS[kind]]: name = '' } = labels;
  if (!isObjectName(namespace) || !isObjectName(name)) return [];
  return TUNING_KEYS.flatMap((key) => {
    const value = labels[seriesLabel(source, key)] ?? '';
    return value === '' ? [] : [{ kind, namespace, name, source, key, value }];
  });
}

/** Names hold no control characters (`isObjectName`). */
const identityOf = ({ kind, namespace, name, source, key }: ObjectKey) =>
  [OBJECT_KINDS.indexOf(kind), namespace, name, TUNING_KEYS.indexOf(key), source].join('\0');

const orderOf = (key: ObjectKey) => `${identityOf(key)}\0${key.value}`;

const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
