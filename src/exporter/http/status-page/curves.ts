/** Lines and bands of small pictures, as SVG. */

import { type Html, html } from '../../../lib/text/html.js';

/** Where a picture has an instant and a value, in units of the drawing. */
export interface Scale {
  x(instant: number): number;
  y(value: number): number;
  /** The smallest value that is shown. */
  readonly least: number;
}

/** Room for the line at its ends. */
const MARGIN = 2;

/** A scale of `width` × `height` that has room for all of `shown`, which may have holes. */
export function scaleOf(count: number, shown: readonly number[], width: number, height: number): Scale {
  const known = finite(shown);
  const least = Math.min(...known);
  const span = Math.max(...known) - least || 1;
  const bottom = height - MARGIN;
  return {
    x: (instant) => round((instant / Math.max(1, count - 1)) * (width - 2 * MARGIN) + MARGIN),
    y: (value) => round(bottom - ((value - least) / span) * (bottom - MARGIN)),
    least,
  };
}

/** The area between two curves where the upper one is known. */
export function band({ x, y, least }: Scale, lower: Float64Array, upper: Float64Array): readonly Html[] {
  return runs(upper.length, (instant) => Number.isFinite(upper[instant])).map(([from, to]) => {
    const instants = Array.from({ length: to - from }, (_, index) => from + index);
    const top = instants.map((instant) => `${x(instant)},${y(upper[instant] as number)}`);
    const below = instants.map((instant) => `${x(instant)},${y(Math.max(least, lower[instant] as number))}`);
    return html`<polygon class="band" points="${[...top, ...below.reverse()].join(' ')}"/>`;
  });
}

/** A curve, which holes part. @param kind its class. */
export function line({ x, y }: Scale, values: Float64Array, kind: string): readonly Html[] {
  return runs(values.length, (instant) => Number.isFinite(values[instant])).map(([from, to]) => {
    const points = Array.from(values.subarray(from, to), (value, index) => `${x(from + index)},${y(value)}`);
    return html`<polyline class="${kind}" points="${points.join(' ')}"/>`;
  });
}

/** The stretches in which something holds: from the first instant to before the end. */
export function runs(count: number, holds: (instant: number) => boolean): [from: number, to: number][] {
  const found: [number, number][] = [];
  for (let instant = 0; instant < count; instant++) {
    if (!holds(instant)) continue;
    const from = instant;
    while (instant < count && holds(instant)) instant++;
    found.push([from, instant]);
  }
  return found;
}

export const finite = (values: ArrayLike<number>) => Array.from(values).filter(Number.isFinite);

export const round = (value: number) => Math.round(value * 10) / 10;
