/** What `helm install` would send, and why it would not. */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IContainer, IPodSpec } from 'kubernetes-models/v1';
import { parseAllDocuments, stringify } from 'yaml';
import { CHART_FOLDER } from '../../scripts/helm-chart/values.js';
import { type KubernetesObject, objectOfKind, objectsOfKind } from './kustomize.js';

/** Files with values, each with a comment that says what for. */
export const EXAMPLES_FOLDER = 'deploy/helm/examples';

/** Values as in a file of values. */
export type ChartValues = Readonly<Record<string, unknown>>;

export interface HelmRun {
  readonly values?: ChartValues;
  /** Files with values, which come before `values`. */
  readonly files?: readonly string[];
  readonly release?: string;
  /** The folder or the archive of the chart. */
  readonly chart?: string;
  /** More arguments. */
  readonly options?: readonly string[];
  readonly program?: 'helm' | 'helm-3';
}

/** `helm COMMAND` for the chart, without a cluster. */
export function helm(command: 'template' | 'lint', run: HelmRun = {}): { status: number | null; output: string } {
  const { values = {}, files = [], release = 'k8s-anomaly-detector', chart = CHART_FOLDER, options = [] } = run;
  const { program = 'helm' } = run;
  const folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-helm-'));
  try {
    const file = join(folder, 'values.yaml');
    // Helm reads YAML 1.1, where `off` is a boolean.
    writeFileSync(file, stringify(values, { version: '1.1' }));
    const own = command === 'lint' ? [] : [release];
    const { status, stdout, stderr } = spawnSync(
      program,
      [
        command,
        ...own,
        chart,
        '--namespace=monitoring',
        // A program from `go install` assumes an old release.
        '--kube-version=1.33.0',
        ...[...files, file].map((path) => `--values=${path}`),
        ...options,
      ],
      { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024, timeout: 60_000 },
    );
    return { status, output: status === 0 ? stdout : stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The objects of the chart. @throws Error with the reason if Helm rejects the values */
export function chartObjects(run: HelmRun = {}): readonly KubernetesObject[] {
  const { status, output } = helm('template', run);
  if (status !== 0) throw new Error(output);
  // As the API server's clients read it.
  return parseAllDocuments(output, { version: '1.1' }).map((document) => document.toJS() as KubernetesObject);
}

/** The notes after an installation. `helm template` leaves them out, so a copy of the chart has them in an object. */
export function chartNotes(run: HelmRun = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-notes-'));
  try {
    const chart = join(folder, 'chart');
    cpSync(CHART_FOLDER, chart, { recursive: true });
    renameSync(join(chart, 'templates/NOTES.txt'), join(chart, 'NOTES.txt'));
    writeFileSync(join(chart, 'templates/notes.yaml'), 'notes: {{ tpl (.Files.Get "NOTES.txt") . | toJson }}\n');
    const [object] = chartObjects({ ...run, chart, options: ['--show-only=templates/notes.yaml'] });
    return (object as unknown as { readonly notes: string }).notes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What runs the pods. */
export function workloadOf(objects: readonly KubernetesObject[]) {
  const [deployment] = objectsOfKind(objects, 'Deployment');
  return deployment ?? objectOfKind(objects, 'StatefulSet');
}

/** Its pods. */
export function podOf(objects: readonly KubernetesObject[]): IPodSpec {
  return expected('a template of pods', workloadOf(objects).spec?.template.spec);
}

/** The container of the exporter, which comes before those of the values. */
export function containerOf(objects: readonly KubernetesObject[]): IContainer {
  return expected('a container', podOf(objects).containers[0]);
}

/** The data of the ConfigMap with the settings. */
export function settingsOf(objects: readonly KubernetesObject[]): Readonly<Record<string, string>> {
  const maps = objectsOfKind(objects, 'ConfigMap').filter(({ metadata }) => metadata.name.endsWith('-settings'));
  return expected('the settings', maps[0]?.data);
}

function expected<Value>(what: string, value: Value | undefined): Value {
  if (value === undefined) throw new Error(`Expected ${what} among the objects.`);
  return value;
}
