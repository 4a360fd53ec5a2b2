/** A week of each kind of workload of a simulated fleet, as one SVG. */

import { podColumns } from '../src/tools/lab/fleet/columns.js';
import type { Fleet } from '../src/tools/lab/fleet/fleet.js';
import { KINDS, type KindName } from '../src/tools/lab/fleet/kinds.js';
import type { FleetPod } from '../src/tools/lab/fleet/lives.js';
import type { FleetWorkload } from '../src/tools/lab/fleet/workload.js';

const WEEK_MINUTES = 7 * 1440;
const PANEL = { width: 420, height: 50, left: 168, gap: 36, rowGap: 12, top: 44 };
/** Minutes in one column of pixels; their smallest and largest value are drawn. */
const COLUMN_MINUTES = WEEK_MINUTES / PANEL.width;
const COLORS = ['#1f77b4', '#ff7f0e', '#2ca02c', '#9467bd', '#d62728', '#8c564b'];

/** Replicas to draw: more of them could not be distinguished. */
const REPLICAS = 3;
/** Higher values are cut off: a single peak is not typical of the week. */
const TOP_QUANTILE = 0.9995;

/** Draws one workload of each kind in two panels: CPU and memory of up to three of its replicas. */
export function fleetPicture(fleet: Fleet): string {
  const rows = (Object.keys(KINDS) as KindName[]).map((kind) => exampleOf(fleet, kind));
  const height = PANEL.top + rows.length * (PANEL.height + PANEL.rowGap) + 8;
  const width = PANEL.left + 2 * (PANEL.width + PANEL.gap);
  const heads = ['CPU in cores', 'Memory in MiB'].map(
    (title, column) => `<text x="${panelX(column)}" y="16" class="head">${title}</text>`,
  );
  const days = [0, 1].flatMap((column) =>
    Array.from({ length: 7 }, (_, day) => {
      const name = new Date((fleet.startSeconds + day * 86_400) * 1000).toUTCString().slice(0, 3);
      return `<text x="${panelX(column) + ((day + 0.5) * PANEL.width) / 7}" y="34" class="day">${name}</text>`;
    }),
  );
  const body = rows.map((workload, row) => workloadRow(fleet, workload, row));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    '<style>text{font:11px sans-serif;fill:#333}.head,.kind{font-weight:bold;font-size:13px}.day{text-anchor:middle}' +
    '.axis{text-anchor:end;font-size:9px;fill:#666}path{fill:none;stroke-width:.7;stroke-opacity:.75}</style>' +
    `<rect width="${width}" height="${height}" fill="#fff"/>${[...heads, ...days, ...body].join('')}</svg>\n`
  );
}

const panelX = (column: number) => PANEL.left + column * (PANEL.width + PANEL.gap);

/** One with enough replicas, or else with most; of CronJobs the one whose runs last longest. */
function exampleOf({ workloads }: Fleet, kind: KindName): FleetWorkload {
  const rank = ({ replicas, profile }: FleetWorkload) => 1000 * Math.min(replicas, REPLICAS) + profile.runMinutes;
  return workloads
    .filter((workload) => workload.kind === kind)
    .reduce((best, one) => (rank(one) > rank(best) ? one : best));
}

function workloadRow(fleet: Fleet, workload: FleetWorkload, row: number): string {
  const top = PANEL.top + row * (PANEL.height + PANEL.rowGap);
  const pods = fleet.pods.filter(
    (pod) => pod.workload === workload && pod.replica < REPLICAS && pod.born < WEEK_MINUTES,
  );
  const columns = pods.map((pod) => ({ pod, columns: podColumns(fleet, pod, 0, WEEK_MINUTES) }));
  const cpu = columns.map((one) => ({ pod: one.pod, values: one.columns.cpuCores }));
  const memory = columns.map((one) => ({
    pod: one.pod,
    values: one.columns.memoryBytes.map((value) => value / 2 ** 20),
  }));
  return (
    `<text x="4" y="${top + 16}" class="kind">${workload.kind}</text><text x="4" y="${top + 32}">${workload.name}</text>` +
    `<text x="4" y="${top + 47}">${workload.controller}, ${workload.replicasMinutes ? 'autoscaled' : `${workload.replicas} at a time`}</text>` +
    panel(panelX(0), top, cpu) +
    panel(panelX(1), top, memory)
  );
}

interface Line {
  readonly pod: FleetPod;
  readonly values: Float64Array;
}

function panel(x: number, y: number, lines: readonly Line[]): string {
  const sorted = Float64Array.from(
    lines.flatMap(({ values }) => [...values].filter((value) => !Number.isNaN(value))),
  ).sort();
  const highest = 1.05 * (sorted[Math.floor(TOP_QUANTILE * sorted.length)] as number);
  const grid = Array.from({ length: 8 }, (_, day) => {
    const at = x + (day * PANEL.width) / 7;
    return `<path d="M${at} ${y}v${PANEL.height}" stroke="#ddd"/>`;
  });
  const paths = lines.map(
    ({ pod, values }) => `<path stroke="${COLORS[pod.replica % COLORS.length]}" d="${lineOf(x, y, values, highest)}"/>`,
  );
  return (
    `${grid.join('')}<path d="M${x} ${y + PANEL.height}h${PANEL.width}" stroke="#999"/>${paths.join('')}` +
    `<text x="${x - 4}" y="${y + 8}" class="axis">${Number(highest.toPrecision(2))}</text>` +
    `<text x="${x - 4}" y="${y + PANEL.height}" class="axis">0</text>`
  );
}

/** For each pixel the range of its minutes, as one line. */
function lineOf(x: number, y: number, values: Float64Array, highest: number): string {
  let path = '';
  let isDrawing = false;
  for (let pixel = 0; pixel < PANEL.width; pixel++) {
    const part = values
      .subarray(Math.floor(pixel * COLUMN_MINUTES), Math.floor((pixel + 1) * COLUMN_MINUTES))
      .filter((value) => !Number.isNaN(value));
    if (part.length === 0) {
      isDrawing = false;
      continue;
    }
    for (const value of [Math.min(...part), Math.max(...part)]) {
      const height = y + PANEL.height * Math.max(0, 1 - value / highest);
      path += `${isDrawing ? 'L' : 'M'}${x + pixel} ${height.toFixed(1)}`;
      isDrawing = true;
    }
  }
  return path;
}
