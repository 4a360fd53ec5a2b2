/** The features that a person describes in a YAML file, and all that can be wrong with the file. */

import type { Document } from 'yaml';
import { z } from 'zod';
import { excerpt } from '../../../lib/text/excerpt.js';
import { offsetAt, type YamlPath } from '../../../lib/yaml/offsets.js';
import {
  describeValue,
  parseYaml,
  quoted,
  reportUnknownKeys,
  valueAt,
  YamlReport,
  yamlToJs,
} from '../../../lib/yaml/report.js';
import { BUILTIN_FEATURES, type FeatureDefinition, toDefinition } from '../catalog.js';
import { FEATURE_FIELDS, FeatureSpec } from '../feature-spec.js';
import { buildOwnerQueries } from '../owners.js';
import type { OwnerQueries } from '../workload.js';
import { type OffsetMistake, promqlMistakes } from './promql.js';
import { type FilledTemplate, fillTemplate, type QueryOptions } from './template.js';

/** Features and where each comes from, and the queries that go with them. */
export interface FeatureSet {
  readonly features: readonly FeatureDefinition[];
  readonly ownerQueries: OwnerQueries;
  /** By name, for messages: `features.yaml:12:5`. A built-in feature has none. */
  readonly places: ReadonlyMap<string, string>;
}

/** Each feature is a query in every scrape, and thins out what a tree of the forest sees of the others. */
export const MAXIMUM_FEATURES = 16;

const BUILTIN_NAMES = BUILTIN_FEATURES.map(({ name }) => name);

/** The file without the fields of its features. */
const FileShape = z.strictObject({
  builtin: z.array(z.enum(BUILTIN_NAMES)).default([]),
  features: z.array(z.unknown()).default([]),
});

/**
 * Reads a feature file. What it names is all: the built-in features are only among them where `builtin` says so.
 *
 * @param path its name, for messages.
 * @param options what the placeholders in its queries stand for.
 * @throws {MistakesError} with every mistake: of YAML, or else of shape, names, placeholders and PromQL.
 */
export function parseFeatureFile(text: string, path: string, options: QueryOptions): FeatureSet {
  const report = new YamlReport(text, path, `the feature file ${path}`);
  const document = parseYaml(report, (offset) =>
    excerpt(text, offset).startsWith('query:') ? ` ${QUERY_ADVICE}` : '',
  );
  const shape = FileShape.safeParse(yamlToJs(document, report));
  if (!shape.success) reportShape(shape.error.issues, document, report);
  const builtin = shape.data?.builtin ?? [];
  const taken = BUILTIN_FEATURES.filter(({ name }) => builtin.includes(name));
  const own = listIn(document.toJS()).map((value, index) => ({
    offset: offsetAt(document, ['features', index]),
    spec: parseFeature(value, ['features', index], { document, options, report }),
  }));
  if (shape.success) reportSet([...taken, ...own.map(({ spec }) => spec)], builtin, document, report);
  report.throwIfAny();
  const found = own.flatMap(({ offset, spec }) => (spec === undefined ? [] : [{ offset, spec }]));
  return {
    features: [...taken, ...found.map(({ spec }) => spec)].map((spec) => toDefinition(spec, options)),
    ownerQueries: buildOwnerQueries(options),
    places: new Map(found.map(({ offset, spec }) => [spec.name, report.place(offset)])),
  };
}

const QUERY_ADVICE = 'Write a query after `|`, on lines of its own: there it needs no quotes.';

/** The features of a file, even if its other keys are invalid: mistakes in the features are reported as well. */
function listIn(value: unknown): readonly unknown[] {
  const features = valueAt(value, ['features']);
  return Array.isArray(features) ? features : [];
}

function reportShape(
  issues: readonly z.core.$ZodIssue[],
  document: Document.Parsed,
  report: YamlReport,
): void {
  const value: unknown = document.toJS();
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') {
      reportUnknownKeys(issue.keys, issue.path, Object.keys(FileShape.shape), { document, report }, '');
    } else {
      const expected = expectedInFile(issue.path);
      const got = describeValue(valueAt(value, issue.path));
      report.add(offsetAt(document, issue.path), `expected ${expected}, got ${got}.`);
    }
  }
}

function expectedInFile([key]: YamlPath): string {
  if (key === 'builtin') return `\`builtin\` to be a list of ${quoted(BUILTIN_NAMES)}`;
  if (key === 'features') return '`features` to be a list of features';
  return 'a mapping with the key `features`, `builtin` or both';
}

interface Surroundings {
  readonly document: Document.Parsed;
  readonly report: YamlReport;
}

