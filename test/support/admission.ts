/** What tests of the admission by a real API server have in common: namespaces, definitions, and what is left in the end. */

import type { ClusterCommand } from './cluster-commands.js';
import type { ControlPlane } from './control-plane.js';
import { podOf } from './helm.js';
import type { KubernetesObject } from './kustomize.js';
import { eventually } from './waiting.js';

/** What each namespace has without us. */
const ALWAYS_THERE = ['configmap/kube-root-ca.crt', 'serviceaccount/default'];
/**
 * What the control plane notes of others and deletes later, what it warns of as deprecated, and, of a cluster, what tests make
 * and leave: namespaces, and volumes of those claims that are kept.
 */
const NOT_LISTED = ['events', 'events.events.k8s.io', 'endpoints', 'namespaces', 'persistentvolumes'];

/** A new namespace that admits, without a warning, what the profile `restricted` of Pod Security allows. */
export async function createRestrictedNamespace({ api }: ControlPlane, name: string): Promise<void> {
  const labels = Object.fromEntries(
    ['enforce', 'warn', 'audit'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']),
  );
  await api.create('/api/v1/namespaces', { metadata: { name, labels } });
  await eventually(() => api.get(`/api/v1/namespaces/${name}/serviceaccounts/default`));
}

/** Creates custom resource definitions and waits until the API server serves them. @param paths files or folders */
export async function createDefinitions(run: ClusterCommand, paths: readonly string[]): Promise<void> {
  const files = paths.flatMap((path) => ['-f', path]);
  await run('kubectl', ['apply', '--server-side', ...files]);
  await run('kubectl', ['wait', '--for=condition=Established', '--timeout=120s', ...files]);
}

/** A definition that takes every field, for resources whose own definition cannot be had. */
export function permissiveDefinition({ group, version, kind }: ResourceKind): object {
  const plural = `${kind.toLowerCase()}s`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: kind.startsWith('Cluster') ? 'Cluster' : 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
}

export interface ResourceKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What pods refer to besides the objects themselves: the API server or the scheduler asks for these. */
export async function createPrerequisites(
  { api }: ControlPlane,
  namespace: string,
  objects: readonly KubernetesObject[],
): Promise<void> {
  const isMissing = (kind: string, name: string | undefined): name is string =>
    name !== undefined && !objects.some((object) => object.kind === kind && object.metadata.name === name);
  const { serviceAccountName, volumes = [] } = podOf(objects);
  if (isMissing('ServiceAccount', serviceAccountName)) {
    await api.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: serviceAccountName } });
  }
  for (const { persistentVolumeClaim } of volumes) {
    const name = persistentVolumeClaim?.claimName;
    if (!isMissing('PersistentVolumeClaim', name)) continue;
    await api.create(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, {
      metadata: { name },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
  }
}

/** Everything in a namespace, of every kind that there is, such as `configmap/settings`; not what is there without us. */
export async function objectsIn(run: ClusterCommand, namespace: string): Promise<string[]> {
  const names = await namesOf(run, ['--namespaced', '--verbs=list'], ['--namespace', namespace]);
  return names.filter((name) => !ALWAYS_THERE.includes(name));
}

/** Everything that is in no namespace. */
export function objectsOfCluster(run: ClusterCommand): Promise<string[]> {
  return namesOf(run, ['--namespaced=false', '--verbs=list,create'], []);
}

async function namesOf(run: ClusterCommand, kinds: readonly string[], place: readonly string[]): Promise<string[]> {
  const { stdout: all } = await run('kubectl', ['api-resources', ...kinds, '--output=name']);
  const listed = all
    .trim()
    .split('\n')
    .filter((kind) => !NOT_LISTED.includes(kind));
  const { stdout: names } = await run('kubectl', ['get', listed.join(), ...place, '--output=name']);
  return names.split('\n').filter((name) => name !== '');
}
