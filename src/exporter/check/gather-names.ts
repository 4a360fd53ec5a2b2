/** Asks by which names the CPU of containers is there, where nothing is found by those of the settings. */

import { attributeLabel, METRICS_SOURCES, metricName, TRANSLATIONS } from '../features/opentelemetry/names.js';
import { TARGET_INFO } from '../features/opentelemetry/queries.js';
import { addMatchers } from '../features/queries/matchers.js';
import { labelText, matcherOf } from '../features/queries/promql.js';
import type { QueryOptions, SourceNames } from '../features/queries/template.js';
import type { Asker } from './asker.js';
import type { Answered } from './check-definition.js';
import type { NamesFacts, SourceFacts } from './facts.js';

/** What a source calls the CPU that containers have taken. */
interface Naming extends Required<Pick<SourceNames, 'metricsSource' | 'otlpTranslation'>> {
  readonly metric: string;
}

const NAMINGS: readonly Naming[] = METRICS_SOURCES.flatMap((metricsSource): Naming[] =>
  metricsSource === 'cadvisor'
    ? [{ metricsSource, otlpTranslation: TRANSLATIONS[0], metric: 'container_cpu_usage_seconds_total' }]
    : TRANSLATIONS.map((otlpTranslation) => ({
        metricsSource,
        otlpTranslation,
        metric: metricName('container.cpu.time', otlpTranslation),
      })),
);

/** A counter of CPU does not fall more often than this within ten minutes. Half of all deltas are less than the one before. */
const MOST_RESETS = 3;

/** @param names those of the settings, with the matchers of all queries. */
export async function gatherNames(
  asker: Asker,
  { matchers = '', ...names }: SourceNames & Partial<Pick<QueryOptions, 'matchers'>>,
  sources: readonly SourceFacts[],
  answers: readonly Answered[],
): Promise<NamesFacts> {
  const required = sources.filter((source) => source.required);
  const isFound =
    required.every(({ series }) => !series.known || series.value > 0) &&
    answers.every(({ feature, unlabelled }) => !feature.required || unlabelled === 0);
  const { metricsSource = 'cadvisor', otlpTranslation = TRANSLATIONS[0] } = names;
  const isSet = (one: Naming) =>
    one.metricsSource === metricsSource && (metricsSource === 'cadvisor' || one.otlpTranslation === otlpTranslation);
  if (isFound) {
    const own = NAMINGS.find(isSet);
    const cpu = required.find(({ selector }) => selector.metric === own?.metric);
    const isCounter = metricsSource === 'opentelemetry' && cpu !== undefined;
    const fallingShare = isCounter
      ? await asker.number(`count(resets(${cpu.selector.text}[10m]) > ${MOST_RESETS}) / count(${cpu.selector.text})`)
      : 0;
    return { found: undefined, podsOfTargetInfo: 0, fallingShare };
  }
  const found = await firstFound(asker, matchers, [...NAMINGS.filter(isSet), ...NAMINGS.filter((one) => !isSet(one))]);
  if (found?.metricsSource !== 'opentelemetry') return { found, podsOfTargetInfo: 0, fallingShare: 0 };
  const pod = labelText(attributeLabel('k8s.pod.name', found.otlpTranslation));
  const podsOfTargetInfo = await asker.number(
    `count(count by (${pod}) (${addMatchers(`${TARGET_INFO}{${pod}!=""}`, matchers)}))`,
  );
  return { found, podsOfTargetInfo, fallingShare: 0 };
}

async function firstFound(asker: Asker, matchers: string, namings: readonly Naming[]): Promise<NamesFacts['found']> {
  for (const naming of namings) {
    // A name with dots stands in a matcher, which every server takes.
    const selector = addMatchers(`{${matcherOf('__name__', naming.metric)}}`, matchers);
    const series = await asker.number(`count(${selector})`);
    if (series === 0) continue;
    const { labels } = await asker.instant(`topk(1, ${selector})`);
    return { ...naming, series, example: labels[0] ?? {} };
  }
  return undefined;
}
