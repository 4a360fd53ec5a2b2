/** Whether the series have the names that the settings say, and the labels that tell pods apart. */

import { counted, examples, formatPercent, listed } from '../../../lib/text/format.js';
import { PROMOTED_ATTRIBUTES } from '../../features/opentelemetry/names.js';
import { labelNamesOf } from '../../features/queries/template.js';
import { checkOf, type Judgement } from '../check-definition.js';
import type { Conditions, Facts, NamesFacts } from '../facts.js';
import type { Finding } from '../finding.js';
import { labelSettings } from '../label-settings.js';

const WHOSE = {
  cadvisor: 'cAdvisor',
  opentelemetry: 'an OpenTelemetry Collector',
} as const;

/** What Prometheus has to do with the attributes of resources, and what the Collector has to do that writes to it otherwise. */
const PROMOTE =
  `In the configuration of Prometheus, set otlp: {promote_resource_attributes: [${PROMOTED_ATTRIBUTES.join(', ')}]}. ` +
  'Where the exporter prometheusremotewrite of the Collector writes, set resource_to_telemetry_conversion: {enabled: true} there.';

/** More than this share of counters does not begin again several times in ten minutes. */
const MOST_FALLING = 0.5;

export const metricsSource = checkOf(
  'metrics_source',
  ({ names }) => names,
  (names, _, conditions): Judgement => {
    const mistake = namesMistake(names, conditions);
    if (mistake !== undefined) return mistake;
    if (names.fallingShare > MOST_FALLING) {
      return {
        severity: 'error',
        summary:
          `${formatPercent(names.fallingShare)} of the counters of CPU fall again and again: they hold what was added since the ` +
          'value before (delta temporality), not sums.',
        meaning: 'The rate of such values is wrong, and so is all CPU.',
        advice:
          'Remove the processor cumulativetodelta from the pipeline of the Collector, or start Prometheus with ' +
          '--enable-feature=otlp-deltatocumulative instead of otlp-native-delta-ingestion.',
      };
    }
    return {
      severity: 'ok',
      summary: `METRICS_SOURCE=${conditions.metricsSource}: metrics have the names of ${WHOSE[conditions.metricsSource]}.`,
    };
  },
);

/** Whether that check says why series are missing. */
export function areNamesWrong({ names }: Facts, conditions: Conditions): boolean {
  return names.known && namesMistake(names.value, conditions) !== undefined;
}

function namesMistake(
  { found, podsOfTargetInfo }: NamesFacts,
  conditions: Conditions,
): Omit<Finding, 'check'> | undefined {
  if (found === undefined) return undefined;
  const isCollector = found.metricsSource === 'opentelemetry';
  const settings = [
    ...(found.metricsSource === conditions.metricsSource ? [] : [`METRICS_SOURCE=${found.metricsSource}`]),
    ...(isCollector && found.otlpTranslation !== conditions.otlpTranslation
      ? [`OTLP_TRANSLATION_STRATEGY=${found.otlpTranslation}`]
      : []),
  ];
  const series = `${counted(found.series, 'series', 'series')} of ${found.metric}`;
  const lost = isCollector ? lostLabels(found, conditions, settings.length > 0) : [];
  if (settings.length === 0 && lost.length === 0) return undefined;
  const wrong = `Prometheus has ${series}: the names of ${WHOSE[found.metricsSource]}, and not those of the settings.`;
  const labels =
    examples(
      Object.keys(found.example)
        .filter((label) => label !== '__name__')
        .sort(),
      12,
    ) || 'none';
  const merged =
    `${settings.length > 0 ? 'They have' : `Prometheus has ${series}, but with`} no ${lost.length === 1 ? 'label' : 'labels'} ` +
    `${listed(lost)} (labels of one: ${labels}): the attributes of resources are not labels, and what differs in them alone ` +
    `is written into one series.${podsOfTargetInfo > 0 ? ` target_info names ${counted(podsOfTargetInfo, 'pod')}.` : ''}`;
  return {
    severity: 'error',
    summary: [settings.length > 0 ? wrong : '', lost.length > 0 ? merged : ''].filter(Boolean).join(' '),
    meaning: 'No pod can be scored.',
    advice: [settings.length > 0 ? `Set ${listed(settings)}.` : '', lost.length > 0 ? PROMOTE : '']
      .filter(Boolean)
      .join(' '),
  };
}

/** The labels that name things and that the series do not have under any name. */
function lostLabels(
  { example, ...names }: NonNullable<NamesFacts['found']>,
  conditions: Conditions,
  isOther: boolean,
): readonly string[] {
  // Of other names, what is set says nothing.
  const labels = labelNamesOf(isOther ? names : conditions);
  // A relabelling may have given them other names, which a check of its own finds.
  if (!isOther && labelSettings(example, conditions).length > 0) return [];
  return Object.values(labels).filter((label) => example[label] === undefined);
}
