/** The values of the Helm chart, read from `values.yaml` with the comments that describe them. */

import { readFileSync } from 'node:fs';
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

/** The folder of the chart. Tests and scripts run in the root of the repository. */
export const CHART_FOLDER = 'deploy/helm/k8s-anomaly-detector';

/** A value that people can set, or a section of values. */
export interface ChartValue {
  readonly name: string;
  /** The comment above it, as one paragraph of Markdown; empty for a section. */
  readonly description: string;
  /** What it is if nobody sets it. */
  readonly fallback: unknown;
  /** The values of a section; empty for a value. */
  readonly children: readonly ChartValue[];
}

/** The values in the order of the file. A map is a section if it has comments inside and none above it. */
export function readChartValues(): readonly ChartValue[] {
  const document = parseDocument(readFileSync(`${CHART_FOLDER}/values.yaml`, 'utf8'));
  const [failure] = document.errors;
  if (failure !== undefined) throw failure;
  if (!isMap(document.contents)) throw new Error('Expected a map of values.');
  return valuesOf(document.contents as Values);
}

type Values = YAMLMap<unknown, unknown>;

function valuesOf(map: Values): readonly ChartValue[] {
  return map.items.map((item, index) => {
    const name = nameOf(item);
    // The parser gives the comment above the first key to the map.
    const comment = (isScalar(item.key) ? item.key.commentBefore : undefined) ?? (index === 0 ? map.commentBefore : '');
    // Above the first one, the comment about the whole file comes first.
    const description = (comment?.split(/\n *\n/).at(-1) ?? '').replaceAll(/\s+/g, ' ').trim();
    const isSection = description === '' && isMap(item.value);
    const { value } = item;
    return {
      name,
      description,
      fallback: (value as { toJSON(): unknown } | null)?.toJSON() ?? null,
      children: isSection ? valuesOf(value as Values) : [],
    };
  });
}

function nameOf({ key }: Pair<unknown, unknown>): string {
  if (!isScalar(key)) throw new Error('Expected a name.');
  return String(key.value);
}
