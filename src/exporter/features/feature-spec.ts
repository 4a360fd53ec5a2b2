/** How a feature is described: the form of the built-in features and of those in a feature file. */

import { z } from 'zod';
import { PLACEHOLDER_NAMES } from './queries/template.js';

/** Divided by it, the largest value that counts stays finite, as does its square. */
export const LEAST_SPREAD_FLOOR = 1e-30;

const line = (longest: number) => z.string().trim().min(1).max(longest).regex(/^.*$/);

/** One feature: the known keys, in the order of a file, and no other. */
export const FeatureSpec = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/),
  help: line(200),
  query: z.string().max(8192).regex(/\S/),
  pod_label: z
    .string()
    .regex(/^(?:[a-zA-Z_][\w./-]*|\{\{[ \t]*pod_label[ \t]*\}\})$/)
    .default('pod'),
  unit: line(40),
  type: z.enum(['gauge', 'counter']).default('gauge'),
  direction: z.enum(['both', 'up', 'brief_falls']),
  spread_floor: z.number().min(LEAST_SPREAD_FLOOR).max(1e30),
  relative_spread_floor: z.number().min(0).max(1).default(0.1),
  required: z.boolean().default(false),
});

export type FeatureSpec = Readonly<z.output<typeof FeatureSpec>>;

/** What each key accepts, to read after "expected", and a value that shows the form, as YAML. */
export const FEATURE_KEYS: Readonly<Record<string, readonly [expected: string, example: string]>> = {
  name: ['a name of at most 40 lower-case letters, digits and `_`, beginning with a letter', 'network_receive'],
  help: ['one line of at most 200 characters that says what the values are', 'Bytes received from the network'],
  query: [
    `PromQL of at most 8192 characters, in which ${PLACEHOLDER_NAMES.map((name) => `{{${name}}}`).join(', ')} may stand`,
    `'sum by (namespace, pod) (some_metric{namespace=~"{{namespace_regex}}"})'`,
  ],
  pod_label: ['a Prometheus label name, or `{{pod_label}}`', 'pod'],
  unit: ['one line of at most 40 characters: the unit of the values', 'bytes per second'],
  type: [
    '`gauge` (judged by its value) or `counter` (judged by its rise in the ten minutes up to the last one)',
    'gauge',
  ],
  direction: [
    '`both` (a rise or a fall is a fault), `up` (only a rise is) or `brief_falls` (a fall is one in its first minutes)',
    'both',
  ],
  spread_floor: ['a number from 1e-30 to 1e30, in the unit of the feature', '1024'],
  relative_spread_floor: ['a number from 0 to 1, a share of the usual level', '0.1'],
  required: ['`true` (a pod without it is not scored) or `false` (it reads as 0 there)', 'false'],
};
