/** The table of values in the README of the Helm chart. */

import { type ChartValue, readChartValues } from './values.js';

/** A Markdown table: each value with its default and its description. */
export function chartValuesMarkdown(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = leavesOf(readChartValues(), '').map(({ name, fallback, description }) => {
    const shown = fallback === '' ? '(empty)' : `\`${cell(JSON.stringify(fallback))}\``;
    return `| \`${name}\` | ${shown} | ${cell(description)} |`;
  });
  return ['| value | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

/** The values without their sections, with names such as `image.tag`. */
function leavesOf(values: readonly ChartValue[], parent: string): readonly ChartValue[] {
  return values.flatMap((value) => {
    const named = { ...value, name: `${parent}${value.name}` };
    return value.children.length > 0 ? leavesOf(value.children, `${named.name}.`) : [named];
  });
}
