/** How the cells of tables look. */

import {
  BarGaugeDisplayMode,
  BarGaugeValueMode,
  type TableBarGaugeCellOptions,
  TableCellDisplayMode,
  type TableColorTextCellOptions,
} from '@grafana/grafana-foundation-sdk/common';
import { type DynamicConfigValue, type FieldColor, FieldColorModeId } from '@grafana/grafana-foundation-sdk/dashboard';
import type { DataLink } from './links.js';
import { thresholds } from './parts.js';

export const coloured = (steps: Parameters<typeof thresholds>[0]): DynamicConfigValue[] => [
  { id: 'thresholds', value: thresholds(steps).build() },
  { id: 'color', value: { mode: FieldColorModeId.Thresholds } satisfies FieldColor },
  {
    id: 'custom.cellOptions',
    value: { type: TableCellDisplayMode.ColorText } satisfies TableColorTextCellOptions,
  },
];
export const unit = (name: string, decimals?: number): DynamicConfigValue[] => [
  { id: 'unit', value: name },
  ...(decimals === undefined ? [] : [{ id: 'decimals', value: decimals }]),
];
export const gauge = (max: number, steps: Parameters<typeof thresholds>[0]): DynamicConfigValue[] => [
  ...coloured(steps).filter(({ id }) => id !== 'custom.cellOptions'),
  { id: 'min', value: 0 },
  { id: 'max', value: max },
  {
    id: 'custom.cellOptions',
    value: {
      type: TableCellDisplayMode.Gauge,
      mode: BarGaugeDisplayMode.Basic,
      valueDisplayMode: BarGaugeValueMode.Text,
    } satisfies TableBarGaugeCellOptions,
  },
];
export const linked = (value: readonly DataLink[]): DynamicConfigValue[] => [{ id: 'links', value }];
