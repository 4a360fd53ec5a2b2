/** A query, narrowed to some namespaces. */

import { addMatchers } from '../features/matchers.js';
import { quotePromql } from '../features/promql.js';

/**
 * The query with a matcher for the namespaces in each selector that already has one for the label `namespace`. Other
 * selectors stay: their series may have no such label, and would all be lost.
 *
 * @param query sound PromQL.
 * @param namespaces one or more.
 */
export function narrowToNamespaces(query: string, namespaces: readonly string[]): string {
  const expression = namespaces.map(escapeRe2).join('|');
  return addMatchers(query, `namespace=~${quotePromql(expression)}`, (labels) =>
    labels.includes('namespace'),
  );
}

/** Names of namespaces have none of these characters, but the values of a label are anybody's. */
function escapeRe2(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}
