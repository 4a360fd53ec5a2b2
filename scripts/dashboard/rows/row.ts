/** What the rows of the dashboard have in common. */

import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';

/** A panel of any kind. */
export interface PanelSource {
  build(): Panel;
}

export interface DashboardRow {
  readonly title: string;
  /** The panels of a collapsed row send no queries until it is opened. */
  readonly collapsed: boolean;
  readonly panels: readonly PanelSource[];
}

/** Rows of the tables, and pods of the charts with one or two series each. */
export const TABLE_ROWS = 20;
export const CHART_PODS = 6;

/** The legend of a pod. */
export const POD = '{{namespace}}/{{pod}}';
