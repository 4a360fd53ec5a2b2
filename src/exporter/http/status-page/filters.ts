/** The filters of the page. An invalid filter is ignored: a person with a wrong link still sees the page. */

import { z } from 'zod';

/** The parameters as the API document describes them. */
export const StatusQuery = z.object({
  namespace: z.string().optional().describe('Only pods of this namespace.'),
  workload: z.string().optional().describe('Only pods of the workload with this name.'),
});

/** Which pods to show; `undefined` does not filter. */
export interface Filters {
  readonly namespace: string | undefined;
  readonly workload: string | undefined;
}

/** Longer than any name that is scored (`isObjectName`). */
const LONGEST_NAME = 253;

/** Reads the query string. A parameter that is repeated counts as absent. */
export function readFilters(parameters: Readonly<Record<string, unknown>>): Filters {
  return { namespace: nameIn(parameters.namespace), workload: nameIn(parameters.workload) };
}

function nameIn(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const name = value.trim();
  return name === '' || name.length > LONGEST_NAME ? undefined : name;
}

/** A link to the page with these filters, relative to it. */
export function filterLink({ namespace, workload }: Filters): string {
  const parameters = new URLSearchParams();
  if (namespace !== undefined) parameters.set('namespace', namespace);
  if (workload !== undefined) parameters.set('workload', workload);
  return `?${parameters}`;
}
