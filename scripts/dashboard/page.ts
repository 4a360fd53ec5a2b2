/**
 * A plain page that shows what the panels of the dashboard would show: positions, queries, units, thresholds and texts.
 * It does not replace Grafana but is enough to review the layout with data.
 */

import type { Grafana, Series } from './grafana.js';
import { type DashboardJson, type FieldJson, type PanelJson, panelsOf, type RowJson } from './json.js';

const ROW_PIXELS = 38;
const COLUMN_PIXELS = 66;
const COLOURS = [
  '#73bf69',
  '#f2cc0c',
  '#5794f2',
  '#ff780a',
  '#e02f44',
  '#b877d9',
  '#37872d',
  '#8ab8ff',
  '#fa6400',
  '#c4162a',
];
const NAMED_COLOURS: Readonly<Record<string, string>> = {
  green: '#73bf69',
  orange: '#ff9830',
  red: '#f2495c',
  text: '#ccccdc',
  transparent: 'none',
};

/** The page, with the answers of every panel. A collapsed row is shown open, at the end. */
export async function dashboardPage(dashboard: DashboardJson, grafana: Grafana): Promise<string> {
  const rows = dashboard.panels.filter((entry): entry is RowJson => entry.type === 'row');
  const boxes = rows.map((row) => box(row.gridPos, 'row', `${row.collapsed ? '▸' : '▾'} ${escapeHtml(row.title)}`));
  for (const { panel } of panelsOf(dashboard)) {
    const answers = new Map<string, readonly Series[]>();
    for (const target of panel.targets) answers.set(target.refId, await grafana.runTarget(target));
    const title = `<h2>${escapeHtml(panel.title)}</h2>`;
    boxes.push(box(panel.gridPos, 'panel', title + content(panel, answers, grafana)));
  }
  const bottom = Math.max(...panelsOf(dashboard).map(({ panel: { gridPos } }) => gridPos.y + gridPos.h));
  return `<!doctype html><meta charset="utf-8"><title>${escapeHtml(dashboard.title)}</title><style>${STYLE}</style>
<h1>${escapeHtml(dashboard.title)}</h1>
<main style="height:${bottom * ROW_PIXELS}px">${boxes.join('\n')}</main>`;
}

const STYLE = `body{background:#111217;color:#ccccdc;font:13px sans-serif;margin:8px;width:${24 * COLUMN_PIXELS}px}
h1{font-size:18px;margin:4px}main{position:relative}main>div{position:absolute;box-sizing:border-box;overflow:hidden}
.panel{background:#181b1f;border:1px solid #2c2f36;border-radius:3px;padding:4px 8px}.row{padding:10px 4px;font-weight:bold}
h2{font-size:13px;margin:0 0 4px;font-weight:600}.number{font-size:30px;text-align:center;padding-top:20px}
.empty{color:#8e8e9a;text-align:center;padding-top:24px}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:3px 6px;border-bottom:1px solid #2c2f36;white-space:nowrap}th{color:#6e9fff;font-weight:600}
.legend{font-size:11px;white-space:nowrap;overflow:hidden}.legend i{display:inline-block;width:12px;height:4px;margin:0 4px 2px 8px}`;

function box({ x, y, w, h }: PanelJson['gridPos'], kind: string, inner: string): string {
  const place = {
    left: x * COLUMN_PIXELS + 2,
    top: y * ROW_PIXELS + 2,
    width: w * COLUMN_PIXELS - 4,
    height: h * ROW_PIXELS - 4,
  };
  const style = Object.entries(place).map(([name, pixels]) => `${name}:${pixels}px`);
  return `<div class="${kind}" style="${style.join(';')}">${inner}</div>`;
}

function content(panel: PanelJson, answers: ReadonlyMap<string, readonly Series[]>, grafana: Grafana): string {
  if ([...answers.values()].every((series) => series.length === 0)) {
    return `<div class="empty">${escapeHtml(panel.fieldConfig.defaults.noValue ?? 'No data')}</div>`;
  }
  switch (panel.type) {
    case 'stat':
      return statContent(panel, answers);
    case 'table':
      return tableContent(panel, answers);
    case 'state-timeline':
      return statesContent(panel, named(panel, answers), grafana);
    case 'timeseries':
      return chartContent(panel, named(panel, answers), grafana);
  }
}

function statContent(panel: PanelJson, answers: ReadonlyMap<string, readonly Series[]>): string {
  const value = [...answers.values()].flat()[0]?.samples.at(-1)?.[1] ?? Number.NaN;
  const { defaults } = panel.fieldConfig;
  return `<div class="number" style="color:${colourOf(value, defaults)}">${format(value, defaults)}</div>`;
}

