/** The query parameters of `/detect`. */

import { z } from 'zod';

const NAMESPACE = 'the name of a namespace';
const LIMIT = 'a whole number of pods, 0 for all';

/** What people and programs read at once: 1,000 pods are some 700 KB. */
const DEFAULT_LIMIT = 1_000;

/** From the text of the parameters to filters; an issue's message says what was expected. */
export const DetectQuery = z.strictObject({
  namespace: z.string(NAMESPACE).min(1, NAMESPACE).optional().describe('Only pods of this namespace.'),
  flagged: z
    .enum(['true', 'false'], '`true` or `false`')
    .transform((text) => text === 'true')
    .pipe(z.boolean())
    .optional()
    .describe('`true`: only anomalous pods; `false`: only the others.'),
  limit: z
    .string(LIMIT)
    .regex(/^(0|[1-9]\d{0,14})$/, LIMIT)
    .transform(Number)
    .pipe(z.int().min(0))
    .default(DEFAULT_LIMIT)
    .describe('At most this many pods, the most anomalous ones; 0 for all. `matching` tells how many there are.'),
});

export type DetectQuery = z.infer<typeof DetectQuery>;

/** The filters of a query string, or sentences about everything that is invalid, such as a repeated parameter. */
export function parseDetectQuery(
  parameters: Readonly<Record<string, unknown>>,
): { readonly filters: DetectQuery } | { readonly mistakes: string } {
  const parsed = DetectQuery.safeParse(parameters);
  if (parsed.success) return { filters: parsed.data };
  const quote = (value: unknown): string => JSON.stringify(value);
  const mistakes = parsed.error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const known = Object.keys(DetectQuery.shape).join(', ');
      return `Unknown query parameter ${issue.keys.map(quote).join(', ')}. Known: ${known}.`;
    }
    const name = String(issue.path[0]);
    return `Expected ${name} to be ${issue.message}, got ${quote(parameters[name])}.`;
  });
  return { mistakes: mistakes.join(' ') };
}
