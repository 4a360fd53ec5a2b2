/** The schema of the Helm chart's values: Helm rejects a name that is not in it, before anything is installed. */

import { z } from 'zod';
import { SETTINGS, type SettingDefinition, variablesOf } from '../../src/exporter/config/settings.js';
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
  'image.repository': () => TEXT,
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

/** Each setting that the chart does not set itself. */
function settingsSchema(): Schema {
  const properties = definitions.flatMap((definition) => {
    const { env, help, expected } = definition;
    if (OWN_SETTINGS.has(env)) return [];
    const description = `${help} Accepts ${expected}.`.replaceAll('`', '');
    const file = { description: `The path of a file with ${env}.`, type: 'string' };
    const variables = variablesOf(definition).map((name) => [name, file] as const);
    const own = [env, { description, ...settingType(definition) }] as const;
    return [...variables.filter(([name]) => name !== env), own];
  });
  return objectOf(Object.fromEntries(properties));
}

/** The values of a setting that can be listed, or are numbers. Others are left to the exporter, which says what it expects. */
function settingType({ schema }: SettingDefinition<unknown>): Schema {
  const { enum: values, pattern } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  if (values !== undefined) return { enum: values.includes('true') ? [...values, true, false] : values };
  const { type, minimum, maximum } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
  // The pattern is for numbers in quotes, the limits are for those without.
  return type === 'number' ? { type: ['string', 'number'], pattern, minimum, maximum } : { type: ['string', 'number'] };
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
