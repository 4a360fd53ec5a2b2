/** Objects of Kubernetes, as short as the API server takes them. */

/** A container of a pod. */
export interface ContainerSpec {
  readonly name?: string;
  readonly image?: string;
  /** Such as `{ cpu: '1', memory: '1Gi' }`. */
  readonly limits?: Readonly<Record<string, string>>;
  readonly requests?: Readonly<Record<string, string>>;
  /** `Always` makes a native sidecar of an init container. */
  readonly restartPolicy?: 'Always';
}

export interface PodSpec {
  /** One with the name `app` if unset. */
  readonly containers?: readonly ContainerSpec[];
  readonly initContainers?: readonly ContainerSpec[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  /** More of the specification. */
  readonly more?: object;
}

export interface Meta {
  readonly namespace: string;
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

const container = ({
  name = 'app',
  image = `registry.example.com/${name}:1.0`,
  limits,
  requests,
  ...rest
}: ContainerSpec) => ({
  name,
  image,
  ...rest,
  ...((limits ?? requests) && { resources: { ...(limits && { limits }), ...(requests && { requests }) } }),
});

function podSpec({ containers = [{}], initContainers = [], restartPolicy, more }: PodSpec) {
  return {
    containers: containers.map(container),
    ...(initContainers.length > 0 && { initContainers: initContainers.map(container) }),
    ...(restartPolicy && { restartPolicy }),
    terminationGracePeriodSeconds: 1,
    ...more,
  };
}

const template = (app: string, pod: PodSpec) => ({
  metadata: { labels: { app }, ...(pod.annotations && { annotations: pod.annotations }) },
  spec: podSpec(pod),
});

/** Labels have at most 63 characters, and names more. */
const appOf = ({ name }: Meta) => name.slice(0, 63);

const selected = (kind: string, metadata: Meta, pod: PodSpec, spec: object) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata,
  spec: { selector: { matchLabels: { app: appOf(metadata) } }, template: template(appOf(metadata), pod), ...spec },
});

export const namespace = (name: string, annotations: Meta['annotations'] = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, annotations },
});

/** @param spec more of its specification. */
export const deployment = (metadata: Meta, pod: PodSpec = {}, spec: object = {}) =>
  selected('Deployment', metadata, pod, { replicas: 2, ...spec });

export const replicaSet = (metadata: Meta, pod: PodSpec = {}) => selected('ReplicaSet', metadata, pod, { replicas: 1 });

export const statefulSet = (metadata: Meta, pod: PodSpec = {}, spec: object = {}) =>
  selected('StatefulSet', metadata, pod, { replicas: 2, serviceName: metadata.name, ...spec });

export const daemonSet = (metadata: Meta, pod: PodSpec = {}) => selected('DaemonSet', metadata, pod, {});

const jobSpec = (metadata: Meta, pod: PodSpec, spec: object) => ({
  template: template(appOf(metadata), { restartPolicy: 'Never', ...pod }),
  backoffLimit: 0,
  ...spec,
});

export const job = (metadata: Meta, pod: PodSpec = {}, spec: object = {}) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata,
  spec: jobSpec(metadata, pod, spec),
});

export const cronJob = (metadata: Meta, schedule: string, pod: PodSpec = {}, spec: object = {}) => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata,
  spec: { schedule, jobTemplate: { spec: jobSpec(metadata, pod, spec) } },
});

export const pod = (metadata: Meta & { readonly ownerReferences?: readonly object[] }, spec: PodSpec = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata, annotations: { ...metadata.annotations, ...spec.annotations } },
  spec: podSpec(spec),
});