/** The feature, or `undefined` where it has a mistake, which is reported. */
function parseFeature(
  value: unknown,
  path: YamlPath,
  surroundings: Surroundings & { readonly options: QueryOptions },
): FeatureSpec | undefined {
  const { document, report } = surroundings;
  const name = valueAt(value, ['name']);
  const title = typeof name === 'string' && name !== '' ? name : `feature ${Number(path[1]) + 1}`;
  const parsed = FeatureSpec.safeParse(value);
  if (!parsed.success) {
    const seen = new Set<string>();
    for (const issue of parsed.error.issues) {
      if (issue.code === 'unrecognized_keys') {
        const known = Object.keys(FEATURE_FIELDS);
        reportUnknownKeys(issue.keys, [...path, ...issue.path], known, surroundings, `${title}: `);
        continue;
      }
      const key = String(issue.path[0] ?? '');
      // Of one value, one mistake is enough.
      if (seen.has(key)) continue;
      seen.add(key);
      const sentence = `${title}: ${fieldMistake(key, valueAt(value, issue.path))}`;
      report.add(offsetAt(document, [...path, ...issue.path]), sentence);
    }
  }
  const isQuerySound = checkQuery(value, path, title, surroundings);
  return parsed.success && isQuerySound ? parsed.data : undefined;
}

function fieldMistake(key: string, value: unknown): string {
  const field = Object.hasOwn(FEATURE_FIELDS, key)
    ? FEATURE_FIELDS[key as keyof typeof FEATURE_FIELDS]
    : undefined;
  if (field === undefined) {
    return `expected a mapping with the keys ${quoted(Object.keys(FEATURE_FIELDS))}, got ${describeValue(value)}.`;
  }
  return `${key}: expected ${field.expected}, got ${describeValue(value)}. Example: ${key}: ${field.example}`;
}

/** Reports the mistakes within a query, even of a feature that has others. */
function checkQuery(
  value: unknown,
  path: YamlPath,
  title: string,
  { document, report, options }: Surroundings & { readonly options: QueryOptions },
): boolean {
  const query = FEATURE_FIELDS.query.schema.safeParse(valueAt(value, ['query']));
  const podLabel = FEATURE_FIELDS.pod_label.schema.safeParse(valueAt(value, ['pod_label']));
  if (!query.success || !podLabel.success) return false;
  const text = query.data.trimEnd();
  const mistakes = queryMistakes(text, podLabel.data, options);
  for (const { offset, sentence } of mistakes) {
    report.add(
      offsetAt(document, [...path, 'query']),
      `${title}: query: ${sentence}\n${excerpt(text, offset)}`,
    );
  }
  return mistakes.length === 0;
}

/** The mistakes of a query by their offsets in the template. The PromQL is judged once the placeholders are right. */
function queryMistakes(template: string, podLabel: string, options: QueryOptions): readonly OffsetMistake[] {
  const filled = fillTemplate(template, options);
  if (filled.mistakes.length > 0) return filled.mistakes;
  const labels = ['namespace', fillTemplate(podLabel, options).text];
  const mistakes = promqlMistakes(filled.text, labels).map(({ offset, sentence }) => ({
    offset: filled.templateOffset(offset),
    sentence,
  }));
  return mistakes.length > 0 ? mistakes : scopeMistakes(template, filled);
}

/** Without the namespaces, NAMESPACE_REGEX would be passed over in silence. */
function scopeMistakes(template: string, { hasNamespaceRegex }: FilledTemplate): readonly OffsetMistake[] {
  if (hasNamespaceRegex) return [];
  return [
    {
      offset: template.length - template.trimStart().length,
      sentence:
        'expected the query to select the namespaces of NAMESPACE_REGEX, as in ' +
        '`some_metric{namespace=~"{{namespace_regex}}"}`, got no `{{namespace_regex}}`.',
    },
  ];
}

/** What must hold of all features together. Those with mistakes of their own are `undefined`. */
function reportSet(
  specs: readonly (FeatureSpec | undefined)[],
  builtin: readonly string[],
  document: Document.Parsed,
  report: YamlReport,
): void {
  const start = offsetAt(document, []);
  if (specs.length === 0) report.add(start, `expected at least one feature, got none. ${EXAMPLE}`);
  else if (specs.length > MAXIMUM_FEATURES) {
    report.add(start, `expected at most ${MAXIMUM_FEATURES} features, got ${specs.length}.`);
  }
  const isComplete = specs.every((spec) => spec !== undefined);
  if (specs.length > 0 && isComplete && !specs.some((spec) => spec?.required)) {
    report.add(start, 'expected a feature with `required: true`, got none: it tells which pods are there.');
  }
  for (const [index, name] of builtin.entries()) {
    if (builtin.indexOf(name) < index) {
      const offset = offsetAt(document, ['builtin', index]);
      report.add(offset, `expected each built-in feature once, got \`${name}\` again.`);
    }
  }
  reportRepeatedNames(builtin, document, report);
}

function reportRepeatedNames(
  builtin: readonly string[],
  document: Document.Parsed,
  report: YamlReport,
): void {
  const seen = new Set<unknown>(builtin);
  for (const [index, value] of listIn(document.toJS()).entries()) {
    const name = valueAt(value, ['name']);
    if (name === undefined) continue;
    if (seen.has(name)) {
      const offset = offsetAt(document, ['features', index, 'name']);
      const first = builtin.includes(String(name)) ? 'a built-in feature' : 'an earlier feature';
      report.add(offset, `expected a name of its own, got ${describeValue(name)}, which ${first} has.`);
    }
    seen.add(name);
  }
}

const EXAMPLE = 'Example: builtin: [cpu, memory, restarts]';
