/** Which pods the page is asked for: the parameters of its address. */

import { z } from 'zod';

/** The parameters as the API document describes them. */
export const StatusQuery = z.object({
  namespace: z.string().optional().describe('Only pods of this namespace.'),
  workload: z.string().optional().describe('Only pods of the workload with this name.'),
  pod: z.string().optional().describe('Only the pod with this name: all that is known of it, and its siblings.'),
});

/** Which pods to show; `undefined` does not filter. */
export type Filters = Readonly<Record<keyof z.infer<typeof StatusQuery>, string | undefined>>;

/** Longer than any name that is scored (`isObjectName`). */
const LONGEST_NAME = 253;

/**
 * Reads the query string. A parameter that is repeated counts as absent. An invalid filter is ignored: a person with a
 * wrong link still sees the page.
 */
export function readFilters(parameters: Readonly<Record<string, unknown>>): Filters {
  const nameIn = (value: unknown) => {
    const name = typeof value === 'string' ? value.trim() : '';
    return name === '' || name.length > LONGEST_NAME ? undefined : name;
  };
  return {
    namespace: nameIn(parameters.namespace),
    workload: nameIn(parameters.workload),
    pod: nameIn(parameters.pod),
  };
}

/** A link to the page with these filters, relative to it. */
export function filterLink({ namespace, workload, pod }: Partial<Filters>): string {
  return `?${new URLSearchParams({ ...(namespace && { namespace }), ...(workload && { workload }), ...(pod && { pod }) })}`;
}

export const isFiltered = (filters: Filters) => Object.values(filters).some((name) => name !== undefined);

/** Whether something passes the filters; what has no name of a kind passes the filter for it. */
export function passes(
  filters: Filters,
  own: { readonly namespace: string; readonly workload: string; readonly pod: string },
): boolean {
  return (
    (filters.namespace ?? own.namespace) === own.namespace &&
    (filters.workload ?? own.workload) === own.workload &&
    (filters.pod ?? own.pod) === own.pod
  );
}
