/** The kinds of panels of the dashboard. */

import {
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  LineInterpolation,
  type LineStyle,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DynamicConfigValue,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMap,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelinePanel } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeriesPanel } from '@grafana/grafana-foundation-sdk/timeseries';

/** A placeholder in braces, which Grafana fills in. */
export const placeholder = (name: string) => `\${${name}}`;

/** Selected in a variable by its kind, since its name differs between installations. */
export const DATASOURCE = { type: 'prometheus', uid: placeholder('datasource') };

/** Options of every panel. */
interface PanelText {
  readonly title: string;
  /** How to read it. */
  readonly description: string;
  /** Width in columns, of 24. */
  readonly width: number;
  /** Grafana's name of the unit. */
  readonly unit: string;
  /** The text if there is no data. */
  readonly noValue?: string;
}

/** A query, and the names of its series. */
export interface NamedQuery {
  readonly expression: string;
  readonly legend: string;
}

/** Colours, each from a value upwards; the first one from minus infinity. */
export type Steps = readonly [base: string, ...steps: (readonly [from: number, color: string])[]];

export const CALM = 'green';
export const NEUTRAL = 'text';
export const WARNING = 'orange';
export const BAD = 'red';

export function thresholds([base, ...steps]: Steps): ThresholdsConfigBuilder {
  const all: Threshold[] = [{ value: null, color: base }];
  all.push(...steps.map(([value, color]) => ({ value, color })));
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(all);
}

/** Texts and colours for numbers. */
export function words(texts: Readonly<Record<number, readonly [text: string, color: string]>>): ValueMap {
  return {
    type: MappingType.ValueToText,
    options: Object.fromEntries(
      Object.entries(texts).map(([value, [text, color]], index) => [value, { text, color, index }]),
    ),
  };
}

/**
 * One number at the end of the time range. An instant query: the last value of a range would still be shown long after
 * the exporter has stopped.
 */
export function stat(
  text: PanelText & { readonly steps: Steps; readonly decimals?: number },
  query: string,
): StatPanel {
  const panel = new StatPanel()
    .title(text.title)
    .description(text.description)
    .datasource(DATASOURCE)
    .span(text.width)
    .height(4)
    .unit(text.unit)
    .noValue(text.noValue ?? 'No data')
    .thresholds(thresholds(text.steps))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .withTarget(new DataqueryBuilder().refId('A').datasource(DATASOURCE).expr(query).instant());
  return text.decimals === undefined ? panel : panel.decimals(text.decimals);
}

/** Lines over time. */
export function lines(text: PanelText & { readonly height?: number }, queries: readonly NamedQuery[]): TimeSeriesPanel {
  const panel = new TimeSeriesPanel()
    .title(text.title)
    .description(text.description)
    .datasource(DATASOURCE)
    .span(text.width)
    .height(text.height ?? 8)
    .unit(text.unit)
    .noValue(text.noValue ?? 'No data')
    .lineWidth(2)
    .fillOpacity(0)
    .showPoints(VisibilityMode.Never)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  queries.forEach(({ expression, legend }, index) => {
    panel.withTarget(rangeQuery(index, expression, legend));
  });
  return panel;
}

/** Stacked areas, for which the sum matters. */
export function stacked(text: PanelText, queries: readonly NamedQuery[]): TimeSeriesPanel {
  return lines(text, queries)
    .drawStyle(GraphDrawStyle.Line)
    .lineInterpolation(LineInterpolation.StepAfter)
    .lineWidth(1)
    .fillOpacity(50)
    .min(0)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
}

/** Draws the steps as dashed lines across the chart; the base stays invisible. */
export function withThresholdLines(panel: TimeSeriesPanel, ...steps: Steps[1][]): TimeSeriesPanel {
  return panel
    .thresholds(thresholds(['transparent', ...steps]))
    .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
}

export const DASHED: LineStyle = { fill: 'dash', dash: [8, 8] };

export const DOTTED: LineStyle = { fill: 'dot', dash: [1, 6] };

/** Draws series of this name dashed and thin: usual values next to actual ones. */
export function withDashed(panel: TimeSeriesPanel, names: RegExp): TimeSeriesPanel {
  return panel.overrideByRegexp(String(names), [
    { id: 'custom.lineStyle', value: DASHED },
    { id: 'custom.lineWidth', value: 1 },
  ]);
}

/** One bar a series, coloured by state. */
export function states(
  text: PanelText & { readonly height?: number },
  mapping: ValueMap,
  query: NamedQuery,
): StateTimelinePanel {
  return new StateTimelinePanel()
    .title(text.title)
    .description(text.description)
    .datasource(DATASOURCE)
    .span(text.width)
    .height(text.height ?? 7)
    .unit(text.unit)
    .noValue(text.noValue ?? 'No data')
    .mappings([mapping])
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .showValue(VisibilityMode.Never)
    .mergeValues(true)
    .rowHeight(0.8)
    .fillOpacity(80)
    .lineWidth(0)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    )
    .withTarget(rangeQuery(0, query.expression, query.legend));
}

/** A column of a table: a label of the answers, or the value of a query. */
export type Column = {
  readonly title: string;
  readonly width?: number;
  /** Whether the value is hidden: only the labels of the query are used. */
  readonly hidden?: boolean;
  readonly properties?: readonly DynamicConfigValue[];
} & ({ readonly label: string } | { readonly refId: string; readonly query: string });

/**
 * A table of several instant queries, joined on the labels that all of them have.
 */
export function table(text: PanelText, columns: readonly Column[]): TablePanel {
  const panel = new TablePanel()
    .title(text.title)
    .description(text.description)
    .datasource(DATASOURCE)
    .span(text.width)
    .height(8)
    .unit(text.unit)
    .noValue(text.noValue ?? 'No data')
    .showHeader(true)
    .withTransformation({ id: 'merge', options: {} });
  const renameByName: Record<string, string> = {};
  const indexByName: Record<string, number> = {};
  const excludeByName: Record<string, boolean> = { Time: true };
  columns.forEach((column, index) => {
    const names = 'label' in column ? [column.label] : [`Value #${column.refId}`];
    // If only one of the queries has an answer, Grafana omits the name of the query.
    if ('refId' in column && index === columns.findIndex((other) => 'refId' in other)) names.push('Value');
    for (const name of names) {
      if (column.hidden) {
        excludeByName[name] = true;
        continue;
      }
      renameByName[name] = column.title;
      indexByName[name] = index;
    }
    const properties = [...(column.properties ?? [])];
    if (column.width !== undefined) properties.push({ id: 'custom.width', value: column.width });
    if (properties.length > 0) panel.overrideByName(column.title, properties);
    if ('refId' in column) {
      panel.withTarget(
        new DataqueryBuilder()
          .refId(column.refId)
          .datasource(DATASOURCE)
          .expr(column.query)
          .format(PromQueryFormat.Table)
          .instant(),
      );
    }
  });
  return panel.withTransformation({
    id: 'organize',
    options: { excludeByName, indexByName, renameByName },
  });
}

function rangeQuery(index: number, expression: string, legend: string): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .datasource(DATASOURCE)
    .expr(expression)
    .legendFormat(legend)
    .range();
}
