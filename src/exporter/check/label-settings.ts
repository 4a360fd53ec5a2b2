/** Which settings suit the labels of cAdvisor's series. */

import { listed } from '../../lib/text/format.js';
import { containerLabelBeside } from '../features/queries/template.js';
import type { Labels } from '../prometheus/api.js';
import type { Conditions } from './facts.js';

/** What a label names. */
const ROLES = ['namespace', 'pod', 'container'] as const;

type Names = Readonly<Record<(typeof ROLES)[number], string>>;

/**
 * Labels that name the thing itself where the target that is scraped has labels of these roles as well: Prometheus renames
 * those of the series, unless `honor_labels` is set, and cAdvisor on its own writes what the container runtime says.
 */
const OWN: Readonly<Record<keyof Names, readonly string[]>> = {
  namespace: ['exported_namespace', 'container_label_io_kubernetes_pod_namespace'],
  pod: ['exported_pod', 'container_label_io_kubernetes_pod_name'],
  container: ['exported_container', 'container_label_io_kubernetes_container_name'],
};

/** Such labels of a series that also has one of the target for the same role. @param isOfTarget whether the target has that label. */
export function ownLabels(labels: Labels, isOfTarget: (role: string) => boolean): readonly string[] {
  return ROLES.filter(isOfTarget).flatMap((role) => OWN[role].find((label) => labels[label] !== undefined) ?? []);
}

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
  const own = OWN[role].find((label) => labels[label] !== undefined);
  if (own !== undefined) return own;
  if (labels[now] !== undefined) return now;
  return (
    Object.keys(labels)
      .sort()
      .find((label) => NAMED[role].test(label)) ?? now
  );
}

/** That series have the labels of what was scraped in the place of their own. @param own as of `ownLabels`. */
export function targetLabelsSentence(metric: string, own: readonly string[]): string {
  const taken = own.map((label) => ROLES.find((role) => OWN[role].includes(label)) ?? label);
  const [are, those] =
    own.length === 1 ? (['is that', 'that of the pod is'] as const) : (['are those', 'those of the pod are'] as const);
  return (
    `The ${own.length === 1 ? 'label' : 'labels'} ${listed(taken)} of ${metric} ${are} of ` +
    `the target that Prometheus scrapes; ${those} in ${listed(own)}.`
  );
}
