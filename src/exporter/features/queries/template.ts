/** PromQL with placeholders, and how the settings fill them. */

import { nearestName } from '../../../lib/text/nearest-name.js';
import {
  attributeLabel,
  type CollectorMetric,
  type MetricsSource,
  metricName,
  type Translation,
} from '../opentelemetry/names.js';
import { labelText, type OffsetMistake, quotePromql } from './promql.js';
import { sourceSelectors } from './selectors.js';

/** What the placeholders stand for: the settings that queries depend on. */
export interface QueryOptions {
  /** Whose names the series have; those of cAdvisor and kube-state-metrics if unset. */
  readonly metricsSource?: MetricsSource;
  /** How the names of OpenTelemetry were translated; as Prometheus does it if unset. */
  readonly otlpTranslation?: Translation;
  /** Anchored RE2 for the namespaces in scope. */
  readonly namespaceRegex: string;
  /** The label that carries the pod's name in cAdvisor's series: `pod`, or `pod_name` before Kubernetes 1.16. */
  readonly podLabel: string;
  /** The labels that carry the namespace and the container there; `namespace`, and what goes with `podLabel`, if unset. */
  readonly namespaceLabel?: string;
  readonly containerLabel?: string | undefined;
  /** The window of the CPU rate, a Prometheus duration: `1m`. */
  readonly cpuRateWindow: string;
  /** What counts as memory; `usage` if unset. */
  readonly memoryMetric?: MemoryMetric;
  /** Label matchers for every selector of every query, as `parseMatchers` gives them; none if unset. */
  readonly matchers?: string;
}

/** Which names the series of a source have, and which labels name the things in them. */
export type SourceNames = Pick<
  QueryOptions,
  'metricsSource' | 'otlpTranslation' | 'namespaceLabel' | 'containerLabel'
> &
  Partial<Pick<QueryOptions, 'podLabel'>>;

/** What limits the queries that no feature asks. */
export type QueryScope = Pick<QueryOptions, 'namespaceRegex' | 'matchers' | 'memoryMetric'> & SourceNames;

/** A template whose placeholders are filled. */
export interface FilledTemplate {
  /** The text; a placeholder that is a mistake stands as it was written. */
  readonly text: string;
  /** Offsets count in the template, in UTF-16 code units. */
  readonly mistakes: readonly OffsetMistake[];
  /** The names of the placeholders in the template. */
  readonly placeholders: ReadonlySet<string>;
  /** Where in the template a character of the text comes from; the start of a placeholder for all that fills it. */
  templateOffset(textOffset: number): number;
}

/** What cAdvisor has of the memory of a container: all of it, all but inactive page cache, and what is no page cache. */
export const MEMORY_METRICS = {
  usage: 'container_memory_usage_bytes',
  working_set: 'container_memory_working_set_bytes',
  rss: 'container_memory_rss',
} as const;

export type MemoryMetric = keyof typeof MEMORY_METRICS;

/** What each is, in words that people know. */
export const MEMORY_WORDS: Readonly<Record<MemoryMetric, string>> = {
  usage: 'including page cache',
  working_set: 'working set',
  rss: 'without page cache',
};

/** What the receiver kubeletstats has of it. */
export const COLLECTOR_MEMORY: Readonly<Record<MemoryMetric, CollectorMetric>> = {
  usage: 'container.memory.usage',
  working_set: 'container.memory.working_set',
  rss: 'container.memory.rss',
};

/** The metric as the source calls it. */
export function memoryMetricName(metric: MemoryMetric, names: SourceNames): string {
  return names.metricsSource === 'opentelemetry'
    ? metricName(COLLECTOR_MEMORY[metric], names.otlpTranslation)
    : MEMORY_METRICS[metric];
}

/** What counts as memory in a query, in those words; `undefined` where it reads none of the metrics, or several. */
export function memoryWordsOf(query: string, names: SourceNames = {}): string | undefined {
  const read = (Object.keys(MEMORY_METRICS) as MemoryMetric[]).filter((metric) =>
    sourceSelectors(query).some((selector) => selector.metric === memoryMetricName(metric, names)),
  );
  return read.length === 1 ? MEMORY_WORDS[read[0] as MemoryMetric] : undefined;
}

const PLACEHOLDERS: Readonly<Record<string, (options: QueryOptions) => string>> = {
  namespace_regex: ({ namespaceRegex }) => quotePromql(namespaceRegex).slice(1, -1),
  cpu_rate_window: ({ cpuRateWindow }) => cpuRateWindow,
  memory_metric: (options) => memoryMetricName(options.memoryMetric ?? 'usage', options),
  pod_label: (options) => labelText(labelNamesOf(options).pod),
  namespace_label: (options) => labelText(labelNamesOf(options).namespace),
  container_label: (options) => labelText(labelNamesOf(options).container),
};

/** The label that kube-state-metrics always has, and cAdvisor nearly always. */
export const NAMESPACE_LABEL = 'namespace';

