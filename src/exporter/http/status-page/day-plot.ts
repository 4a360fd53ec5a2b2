/** The last day of one feature of a pod beside the day before it, as a picture. */

import { type Html, html } from '../../../lib/text/html.js';
import { featureValue } from '../../detection/reasons.js';
import { band, finite, line, scaleOf } from './curves.js';
import type { DayCourse, DayOutcome } from './day-reader.js';
import { isoTime } from './time.js';

/** Units of the drawing; the style sheet gives the size. */
const WIDTH = 540;
const HEIGHT = 110;

/** The pictures, or the reason why they are missing. */
export function dayPlots(day: DayOutcome): Html {
  if (day.kind === 'failed') return html`<p><strong>The last two days are not available:</strong> ${day.message}</p>`;
  const { timestampsSeconds, courses } = day;
  const [from = 0, to = 0] = [timestampsSeconds[0], timestampsSeconds.at(-1)];
  const span = html`<p class="axis"><time datetime="${isoTime(from)}">${isoTime(from).slice(11, 16)}</time>
<time datetime="${isoTime(to)}">${isoTime(to).slice(11, 16)} UTC</time></p>`;
  const figures = courses.map(
    (course) =>
      html`<figure><figcaption>${course.feature} <small>${ranges(course)}</small></figcaption>${dayPlot(course)}${span}</figure>`,
  );
  return html`<div class="days">${figures}</div>
<p class="quiet">The line is the last 24 hours, the dotted line the 24 hours before them, the shaded band what is usual for the workload at
that time of day.</p>`;
}

function dayPlot(course: DayCourse): Html {
  const { today, yesterday, lower, upper } = course;
  const scale = scaleOf(today.length, [...today, ...yesterday, ...lower, ...upper], WIDTH, HEIGHT);
  return html`<svg class="plot day" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${course.feature} in the last 24 hours: ${ranges(course)}.">
${band(scale, lower, upper)}
${line(scale, yesterday, 'line before')}
${line(scale, today, 'line')}
</svg>`;
}

/** `0.17 to 2.34 cores, the day before 0.18 to 0.31 cores`. */
function ranges({ feature, unit, today, yesterday }: DayCourse): string {
  const range = (values: Float64Array) => {
    const known = finite(values);
    const value = (number: number) => featureValue(number, feature, unit);
    return known.length === 0 ? undefined : `${value(Math.min(...known))} to ${value(Math.max(...known))}`;
  };
  const before = range(yesterday);
  return `${range(today) ?? 'unknown'}${before === undefined ? '; the pod was not there the day before' : `, the day before ${before}`}`;
}
