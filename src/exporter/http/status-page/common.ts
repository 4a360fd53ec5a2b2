/** What the anomalies of several workloads have in common: a node, a namespace, or everything. */

import { counted, formatPercent } from '../../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import type { NodePods } from '../../context/nodes.js';
import { filterLink } from './filters.js';
import { runbookLink } from './next.js';
import type { Selection } from './selection.js';

/** As the rules have it: more than this share of the pods, and at least this many. */
const LEAST_SHARE = 0.5;
const LEAST_PODS = 3;
const LEAST_SHARE_OF_ALL = 0.2;
const LEAST_OF_ALL = 5;

/** A list of what they have in common; nothing where they have nothing. @param nodes with several pods whose anomaly lasts. */
export function inCommon(selection: Selection, nodes: readonly NodePods[]): Html {
  const { lasting, scored, matchingWorkloads, namespaceCounts } = selection;
  if (matchingWorkloads < 2) return NO_HTML;
  const isMost = (own: { readonly lasting: number; readonly scored: number }) =>
    own.lasting >= LEAST_PODS && own.lasting > LEAST_SHARE * own.scored;
  const share = ({ lasting: some, scored: all }: { readonly lasting: number; readonly scored: number }) =>
    html`${some} of ${counted(all, 'pod')}`;
  const items = [
    ...(lasting >= LEAST_OF_ALL && lasting > LEAST_SHARE_OF_ALL * scored
      ? [
          html`<strong>${formatPercent(lasting / scored)} of all pods</strong> have an anomaly that lasts; ${runbookLink('AnomalyMassFlagging')}`,
        ]
      : []),
    ...nodes
      .filter(isMost)
      .map(
        (own) =>
          html`node <strong><bdi>${own.node}</bdi></strong>: ${share(own)} on it; ${runbookLink('NodeAnomalous')}`,
      ),
    ...[...namespaceCounts]
      .filter(([, own]) => own.workloads.size > 1 && isMost(own))
      .map(
        ([namespace, own]) =>
          html`namespace <a href="${filterLink({ namespace })}"><bdi>${namespace}</bdi></a>: ${share(own)} in ${counted(own.workloads.size, 'workload')}; ${runbookLink('NamespaceAnomalous')}`,
      ),
  ];
  if (items.length === 0) return NO_HTML;
  return html`<div class="common"><p>What they have in common, by pods whose anomaly lasts:</p>
<ul>${items.slice(0, 10).map((item) => html`<li>${item}</li>`)}</ul></div>`;
}