/** Joins the answers on the labels that all of them have, as the transformation `merge` does. */
function tableContent(panel: PanelJson, answers: ReadonlyMap<string, readonly Series[]>): string {
  const frames = [...answers].filter(([, series]) => series.length > 0);
  const keys = Object.keys(frames[0]?.[1][0]?.labels ?? {}).filter((label) =>
    frames.every(([, series]) => label in (series[0]?.labels ?? {})),
  );
  const rows = new Map<string, Record<string, string | number>>();
  for (const [refId, series] of frames) {
    for (const { labels, samples } of series) {
      const key = keys.map((label) => labels[label]).join('\n');
      rows.set(key, { ...rows.get(key), ...labels, [`Value #${refId}`]: samples[0]?.[1] ?? Number.NaN });
    }
  }
  const organize = panel.transformations?.find(({ id }) => id === 'organize')?.options as {
    renameByName: Record<string, string>;
  };
  const columns = Object.entries(organize.renameByName)
    .filter(([name]) => name !== 'Value')
    .map(([name, title]) => ({ name, title, field: fieldOf(panel, title) }));
  const first = columns.find(({ name }) => name.startsWith('Value'))?.name ?? '';
  const body = [...rows.values()]
    .sort((a, b) => Number(b[first] ?? 0) - Number(a[first] ?? 0))
    .map((row) => columns.map(({ name, field }) => cell(row[name], field)).join(''));
  const head = columns.map(({ title }) => `<th>${escapeHtml(title)}</th>`).join('');
  return `<table><tr>${head}</tr><tr>${body.join('</tr><tr>')}</tr></table>`;
}

function cell(value: string | number | undefined, field: FieldJson): string {
  if (typeof value !== 'number') return `<td>${escapeHtml(value ?? '')}</td>`;
  const colour = field.thresholds ? colourOf(value, field) : '#ccccdc';
  const isGauge = (field.custom?.cellOptions as { type?: string } | undefined)?.type === 'gauge';
  const share = Math.max(0, Math.min(1, value / (field.max ?? 1)));
  const bar = isGauge
    ? `<span style="display:inline-block;height:9px;margin-right:6px;width:${70 * share}px;background:${colour}"></span>`
    : '';
  return `<td style="color:${colour}">${bar}${format(value, field)}</td>`;
}

interface NamedSeries extends Series {
  readonly name: string;
  readonly field: FieldJson;
}

function named(panel: PanelJson, answers: ReadonlyMap<string, readonly Series[]>): NamedSeries[] {
  return panel.targets.flatMap(({ refId, legendFormat = '' }) =>
    (answers.get(refId) ?? []).map((series) => {
      const name = legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label: string) => series.labels[label] ?? '');
      return { ...series, name, field: fieldOf(panel, name) };
    }),
  );
}

function chartContent(panel: PanelJson, series: readonly NamedSeries[], grafana: Grafana): string {
  const { defaults } = panel.fieldConfig;
  const { fromSeconds, toSeconds } = grafana.options;
  const width = panel.gridPos.w * COLUMN_PIXELS - 24;
  const height = panel.gridPos.h * ROW_PIXELS - 64;
  const isStacked = (defaults.custom?.stacking as { mode?: string } | undefined)?.mode === 'normal';
  const onLeft = series.filter(({ field }) => field.custom?.axisPlacement !== 'right');
  const drawn = isStacked ? stack(onLeft) : onLeft;
  const values = drawn.flatMap(({ samples }) => samples.map(([, value]) => value));
  const isDashedLine = (defaults.custom?.thresholdsStyle as { mode?: string } | undefined)?.mode === 'dashed';
  const marks = isDashedLine ? (defaults.thresholds?.steps ?? []).filter(({ value }) => value !== null) : [];
  const soft = (name: string) => {
    const value = defaults.custom?.[name];
    return typeof value === 'number' ? [value] : [];
  };
  const low = defaults.min ?? Math.min(...values, ...soft('axisSoftMin'));
  const high = Math.max(...values, ...soft('axisSoftMax'), low + 1e-9) * 1.05;
  const left = 56;
  const x = (time: number) => left + ((time - fromSeconds) / (toSeconds - fromSeconds)) * (width - left);
  const y = (value: number) => height - ((value - low) / (high - low)) * (height - 8) - 2;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const value = low + share * (high - low);
    return `<line x1="${left}" x2="${width}" y1="${y(value)}" y2="${y(value)}" stroke="#2c2f36"/><text x="2" y="${y(value) + 4}" fill="#8e8e9a" font-size="10">${format(value, defaults)}</text>`;
  });
  const paths = drawn.map(({ samples, field }, index) => {
    const points = samples.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`);
    const dash = field.custom?.lineStyle === undefined ? '' : 'stroke-dasharray="6 5"';
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colourAt(index)}" stroke-width="1.5" ${dash}/>`;
  });
  const lines = marks.map(
    ({ value, color }) =>
      `<line x1="${left}" x2="${width}" y1="${y(value ?? 0)}" y2="${y(value ?? 0)}" stroke="${NAMED_COLOURS[color] ?? color}" stroke-dasharray="8 6"/>`,
  );
  const legend = drawn.map(({ name }, index) => `<i style="background:${colourAt(index)}"></i>${escapeHtml(name)}`);
  return `<svg width="${width}" height="${height}">${[...ticks, ...paths, ...lines].join('')}</svg><div class="legend">${legend.join('')}</div>`;
}