/** The labels that name things in the series of containers. */
export interface LabelNames {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** Those that are set, or else those that the source has by itself. */
export function labelNamesOf({ metricsSource, otlpTranslation, ...set }: SourceNames): LabelNames {
  const own =
    metricsSource === 'opentelemetry'
      ? {
          namespace: attributeLabel('k8s.namespace.name', otlpTranslation),
          pod: attributeLabel('k8s.pod.name', otlpTranslation),
        }
      : { namespace: NAMESPACE_LABEL, pod: 'pod' };
  const { namespaceLabel: namespace = own.namespace, podLabel: pod = own.pod } = set;
  return { namespace, pod, container: set.containerLabel ?? containerLabelBeside(pod) };
}

/**
 * The label of the container in series whose pod is in `podLabel`: whatever surrounds the last word `pod` surrounds
 * `container`, as in `pod_name`, `exported_pod` and `k8s_pod_name`. `container` where there is no such word.
 */
export function containerLabelBeside(podLabel: string): string {
  const [, before, word, after] = /^(.*)(pod|Pod)(.*?)$/.exec(podLabel) ?? [];
  return word === undefined ? 'container' : `${before}${word === 'pod' ? 'container' : 'Container'}${after}`;
}

/** The label that carries the pod's name in the answers of a feature: the one that is named, or `{{pod_label}}`. */
export function podLabelOf(named: string, { podLabel }: Pick<QueryOptions, 'podLabel'>): string {
  return named.startsWith('{{') ? podLabel : named;
}

/** The names that may stand in `{{…}}`. */
export const PLACEHOLDER_NAMES: readonly string[] = Object.keys(PLACEHOLDERS);

/** A piece of a template: a placeholder, a comment, an escaped character or a single one. */
const PIECE = /\{\{[ \t]*(?<placeholder>[^{}\n]*?)[ \t]*\}\}|(?<comment>#[^\n]*)|(?<escaped>\\.)|./sy;

/**
 * Fills the placeholders of a template.
 *
 * The namespaces are escaped for a string in double quotes, and are accepted nowhere else, so that no value of
 * NAMESPACE_REGEX can leave its quotes. Comments are left as they are.
 */
export function fillTemplate(template: string, options: QueryOptions): FilledTemplate {
  let text = '';
  let quote: { readonly mark: string; readonly offset: number } | undefined;
  const placeholders = new Set<string>();
  const mistakes: OffsetMistake[] = [];
  /** Where the text and the template part: ascending, a pair for each start and each end of a placeholder. */
  const anchors = [{ text: 0, template: 0, fixed: false }];
  for (let offset = 0; offset < template.length; ) {
    PIECE.lastIndex = offset;
    const { 0: piece = template.charAt(offset), groups } = PIECE.exec(template) ?? {};
    const placeholder = groups?.placeholder;
    let taken = piece;
    if (placeholder !== undefined) {
      const fill = Object.hasOwn(PLACEHOLDERS, placeholder) ? PLACEHOLDERS[placeholder] : undefined;
      if (fill === undefined) mistakes.push({ offset, sentence: unknownPlaceholder(placeholder) });
      else if (placeholder === 'namespace_regex' && quote?.mark !== '"') {
        mistakes.push({ offset, sentence: NOT_IN_QUOTES });
      }
      placeholders.add(placeholder);
      anchors.push({ text: text.length, template: offset, fixed: true });
      text += fill === undefined ? piece : fill(options);
      anchors.push({ text: text.length, template: offset + piece.length, fixed: false });
    } else {
      // A comment has no meaning within a string, nor an escape outside of one or within backticks.
      const isWhole =
        quote === undefined ? groups?.comment !== undefined : groups?.escaped !== undefined && quote.mark !== '`';
      if (!isWhole) taken = template.charAt(offset);
      if (taken === quote?.mark) quote = undefined;
      else if (quote === undefined && /^["'`]$/.test(taken)) quote = { mark: taken, offset };
      text += taken;
    }
    offset += taken.length;
  }
  if (quote !== undefined) {
    const sentence = `expected a closing ${quote.mark} for the string that begins here, got the end of the query.`;
    mistakes.push({ offset: quote.offset, sentence });
  }
  return {
    text,
    mistakes,
    placeholders,
    templateOffset(textOffset) {
      const anchor = anchors.findLast(({ text: start }) => start <= textOffset);
      if (anchor === undefined) return textOffset;
      return anchor.fixed ? anchor.template : anchor.template + textOffset - anchor.text;
    },
  };
}

const NOT_IN_QUOTES =
  'expected `{{namespace_regex}}` between double quotes, where it is escaped, as in ' +
  '`namespace=~"{{namespace_regex}}"`; got it elsewhere.';

function unknownPlaceholder(name: string): string {
  const known = PLACEHOLDER_NAMES.map((placeholder) => `\`{{${placeholder}}}\``).join(', ');
  const meant = nearestName(name, PLACEHOLDER_NAMES);
  const advice = meant === undefined ? '' : ` Did you mean \`{{${meant}}}\`?`;
  return `expected one of the placeholders ${known}, got \`{{${name}}}\`.${advice}`;
}
