/** What `kubectl apply -k` would send, and whether the API server would take it. */

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type IPrometheusRule,
  type IServiceMonitor,
  PrometheusRule,
  ServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment, type IDeployment, type IStatefulSet, StatefulSet } from 'kubernetes-models/apps/v1';
import { type INetworkPolicy, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { type IPodDisruptionBudget, PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import {
  ClusterRoleBinding,
  type IClusterRoleBinding,
  type IRole,
  type IRoleBinding,
  Role,
  RoleBinding,
} from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import {
  ConfigMap,
  type IConfigMap,
  type INamespace,
  type IPersistentVolumeClaim,
  type IService,
  type IServiceAccount,
  Namespace,
  PersistentVolumeClaim,
  Service,
  ServiceAccount,
} from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';
import type { z } from 'zod';
import type { CodeVariant } from '../../scripts/code-archive.js';
import { clusterPodMonitoring, clusterRules } from './google-objects.js';

/** The kinds of objects that we deploy. */
export interface Kinds {
  readonly ClusterPodMonitoring: z.infer<typeof clusterPodMonitoring>;
  readonly ClusterRoleBinding: IClusterRoleBinding;
  readonly ClusterRules: z.infer<typeof clusterRules>;
  readonly ConfigMap: IConfigMap;
  readonly Deployment: IDeployment;
  readonly Namespace: INamespace;
  readonly NetworkPolicy: INetworkPolicy;
  readonly PersistentVolumeClaim: IPersistentVolumeClaim;
  readonly PodDisruptionBudget: IPodDisruptionBudget;
  readonly PrometheusRule: IPrometheusRule;
  readonly Role: IRole;
  readonly RoleBinding: IRoleBinding;
  readonly Service: IService;
  readonly ServiceAccount: IServiceAccount;
  readonly ServiceMonitor: IServiceMonitor;
  readonly StatefulSet: IStatefulSet;
}

type Kind = keyof Kinds;

/** Groups that have the kinds of the Prometheus Operator under another name: Azure Monitor, and an operator of OpenShift. */
const SAME_AS_OPERATOR = /^(?:azmonitoring\.coreos\.com|monitoring\.rhobs)(?=\/)/;

/** Checks types and required fields, by the schemas of the API. They let unknown fields pass. */
const VALIDATORS: { readonly [Name in Kind]: (object: Kinds[Name]) => void } = {
  ClusterPodMonitoring: (object) => void clusterPodMonitoring.parse(object),
  ClusterRules: (object) => void clusterRules.parse(object),
  ClusterRoleBinding: (object) => new ClusterRoleBinding(object).validate(),
  ConfigMap: (object) => new ConfigMap(object).validate(),
  Deployment: (object) => new Deployment(object).validate(),
  Namespace: (object) => new Namespace(object).validate(),
  NetworkPolicy: (object) => new NetworkPolicy(object).validate(),
  PersistentVolumeClaim: (object) => new PersistentVolumeClaim(object).validate(),
  PodDisruptionBudget: (object) => new PodDisruptionBudget(object).validate(),
  PrometheusRule: (object) => new PrometheusRule(object).validate(),
  Role: (object) => new Role(object).validate(),
  RoleBinding: (object) => new RoleBinding(object).validate(),
  Service: (object) => new Service(object).validate(),
  ServiceAccount: (object) => new ServiceAccount(object).validate(),
  ServiceMonitor: (object) => new ServiceMonitor(object).validate(),
  StatefulSet: (object) => new StatefulSet(object).validate(),
};

const GOOGLE = { ClusterPodMonitoring: clusterPodMonitoring, ClusterRules: clusterRules };
const CORE = 'kubernetes-models';
const OPERATOR = '@kubernetes-models/prometheus-operator';
/** Where the types of the compiler are. The kinds of Google have none, and a schema that knows all fields. */
const MODULES: Readonly<Record<Exclude<Kind, keyof typeof GOOGLE>, string>> = {
  ClusterRoleBinding: `${CORE}/rbac.authorization.k8s.io/v1`,
  ConfigMap: `${CORE}/v1`,
  Deployment: `${CORE}/apps/v1`,
  Namespace: `${CORE}/v1`,
  NetworkPolicy: `${CORE}/networking.k8s.io/v1`,
  PersistentVolumeClaim: `${CORE}/v1`,
  PodDisruptionBudget: `${CORE}/policy/v1`,
  PrometheusRule: `${OPERATOR}/monitoring.coreos.com/v1`,
  Role: `${CORE}/rbac.authorization.k8s.io/v1`,
  RoleBinding: `${CORE}/rbac.authorization.k8s.io/v1`,
  Service: `${CORE}/v1`,
  ServiceAccount: `${CORE}/v1`,
  ServiceMonitor: `${OPERATOR}/monitoring.coreos.com/v1`,
  StatefulSet: `${CORE}/apps/v1`,
};

/** An object as kustomize prints it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** A copy of `deploy`, with what npm scripts generate into it; the one in the repository stays as it is. */
export interface DeployFolder {
  readonly path: string;
  remove(): void;
}

/** The component that each variant of the code goes into. */
export const COMPONENTS: Readonly<Record<CodeVariant, string>> = {
  installed: 'no-image',
  bundled: 'no-image-bundled',
};

/** Copies `deploy` and, unless told, makes the ConfigMaps of the code, as `npm run configmap` does after the build. */
export function copyDeployFolder({ withCode = true } = {}): DeployFolder {
  const folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-deploy-'));
  const path = join(folder, 'deploy');
  const isGenerated = (file: string) => file.includes('code-from-npm-run-configmap');
  cpSync('deploy', path, { recursive: true, dereference: true, filter: (file) => !isGenerated(file) });
  const script = fileURLToPath(new URL('../../scripts/write-code-configmap.js', import.meta.url));
  for (const options of withCode ? [[], ['--bundled']] : []) {
    execFileSync(process.execPath, [script, '--deploy', path, ...options], { stdio: 'pipe' });
  }
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Builds a folder with a `kustomization.yaml`. */
export function kustomize(folder: string): readonly KubernetesObject[] {
  const text = execFileSync('kubectl', ['kustomize', folder], {
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
}

/** All objects of a kind. */
export function objectsOfKind<Name extends Kind>(
  objects: readonly KubernetesObject[],
  kind: Name,
): readonly (KubernetesObject & Kinds[Name])[] {
  return objects.filter((object): object is KubernetesObject & Kinds[Name] => object.kind === kind);
}

/** The only object of a kind. */
export function objectOfKind<Name extends Kind>(
  objects: readonly KubernetesObject[],
  kind: Name,
): KubernetesObject & Kinds[Name] {
  const [found, ...others] = objectsOfKind(objects, kind);
  if (found === undefined || others.length > 0) throw new Error(`Expected one ${kind}, got ${others.length + 1}`);
  return found;
}

/** The same object with the group of the Prometheus Operator, whose schema it has. */
function asOfOperator(object: KubernetesObject): KubernetesObject {
  return { ...object, apiVersion: object.apiVersion.replace(SAME_AS_OPERATOR, 'monitoring.coreos.com') };
}

/** What the API server would refuse in each object: wrong types and missing fields. */
export function schemaErrors(objects: readonly KubernetesObject[]): string[] {
  return objects.map(asOfOperator).flatMap((object) => {
    const name = `${object.kind}/${object.metadata.name}`;
    if (!(object.kind in VALIDATORS)) return [`${name}: no schema for this kind`];
    try {
      (VALIDATORS[object.kind as Kind] as (object: KubernetesObject) => void)(object);
      return [];
    } catch (error) {
      return [`${name}: ${error instanceof Error ? error.message : String(error)}`];
    }
  });
}

/**
 * What `kubectl` would refuse besides: fields that do not exist. The compiler knows them all: in an object literal it
 * accepts no field that the type lacks.
 */
export function unknownFields(objects: readonly KubernetesObject[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-types-'));
  try {
    const typed = objects.map(asOfOperator).filter(({ kind }) => !(kind in GOOGLE));
    const kinds = [...new Set(typed.map(({ kind }) => kind as keyof typeof MODULES))];
    const imports = kinds.map((kind) => `import type { I${kind} } from '${MODULES[kind]}';`);
    const constants = typed.map(
      (object, index) => `export const o${index}: I${object.kind} = ${JSON.stringify(object, known, 1)};`,
    );
    writeFileSync(join(folder, 'objects.ts'), [...imports, ...constants].join('\n'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023'];
    execFileSync(process.execPath, [resolve('node_modules/typescript/bin/tsc'), ...options, 'objects.ts'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return [];
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && String(error.stdout) !== '') {
      return String(error.stdout).trim().split('\n');
    }
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * For `JSON.stringify`: shortens long texts, which the compiler need not read, and leaves out `keep_firing_for`, which
 * is one release of the Prometheus Operator younger than the types (`promtool` checks it in the rules).
 */
function known(key: string, value: unknown): unknown {
  if (key === 'keep_firing_for') return undefined;
  return typeof value === 'string' && value.length > 1000 ? '…' : value;
}

/** The user and group of the Dockerfile, and the image that it builds upon. */
export function readDockerfile(): { readonly uid: number; readonly gid: number; readonly image: string } {
  const text = readFileSync('Dockerfile', 'utf8');
  const [, uid = '', gid = ''] = text.match(/^USER (\d+):(\d+)$/m) ?? [];
  const image = [...text.matchAll(/^FROM (\S+)/gm)].at(-1)?.[1] ?? '';
  return { uid: Number(uid), gid: Number(gid), image };
}
