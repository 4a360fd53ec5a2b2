/** The schema of the Helm chart's values: Helm rejects a name that is not in it, before anything is installed. */

import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { z } from 'zod';
import { SETTINGS, type SettingDefinition, variablesOf } from '../../src/exporter/config/settings.js';
import { alertsOf, parseRules, RULES_FILE } from '../prometheus-rules.js';
import { type ChartValue, readChartValues } from './values.js';

/** A JSON Schema, draft 7. */
export type Schema = Readonly<Record<string, unknown>>;

const definitions: readonly SettingDefinition<unknown>[] = Object.values(SETTINGS);

/** Settings that follow from other values of the chart. */
const OWN_SETTINGS: ReadonlySet<string> = new Set([
  'PORT',
  'SHARD',
  'TOTAL_SHARDS',
  'MODEL_PATH',
  'FEATURES_FILE',
  'TUNING_FILE',
  'WEB_CONFIG_FILE',
]);

/** Values with a default, without which something else decides. */
const REMOVABLE: ReadonlySet<string> = new Set(['replicas']);

const objectOf = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  additionalProperties: false,
  properties,
});

/** In ConfigMaps, labels and annotations, every value is a text. */
const TEXTS: Schema = { type: 'object', additionalProperties: { type: 'string' } };
const TEXT: Schema = { type: 'string', minLength: 1 };
const QUANTITY: Schema = { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?(m|k|M|G|Ki|Mi|Gi)?$' };
const QUANTITIES: Schema = {
  type: 'object',
  properties: {
    cpu: { anyOf: [QUANTITY, { type: 'number' }] },
    memory: { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?(k|M|G|Ki|Mi|Gi)?$' },
  },
  additionalProperties: { type: ['string', 'number'] },
};
const DURATION: Schema = { type: 'string', pattern: '^([0-9]+h)?([0-9]+m)?([0-9]+s)?$', minLength: 2 };

/** More than the default of a value says about it. */
const TYPES: Readonly<Record<string, () => Schema>> = {
  fullnameOverride: () => ({ type: 'string', pattern: '^([a-z]([-a-z0-9]{0,50}[a-z0-9])?)?$' }),
  // The tag has a value of its own.
  'image.repository': () => ({ type: 'string', pattern: '^([^/:@]+(:[0-9]+)?/)?[^:@]+$' }),
  'image.digest': () => ({ type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' }),
  'image.pullPolicy': () => ({ enum: ['', 'Always', 'IfNotPresent', 'Never'] }),
  'image.pullSecrets': () => ({
    type: 'array',
    items: { ...objectOf({ name: TEXT }), required: ['name'] },
  }),
  'code.configMap': () => TEXT,
  'code.packages': () => ({ enum: ['bundled', 'installed'] }),
  'code.image': () => TEXT,
  settings: settingsSchema,
  settingFiles: settingFilesSchema,
  replicas: () => ({ type: 'integer', minimum: 0 }),
  shards: () => ({ type: 'integer', minimum: 1, maximum: 1000 }),
  resources: () => objectOf({ requests: QUANTITIES, limits: QUANTITIES, claims: { type: 'array' } }),
  'persistence.accessModes': () => ({
    type: 'array',
    minItems: 1,
    items: { enum: ['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany'] },
  }),
  'persistence.size': () => QUANTITY,
  'service.type': () => ({ enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] }),
  'service.port': () => PORT,
  'serviceMonitor.apiVersion': () => TEXT,
  'serviceMonitor.interval': () => DURATION,
  'serviceMonitor.scrapeTimeout': () => DURATION,
  'prometheusRule.apiVersion': () => TEXT,
  'prometheusRule.disabledAlerts': alertsSchema,
  'clusterRules.disabledAlerts': alertsSchema,
  'clusterPodMonitoring.interval': () => DURATION,
  'networkPolicy.prometheusPort': () => PORT,
  'podDisruptionBudget.maxUnavailable': () => ({
    anyOf: [
      { type: 'integer', minimum: 0 },
      { type: 'string', pattern: '^[0-9]+%$' },
    ],
  }),
};

const PORT: Schema = { type: 'integer', minimum: 1, maximum: 65535 };

/** The text of `values.schema.json`. */
export function valuesSchema(): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart k8s-anomaly-detector',
    $comment: 'Generated from values.yaml and the settings of the exporter: npm run docs',
    ...sectionOf(readChartValues(), '', {
      // A chart that depends on this one adds these two.
      global: { description: 'Values of all charts of a release. This chart uses none.', type: 'object' },
      enabled: { description: 'For the condition of a chart that depends on this one.', type: 'boolean' },
    }),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function schemaOf({ name, description, fallback, children }: ChartValue, parent: string): Schema {
  const path = `${parent}${name}`;
  if (children.length > 0) return sectionOf(children, `${path}.`);
  return { description, ...typeOf(path, fallback) };
}

function sectionOf(values: readonly ChartValue[], parent: string, more: Readonly<Record<string, Schema>> = {}): Schema {
  // `null` removes a value. Texts, lists and maps that are empty by default may be removed.
  const required = values.filter(
    ({ name, children, fallback }) => children.length > 0 || (isNeeded(fallback) && !REMOVABLE.has(`${parent}${name}`)),
  );
  return {
    ...objectOf({ ...Object.fromEntries(values.map((value) => [value.name, schemaOf(value, parent)])), ...more }),
    required: required.map(({ name }) => name),
  };
}

const isNeeded = (fallback: unknown) => fallback !== '' && typeof fallback !== 'object';

/** @throws Error for a default that says nothing about the type. */
function typeOf(path: string, fallback: unknown): Schema {
  const known = TYPES[path];
  if (known !== undefined) return known();
  if (/(?:labels|annotations)$/i.test(path)) return TEXTS;
  if (path === 'nodeSelector') return TEXTS;
  if (Array.isArray(fallback)) return { type: 'array', items: { type: 'object' } };
  if (typeof fallback === 'object' && fallback !== null) return { type: 'object' };
  if (typeof fallback === 'string' || typeof fallback === 'boolean') return { type: typeof fallback };
  throw new Error(`Expected a text, a boolean, a list or a map as default of ${path}, or its type in TYPES.`);
}

/** A list of names of alerts. */
function alertsSchema(): Schema {
  const names = alertsOf(parseRules(readFileSync(RULES_FILE, 'utf8'))).map(({ alert }) => alert);
  return { type: 'array', items: { enum: [...new Set(names)] } };
}

/** Each setting that the chart does not set itself. */
function settingsSchema(): Schema {
  const properties = definitions.flatMap((definition) => {
    const { env, help, expected } = definition;
    if (OWN_SETTINGS.has(env)) return [];
    const description = `${help} Accepts ${expected}.`.replaceAll('`', '');
    const file = { description: `The path of a file with ${env}.`, type: ['string', 'null'] };
    const variables = variablesOf(definition).map((name) => [name, file] as const);
    const own = [env, { description, ...settingType(definition) }] as const;
    return [...variables.filter(([name]) => name !== env), own];
  });
  return objectOf(Object.fromEntries(properties));
}

/**
 * What a text must look like for a setting, as far as a schema can say it; the rest is left to the templates and to the exporter.
 * The text of a secret has no pattern: Helm shows what does not match.
 */
function settingType(definition: SettingDefinition<unknown>): Schema {
  const { schema, secret } = definition;
  const input: Part = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const output: Part = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
  // YAML without quotes has numbers. `null` takes back what an earlier file has.
  const takesNumbers = output.type === 'number' || ['1', '0.5'].some((text) => schema.safeParse(text).success);
  const type = takesNumbers ? ['string', 'number', 'null'] : ['string', 'null'];
  if (secret !== undefined) return { type };
  if (input.enum !== undefined) {
    return { enum: [...input.enum, ...(input.enum.includes('true') ? [true, false] : []), null] };
  }
  if (input.anyOf === undefined) return { type, ...constraintsOf(input, output) };
  const choices = input.anyOf.map((part, index) => constraintsOf(part, output.anyOf?.[index] ?? {}));
  return { type, anyOf: choices };
}

/** A schema, or one of several of which one must match. */
interface Part {
  readonly [keyword: string]: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Part[];
}

/** The pattern is for texts, the limits are for numbers without quotes. */
function constraintsOf(input: Part, { type, minimum, exclusiveMinimum, maximum }: Part): Schema {
  const { const: only, pattern, allOf } = input;
  const limits = type === 'number' ? { minimum, exclusiveMinimum, maximum } : {};
  return { const: only, pattern, allOf, ...limits };
}

/** The limits of settings that are numbers, as YAML. The schema has them for numbers only, and people quote numbers. */
export function settingLimits(): string {
  const limits = definitions.flatMap(({ env, expected, schema }) => {
    const { type, minimum, maximum } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
    return type === 'number' && !OWN_SETTINGS.has(env) ? [[env, { expected, minimum, maximum }] as const] : [];
  });
  return `# Generated from the settings of the exporter: npm run docs\n${stringify(Object.fromEntries(limits))}`;
}

/** The settings that are files, each in a key of a Secret or of a ConfigMap. */
function settingFilesSchema(): Schema {
  const names = definitions.flatMap(variablesOf).filter((name) => name.endsWith('_FILE') && !OWN_SETTINGS.has(name));
  const file = {
    ...objectOf({ secret: TEXT, configMap: TEXT, key: TEXT }),
    required: ['key'],
    oneOf: [{ required: ['secret'] }, { required: ['configMap'] }],
  };
  return objectOf(Object.fromEntries(names.map((name) => [name, file])));
}
