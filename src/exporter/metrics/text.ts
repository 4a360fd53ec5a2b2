/** Parts of Prometheus' text format, which are those of OpenMetrics as well. */

/** `{namespace="shop",pod="cart-0"}`; empty without labels. */
export function labelText(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return '';
  return `{${values.map((value, index) => `${names[index]}="${escapeLabel(value)}"`).join(',')}}`;
}

/** As prom-client writes numbers, `NaN` aside: none is exposed. */
export function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

export function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** Hardly any label needs it: one look instead of three. */
function escapeLabel(value: string): string {
  return /[\\\n"]/.test(value) ? escapeHelp(value).replaceAll('"', '\\"') : value;
}