function statesContent(panel: PanelJson, series: readonly NamedSeries[], grafana: Grafana): string {
  const { defaults } = panel.fieldConfig;
  const { fromSeconds, toSeconds, stepSeconds } = grafana.options;
  const width = panel.gridPos.w * COLUMN_PIXELS - 24;
  const height = (panel.gridPos.h * ROW_PIXELS - 44) / series.length;
  const left = 260;
  const x = (time: number) => left + ((time - fromSeconds) / (toSeconds - fromSeconds)) * (width - left);
  const bars = series.flatMap(({ name, samples }, row) => [
    `<text x="2" y="${(row + 0.6) * height}" fill="#ccccdc" font-size="11">${escapeHtml(name)}</text>`,
    ...samples.map(
      ([time, value]) =>
        `<rect x="${x(time)}" y="${row * height + 2}" width="${x(time + stepSeconds) - x(time) + 0.5}" height="${height - 4}" fill="${mapped(value, defaults)?.colour ?? '#ccccdc'}"/>`,
    ),
  ]);
  return `<svg width="${width}" height="${height * series.length}">${bars.join('')}</svg>`;
}

function stack(series: readonly NamedSeries[]): NamedSeries[] {
  const sums = new Map<number, number>();
  return series.map((one) => ({
    ...one,
    samples: one.samples.map(([time, value]) => {
      sums.set(time, (sums.get(time) ?? 0) + value);
      return [time, sums.get(time) ?? 0];
    }),
  }));
}

/** The settings of a field: those of the panel with the overrides for its name. */
function fieldOf(panel: PanelJson, name: string): FieldJson {
  const { defaults, overrides } = panel.fieldConfig;
  const field: Record<string, unknown> = { ...defaults };
  const custom: Record<string, unknown> = { ...defaults.custom };
  for (const { matcher, properties } of overrides) {
    const pattern = String(matcher.options);
    const fits = matcher.id === 'byRegexp' ? new RegExp(pattern.slice(1, -1)).test(name) : pattern === name;
    if (!fits) continue;
    for (const { id, value } of properties) {
      if (id.startsWith('custom.')) custom[id.slice('custom.'.length)] = value;
      else field[id] = value;
    }
  }
  return { ...field, custom };
}

function mapped(value: number, field: FieldJson) {
  const result = field.mappings?.map(({ options }) => options[String(value)]).find((found) => found !== undefined);
  return result && { text: result.text, colour: NAMED_COLOURS[result.color] ?? result.color };
}

function colourOf(value: number, field: FieldJson): string {
  const step = field.thresholds?.steps.findLast(({ value: from }) => from === null || value >= from);
  return mapped(value, field)?.colour ?? NAMED_COLOURS[step?.color ?? 'text'] ?? '#ccccdc';
}

const colourAt = (index: number) => COLOURS[index % COLOURS.length] ?? '#ccccdc';

function format(value: number, field: FieldJson): string {
  const text = mapped(value, field)?.text;
  if (text !== undefined) return escapeHtml(text);
  const { unit, decimals } = field;
  const fixed = (number: number, digits: number) => number.toFixed(decimals ?? digits);
  switch (unit) {
    case 'percentunit':
      return `${fixed(100 * value, 1)}%`;
    case 'bytes': {
      const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, Math.abs(value))) / 10)));
      return `${fixed(value / 2 ** (10 * power), 1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
    }
    case 's':
      return value >= 120 ? `${fixed(value / 60, 1)} min` : `${fixed(value, 2)} s`;
    default:
      return fixed(value, 2);
  }
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
