/**
 * Charts as HTML and SVG. The drawing stretches with the page, and the labels are text beside it, so that they stay
 * readable at any width.
 */

import { type Html, html, NO_HTML } from '../../lib/text/html.js';
import type { Chunk } from '../replay/plan.js';

export interface TimeChart extends Chunk {
  /** What it shows, for those who do not see it. */
  readonly label: string;
  readonly stepSeconds: number;
  /** Lines are drawn across gaps of up to this many steps: parts of the range are kept at a lower resolution. */
  readonly bridgedSteps: number;
  /** One value for each instant; `null` without one. The kind is a class of the style sheet. */
  readonly lines: readonly {
    readonly kind: 'actual' | 'expected' | 'score';
    readonly values: readonly (number | null)[];
  }[];
  /** Stretches behind the lines. */
  readonly spans: readonly (Chunk & { readonly kind: 'flagged' | 'alert' })[];
  readonly threshold?: number;
  /** Values that the axis holds at least. */
  readonly least: readonly number[];
  readonly text: (value: number) => string;
}

/** Size of the drawing, in its own units; it is stretched. */
const WIDTH = 1000;
const HEIGHT = 100;

export function timeChart(chart: TimeChart): Html {
  const { startSeconds, endSeconds, label, lines, spans, threshold, text } = chart;
  const { low, high, labelled } = limitsOf(chart);
  const x = (seconds: number) => round(((seconds - startSeconds) / (endSeconds - startSeconds)) * WIDTH);
  const y = (value: number) => round(HEIGHT - ((value - low) / (high - low)) * HEIGHT);
  const rectangles = spans.flatMap((span) => {
    const from = Math.max(0, x(span.startSeconds));
    const to = Math.min(WIDTH, x(span.endSeconds));
    // What lasts for a moment only must stay visible.
    const width = Math.max(2, to - from);
    return to < 0 || from > WIDTH
      ? []
      : [html`<rect class="${span.kind}" x="${from}" y="0" width="${round(width)}" height="${HEIGHT}"/>`];
  });
  const paths = lines.map(({ kind, values }) => html`<path class="${kind}" d="${pathOf(chart, values, x, y)}"/>`);
  const boundary =
    threshold === undefined
      ? NO_HTML
      : html`<line class="threshold" x1="0" x2="${WIDTH}" y1="${y(threshold)}" y2="${y(threshold)}"/>`;
  const svg = html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">${rectangles}${boundary}${paths}</svg>`;
  const valueLabels = labelled.map((value) => html`<span style="top:${y(value)}%">${text(value)}</span>`);
  const timeLabels = timeTicks(startSeconds, endSeconds).map(
    ({ seconds, text: of }) => html`<span class="time" style="left:${round(x(seconds) / 10)}%">${of}</span>`,
  );
  return html`<div class="chart"><div class="values">${valueLabels}</div><div class="drawing">${svg}</div><div class="times">${timeLabels}</div></div>`;
}

/** The range of the values with a little space around it, and the values that are written beside it. */
function limitsOf({ lines, least }: TimeChart) {
  const values = [...least, ...lines.flatMap((line) => line.values.filter((value) => value !== null))];
  const lowest = Math.min(...values);
  const highest = Math.max(...values);
  const isFlat = !(highest > lowest);
  const margin = isFlat ? Math.max(1, Math.abs(highest)) / 2 : 0.08 * (highest - lowest);
  return {
    low: lowest === 0 ? 0 : lowest - margin,
    high: highest + margin,
    labelled: isFlat ? [highest] : [highest, lowest],
  };
}

function pathOf(
  { startSeconds, stepSeconds, bridgedSteps }: TimeChart,
  values: readonly (number | null)[],
  x: (seconds: number) => number,
  y: (value: number) => number,
): string {
  let path = '';
  let last = Number.NEGATIVE_INFINITY;
  values.forEach((value, index) => {
    if (value === null) return;
    const command = index - last <= bridgedSteps ? 'L' : 'M';
    path += `${command}${x(startSeconds + index * stepSeconds)} ${y(value)}`;
    last = index;
  });
  return path;
}

const TICK_MINUTES = [5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080];
const MOST_TICKS = 6;

/** Round instants in UTC: times, and dates where a day begins. */
export function timeTicks(
  startSeconds: number,
  endSeconds: number,
): { readonly seconds: number; readonly text: string }[] {
  const length = endSeconds - startSeconds;
  const step =
    60 *
    (TICK_MINUTES.find((minutes) => length / (60 * minutes) <= MOST_TICKS) ??
      Math.ceil(length / MOST_TICKS / 86_400) * 1440);
  const ticks = [];
  for (let seconds = Math.ceil(startSeconds / step) * step; seconds <= endSeconds; seconds += step) {
    const iso = new Date(seconds * 1000).toISOString();
    // A label at the very edge would be cut off.
    if (seconds - startSeconds < 0.02 * length || endSeconds - seconds < 0.02 * length) continue;
    ticks.push({ seconds, text: seconds % 86_400 === 0 ? iso.slice(5, 10) : iso.slice(11, 16) });
  }
  return ticks;
}

/** Bars side by side, one for each day. */
export function barChart(
  bars: readonly { readonly label: string; readonly value: number }[],
  label: string,
  limit: number,
): Html {
  const highest = Math.max(1, limit, ...bars.map(({ value }) => value));
  const every = Math.ceil(bars.length / MOST_TICKS);
  const columns = bars.map(
    ({ label: of, value }, index) =>
      html`<div class="bar" title="${of}: ${value}"><span class="fill${value > limit ? ' over' : ''}" style="height:${round((100 * value) / highest)}%"></span><span class="count">${value === 0 ? '' : value}</span><span class="day">${index % every === 0 ? of.slice(5) : ''}</span></div>`,
  );
  const line = html`<span class="limit" style="bottom:${round((100 * limit) / highest)}%"></span>`;
  return html`<div class="bars" role="img" aria-label="${label}"><div class="columns">${columns}${line}</div></div>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
