/** The features that a person describes in a YAML file, and all that can be wrong with the file. */

import type { Document } from 'yaml';
import { z } from 'zod';
import { readBoundedText, UnreadableFileError } from '../../../lib/files/bounded-file.js';
import { excerpt } from '../../../lib/text/excerpt.js';
import { MistakesError } from '../../../lib/usage-error.js';
import {
  describeValue,
  offsetAt,
  parseYaml,
  quoted,
  reportUnknownKeys,
  valueAt,
  type YamlPath,
  YamlReport,
  yamlToJs,
} from '../../../lib/yaml/report.js';
import { BUILTIN_FEATURES, buildCatalog, type FeatureDefinition, toDefinition } from '../catalog.js';
import { FEATURE_KEYS, FeatureSpec } from '../feature-spec.js';
import { buildOwnerQueries, type OwnerQueries } from '../workload.js';
import { type OffsetMistake, promqlMistakes } from './promql.js';
import { fillTemplate, type QueryOptions } from './template.js';

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

/** A parsed file, and what its placeholders stand for. */
interface File {
  readonly document: Document.Parsed;
  readonly report: YamlReport;
  readonly options: QueryOptions;
}

/**
 * The features of the file at `path`, or the built-in ones where it is empty.
 *
 * @param path relative to the working directory, or absolute.
 * @throws {MistakesError} when the file cannot be read, or is wrong.
 */
export async function loadFeatures(path: string, options: QueryOptions): Promise<FeatureSet> {
  if (path === '') {
    const ownerQueries = buildOwnerQueries(options);
    return { features: buildCatalog(options), ownerQueries, places: new Map() };
  }
  const text = await readBoundedText(path).catch((error: unknown) => {
    if (!(error instanceof UnreadableFileError)) throw error;
    throw new MistakesError(`the feature file ${path}`, [
      `FEATURES_FILE: cannot read ${path}: ${error.reason}. Example: FEATURES_FILE="/etc/detector/features.yaml"`,
    ]);
  });
  return parseFeatureFile(text, path, options);
}

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
    excerpt(text, offset).startsWith('query:')
      ? ' Write a query after `|`, on lines of its own: there it needs no quotes.'
      : '',
  );
  const file: File = { document, report, options };
  const value = yamlToJs(document, report);
  const shape = FileShape.safeParse(value);
  if (!shape.success) reportShape(shape.error.issues, value, file);
  const builtin = shape.data?.builtin ?? [];
  const taken = BUILTIN_FEATURES.filter(({ name }) => builtin.includes(name));
  // Even of a file whose other keys are wrong, the features' own mistakes are reported.
  const features = valueAt(value, ['features']);
  const list: readonly unknown[] = Array.isArray(features) ? features : [];
  const own = list.map((feature, index) => parseFeature(feature, index, file));
  if (shape.success) reportSet([...taken, ...own], builtin, list, file);
  report.throwIfAny();
  const specs = own.filter((spec) => spec !== undefined);
  return {
    features: [...taken, ...specs].map((spec) => toDefinition(spec, options)),
    ownerQueries: buildOwnerQueries(options),
    places: new Map(
      specs.map(({ name }, index) => [name, report.place(offsetAt(document, ['features', index]))]),
    ),
  };
}

function reportShape(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  { document, report }: Pick<File, 'document' | 'report'>,
): void {
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') {
      reportUnknownKeys(issue.keys, issue.path, Object.keys(FileShape.shape), { document, report }, '');
    } else {
      const got = describeValue(valueAt(value, issue.path));
      report.add(offsetAt(document, issue.path), `expected ${expectedInFile(issue.path)}, got ${got}.`);
    }
  }
}

function expectedInFile([key]: YamlPath): string {
  if (key === 'builtin') return `\`builtin\` to be a list of ${quoted(BUILTIN_NAMES)}`;
  if (key === 'features') return '`features` to be a list of features';
  return 'a mapping with the key `features`, `builtin` or both';
}

