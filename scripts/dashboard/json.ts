/** The shipped dashboard, read from the file as Grafana reads it. */

import { readFileSync } from 'node:fs';

// This file runs as dist/scripts/dashboard/json.js.
export const DASHBOARD_FILE = new URL('../../../deploy/grafana/dashboard.json', import.meta.url);

/** The copy in the Helm chart, which can read only files of its own folder: the same without line breaks. */
export const CHART_DASHBOARD_FILE = new URL(
  '../../../deploy/helm/k8s-anomaly-detector/files/dashboard.json',
  import.meta.url,
);

/** The parts that the tests use. */
export interface DashboardJson {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly (PanelJson | RowJson)[];
  readonly templating: { readonly list: readonly VariableJson[] };
  readonly annotations: { readonly list: readonly AnnotationJson[] };
}

export interface RowJson {
  readonly type: 'row';
  readonly id: number;
  readonly title: string;
  readonly collapsed: boolean;
  readonly gridPos: GridPosition;
  /** The panels of a collapsed row; those of an open one follow it in the list. */
  readonly panels: readonly PanelJson[];
}

export interface PanelJson {
  readonly type: 'stat' | 'timeseries' | 'table' | 'state-timeline';
  readonly id: number;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: GridPosition;
  readonly targets: readonly TargetJson[];
  readonly transformations?: readonly { readonly id: string; readonly options: unknown }[];
  readonly fieldConfig: {
    readonly defaults: FieldJson;
    readonly overrides: readonly {
      readonly matcher: { readonly id: string; readonly options?: unknown };
      readonly properties: readonly { readonly id: string; readonly value?: unknown }[];
    }[];
  };
}

export interface FieldJson {
  readonly unit?: string;
  readonly decimals?: number;
  readonly noValue?: string;
  readonly min?: number;
  readonly max?: number;
  readonly mappings?: readonly {
    readonly options: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
  }[];
  readonly thresholds?: {
    readonly steps: readonly { readonly value: number | null; readonly color: string }[];
  };
  readonly custom?: Readonly<Record<string, unknown>>;
}

export interface TargetJson {
  readonly refId: string;
  readonly expr: string;
  readonly instant: boolean;
  readonly range: boolean;
  readonly format?: string;
  readonly legendFormat?: string;
}

export interface VariableJson {
  readonly name: string;
  readonly type: string;
  readonly query: string;
  readonly allValue?: string;
}

export interface AnnotationJson {
  readonly name: string;
  readonly expr: string;
}

export interface GridPosition {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export function readDashboard(): DashboardJson {
  return JSON.parse(readFileSync(DASHBOARD_FILE, 'utf8')) as DashboardJson;
}

/** All panels except the rows, including those of collapsed rows, each with the title of its row. */
export function panelsOf(dashboard: DashboardJson): readonly { readonly row: string; readonly panel: PanelJson }[] {
  let row = '';
  return dashboard.panels.flatMap((entry) => {
    if (entry.type !== 'row') return [{ row, panel: entry }];
    row = entry.title;
    return entry.panels.map((panel) => ({ row: entry.title, panel }));
  });
}

/** Every PromQL expression with its place. */
export function expressionsOf(
  dashboard: DashboardJson,
): readonly { readonly where: string; readonly expression: string }[] {
  return [
    ...panelsOf(dashboard).flatMap(({ panel }) =>
      panel.targets.map(({ refId, expr }) => ({ where: `${panel.title}, ${refId}`, expression: expr })),
    ),
    ...dashboard.annotations.list.map(({ name, expr }) => ({ where: name, expression: expr })),
  ];
}
