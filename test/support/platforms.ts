/** The platforms that have an overlay of the manifests and values of the chart for it (`docs/platforms.md`). */

import { join } from 'node:path';
import { chartObjects, EXAMPLES_FOLDER } from './helm.js';
import { type KubernetesObject, kustomize } from './kustomize.js';

export interface Platform {
  /** The name of the overlay, and of the file of values. */
  readonly name: string;
  readonly namespace: string;
}

export const PLATFORMS: readonly Platform[] = [
  { name: 'openshift', namespace: 'k8s-anomaly-detector' },
  { name: 'eks', namespace: 'monitoring' },
  { name: 'gke', namespace: 'monitoring' },
  { name: 'aks', namespace: 'monitoring' },
];

/** What `kubectl apply -k` would send. */
export function overlayOf({ name }: Platform): readonly KubernetesObject[] {
  return kustomize(join('deploy/kubernetes/overlays', name));
}

/** What `helm install -n NAMESPACE` would send. */
export function releaseOf({ name, namespace }: Platform): readonly KubernetesObject[] {
  return chartObjects({ files: [join(EXAMPLES_FOLDER, `${name}.yaml`)], options: [`--namespace=${namespace}`] });
}
