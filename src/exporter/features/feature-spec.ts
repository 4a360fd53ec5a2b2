/** How a feature is described: the form of the built-in features and of those in a feature file. */

import { z } from 'zod';
import { PLACEHOLDER_NAMES } from './queries/template.js';

/** One key of a feature: what it may be, and what to tell a person about it. */
interface Field<Schema extends z.ZodType> {
  /** What is accepted, to read after "expected". */
  readonly expected: string;
  /** A value that is accepted and shows the form, as YAML. */
  readonly example: string;
  readonly schema: Schema;
}

const field = <Schema extends z.ZodType>(definition: Field<Schema>): Field<Schema> =>
  Object.freeze(definition);

const sentence = (longest: number) => z.string().trim().min(1).max(longest).regex(/^.*$/);

/** The keys of a feature, in the order of a file. */
export const FEATURE_FIELDS = Object.freeze({
  /** The column: in logs, in `/detect` and in labels of metrics. */
  name: field({
    expected: 'a name of at most 40 lower-case letters, digits and `_`, beginning with a letter',
    example: 'network_receive',
    schema: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/),
  }),
  help: field({
    expected: 'one line of at most 200 characters that says what the values are',
    example: 'Bytes received from the network',
    schema: sentence(200),
  }),
  /** PromQL with placeholders, that answers one value of 0 or above for each pod. */
  query: field({
    expected: `PromQL of at most 8192 characters, in which ${PLACEHOLDER_NAMES.map((name) => `{{${name}}}`).join(', ')} may stand`,
    example: `'sum by (namespace, pod) (some_metric{namespace=~"{{namespace_regex}}"})'`,
    schema: z
      .string()
      .max(8192)
      .refine((text) => text.trim() !== ''),
  }),
  /** The label of the answer that carries the pod's name. */
  pod_label: field({
    expected: 'a Prometheus label name, or `{{pod_label}}`',
    example: 'pod',
    schema: z
      .string()
      .regex(/^(?:[a-zA-Z_][a-zA-Z0-9_]*|\{\{[ \t]*pod_label[ \t]*\}\})$/)
      .default('pod'),
  }),
  unit: field({
    expected: 'one line of at most 40 characters: the unit of the values',
    example: 'bytes per second',
    schema: sentence(40),
  }),
  /** What the values are: a height, or a count of events from an arbitrary beginning. */
  type: field({
    expected: '`gauge` (judged by its value) or `counter` (judged by its rise in the last ten minutes)',
    example: 'gauge',
    schema: z.enum(['gauge', 'counter']).default('gauge'),
  }),
  /** Whether only a rise is a fault, or a fall as well. */
  direction: field({
    expected: '`both` (a rise or a fall is a fault) or `up` (only a rise is)',
    example: 'both',
    schema: z.enum(['both', 'up']),
  }),
  /** The smallest spread that a baseline may have: below it, noise of the measurement begins. */
  spread_floor: field({
    expected: 'a number above 0, in the unit of the feature',
    example: '1024',
    schema: z.number().positive(),
  }),
  /** The smallest spread as a share of the usual level. */
  relative_spread_floor: field({
    expected: 'a number from 0 to 1, a share of the usual level',
    example: '0.1',
    schema: z.number().min(0).max(1).default(0.1),
  }),
  /** Whether a pod without this feature goes unscored; otherwise the feature reads as 0 there. */
  required: field({
    expected: '`true` (a pod without it is not scored) or `false` (it reads as 0 there)',
    example: 'false',
    schema: z.boolean().default(false),
  }),
});

/** One feature, with nothing but the known keys. */
export const FeatureSpec = z.strictObject({
  name: FEATURE_FIELDS.name.schema,
  help: FEATURE_FIELDS.help.schema,
  query: FEATURE_FIELDS.query.schema,
  pod_label: FEATURE_FIELDS.pod_label.schema,
  unit: FEATURE_FIELDS.unit.schema,
  type: FEATURE_FIELDS.type.schema,
  direction: FEATURE_FIELDS.direction.schema,
  spread_floor: FEATURE_FIELDS.spread_floor.schema,
  relative_spread_floor: FEATURE_FIELDS.relative_spread_floor.schema,
  required: FEATURE_FIELDS.required.schema,
});

export type FeatureSpec = Readonly<z.output<typeof FeatureSpec>>;
