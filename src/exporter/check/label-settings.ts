/** Which settings suit the labels of cAdvisor's series. */

import { listed } from '../../lib/text/format.js';
import { containerLabelBeside } from '../features/queries/template.js';
import type { Labels } from '../prometheus/api.js';
import type { Conditions } from './facts.js';

/** What a label names. */
const ROLES = ['namespace', 'pod', 'container'] as const;

type Names = Readonly<Record<(typeof ROLES)[number], string>>;

/** By the names that kubelets, cAdvisor on its own, and OpenTelemetry use. */
const NAMED: Readonly<Record<keyof Names, RegExp>> = {
  namespace: /(?:^|_)namespace(?:_?name)?$/i,
  pod: /(?:^|_)pod(?:_?name)?$/i,
  container: /(?:^|_)container(?:_?name)?$/i,
};

/**
 * The settings with which the labels of a series are found, as `POD_LABEL=pod_name`; none where those that count do, or
 * where nothing in the series looks like what they miss.
 *
 * @param labels of one series, or those of which it is known that they are right.
 */
export function labelSettings(
  labels: Labels,
  { namespaceLabel, podLabel, containerLabel }: Pick<Conditions, 'namespaceLabel' | 'podLabel' | 'containerLabel'>,
): readonly string[] {
  const now: Names = {
    namespace: namespaceLabel,
    pod: podLabel,
    container: containerLabel ?? containerLabelBeside(podLabel),
  };
  const right = Object.fromEntries(ROLES.map((role) => [role, labelOf(role, labels, now[role])])) as Names;
  const beside =
    right.pod === now.pod && containerLabel !== undefined ? containerLabel : containerLabelBeside(right.pod);
  return [
    ...(right.namespace === now.namespace ? [] : [`NAMESPACE_LABEL=${right.namespace}`]),
    ...(right.pod === now.pod ? [] : [`POD_LABEL=${right.pod}`]),
    ...(right.container === beside ? [] : [`CONTAINER_LABEL=${right.container}`]),
  ];
}

function labelOf(role: keyof Names, labels: Labels, now: string): string {
  const exported = `exported_${role}`;
  if (labels[exported] !== undefined) return exported;
  if (labels[now] !== undefined) return now;
  return (
    Object.keys(labels)
      .sort()
      .find((label) => NAMED[role].test(label)) ?? now
  );
}

/** That series have the labels of what was scraped in the place of their own. */
export function exportedSentence(metric: string, exported: readonly string[]): string {
  const taken = exported.map((label) => label.slice('exported_'.length));
  return (
    `The ${taken.length === 1 ? 'label' : 'labels'} ${listed(taken)} of ${metric} ${taken.length === 1 ? 'is that' : 'are those'} of ` +
    `the target that Prometheus scrapes; ${taken.length === 1 ? 'that of the pod is' : 'those of the pod are'} in ${listed(exported)}.`
  );
}
