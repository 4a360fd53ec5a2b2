import { counted, examples, listed } from '../../../lib/text/format.js';
import { anyOf, checkOf, NO_SERIES } from '../check-definition.js';
import type { FeatureFacts, SourceFacts } from '../facts.js';

/** How many pods may be missing, since pods come and go between two scrapes. */
const TOLERATED_PODS = 2;
const TOLERATED_SHARE = 0.05;

/** Whether all features know the same pods. */
export const podCoverage = checkOf(
  'pod_coverage',
  ({ features }) => anyOf(features.map(({ answer }) => answer)),
  (_, { features, sources }) => {
    // A feature without any pod has a check of its own.
    const answered = features.flatMap(({ feature, answer }) =>
      answer.known && answer.value.pods.size > 0 ? [{ feature, ...answer.value }] : [],
    );
    const measured = new Set(
      answered.flatMap(({ feature, lasting }) => (feature.required ? [...lasting] : [])),
    );
    if (measured.size === 0) return NO_SERIES;
    const gaps = answered.flatMap(({ feature, pods }) => {
      const missing = [...measured].filter((pod) => !pods.has(pod)).sort();
      const tolerated = Math.max(TOLERATED_PODS, TOLERATED_SHARE * measured.size);
      return missing.length > tolerated ? [{ feature, missing }] : [];
    });
    const counts = listed(answered.map(({ feature, pods }) => `${feature.name} ${pods.size}`));
    if (gaps.length === 0) {
      return { severity: 'ok', summary: `The features cover the same pods (${counts}${ended(answered)}).` };
    }
    const required = gaps.filter(({ feature }) => feature.required).map(({ feature }) => feature.name);
    return {
      severity: 'warning',
      summary: `${gaps
        .map(
          ({ feature, missing }) =>
            `${counted(missing.length, 'pod')} of ${measured.size} ${missing.length === 1 ? 'is' : 'are'} without ${feature.name}: ${examples(missing)}.`,
        )
        .join(' ')} Pods with a value now: ${counts}.`,
      meaning:
        required.length > 0
          ? `Pods without ${listed(required)} are not scored.`
          : 'A missing value counts as 0.',
      advice:
        'Check whether every node is scraped (`up` of the kubelets and of kube-state-metrics), and whether a relabelling ' +
        `drops some pods.${gaps.some(({ feature }) => isFromKubeStateMetrics(feature.name, sources)) ? HONOR_LABELS : ''}`,
    };
  },
);

/** The job that scrapes kube-state-metrics must leave the labels as they are, or all pods seem to be its own. */
const HONOR_LABELS = ' The job that scrapes kube-state-metrics needs honor_labels: true.';

function isFromKubeStateMetrics(feature: string, sources: readonly SourceFacts[]): boolean {
  return sources.some(
    ({ features, selector }) => features.includes(feature) && selector.metric?.startsWith('kube_'),
  );
}

/** Pods that only optional features know have ended, or have not begun. */
function ended(
  answered: readonly (Pick<FeatureFacts, 'feature'> & { readonly pods: ReadonlySet<string> })[],
): string {
  const measured = new Set(answered.flatMap(({ feature, pods }) => (feature.required ? [...pods] : [])));
  const others = new Set(answered.flatMap(({ pods }) => [...pods].filter((pod) => !measured.has(pod))));
  return others.size === 0 ? '' : `; ${counted(others.size, 'pod')} without a running container`;
}
