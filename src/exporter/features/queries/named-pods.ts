/** Pods that queries name: servers limit the length of a query. */

import type { NamedPod } from '../table.js';

/** Characters beside the names of a pod: separators and escapes. */
const BESIDE_NAMES = 10;

/** The pods in groups, each with names of at most this number of characters together; a longer one is a group of its own. */
export function groupsByLength<Pod extends NamedPod>(pods: readonly Pod[], mostCharacters: number): Pod[][] {
  const groups: Pod[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const one of pods) {
    const own = one.namespace.length + one.pod.length + BESIDE_NAMES;
    if (length + own > mostCharacters) {
      groups.push([]);
      length = 0;
    }
    length += own;
    groups.at(-1)?.push(one);
  }
  return groups;
}