/** The feature, or `undefined` where it has a mistake, which is reported. */
function parseFeature(value: unknown, index: number, file: File): FeatureSpec | undefined {
  const { document, report } = file;
  const path = ['features', index];
  const name = valueAt(value, ['name']);
  const title = typeof name === 'string' && name !== '' ? name : `feature ${index + 1}`;
  const parsed = FeatureSpec.safeParse(value);
  const seen = new Set<string>();
  for (const issue of parsed.error?.issues ?? []) {
    const place = [...path, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      reportUnknownKeys(issue.keys, place, Object.keys(FEATURE_KEYS), file, `${title}: `);
      continue;
    }
    const key = String(issue.path[0] ?? '');
    // Of one value, one mistake is enough.
    if (seen.has(key)) continue;
    seen.add(key);
    report.add(
      offsetAt(document, place),
      `${title}: ${fieldMistake(key, describeValue(valueAt(value, issue.path)))}`,
    );
  }
  const isQueryValid = checkQuery(value, path, title, file);
  return parsed.success && isQueryValid ? parsed.data : undefined;
}

function fieldMistake(key: string, got: string): string {
  const [expected, example] = FEATURE_KEYS[key] ?? [];
  return expected === undefined
    ? `expected a mapping with the keys ${quoted(Object.keys(FEATURE_KEYS))}, got ${got}.`
    : `${key}: expected ${expected}, got ${got}. Example: ${key}: ${example}`;
}

/** Reports the mistakes within a query, even of a feature that has others. */
function checkQuery(
  value: unknown,
  path: YamlPath,
  title: string,
  { document, report, options }: File,
): boolean {
  const query = FeatureSpec.shape.query.safeParse(valueAt(value, ['query']));
  const podLabel = FeatureSpec.shape.pod_label.safeParse(valueAt(value, ['pod_label']));
  if (!query.success || !podLabel.success) return false;
  const text = query.data.trimEnd();
  const mistakes = queryMistakes(text, podLabel.data, options);
  for (const { offset, sentence } of mistakes) {
    const place = offsetAt(document, [...path, 'query']);
    report.add(place, `${title}: query: ${sentence}\n${excerpt(text, offset)}`);
  }
  return mistakes.length === 0;
}

/** The mistakes of a query by their offsets in the template. The PromQL is judged once the placeholders are right. */
function queryMistakes(template: string, podLabel: string, options: QueryOptions): readonly OffsetMistake[] {
  const filled = fillTemplate(template, options);
  if (filled.mistakes.length > 0) return filled.mistakes;
  const labels = ['namespace', fillTemplate(podLabel, options).text];
  const mistakes = promqlMistakes(filled.text, labels);
  if (mistakes.length > 0 || filled.hasNamespaceRegex) {
    return mistakes.map(({ offset, sentence }) => ({ offset: filled.templateOffset(offset), sentence }));
  }
  // Without the namespaces, NAMESPACE_REGEX would be ignored in silence.
  const sentence =
    'expected the query to select the namespaces of NAMESPACE_REGEX, as in ' +
    '`some_metric{namespace=~"{{namespace_regex}}"}`, got no `{{namespace_regex}}`.';
  return [{ offset: template.length - template.trimStart().length, sentence }];
}

/**
 * What must hold of all features together.
 *
 * @param specs those with mistakes of their own are `undefined`.
 * @param list the features as they stand in the file.
 */
function reportSet(
  specs: readonly (FeatureSpec | undefined)[],
  builtin: readonly string[],
  list: readonly unknown[],
  { document, report }: File,
): void {
  const start = offsetAt(document, []);
  if (specs.length === 0) {
    report.add(start, 'expected at least one feature, got none. Example: builtin: [cpu, memory, restarts]');
  } else if (specs.length > MAXIMUM_FEATURES) {
    report.add(start, `expected at most ${MAXIMUM_FEATURES} features, got ${specs.length}.`);
  }
  if (specs.length > 0 && specs.every((spec) => spec?.required === false)) {
    report.add(start, 'expected a feature with `required: true`, got none: it tells which pods are there.');
  }
  for (const [index, name] of builtin.entries()) {
    if (builtin.indexOf(name) === index) continue;
    const offset = offsetAt(document, ['builtin', index]);
    report.add(offset, `expected each built-in feature once, got \`${name}\` again.`);
  }
  const seen = new Set<unknown>(builtin);
  for (const [index, value] of list.entries()) {
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
