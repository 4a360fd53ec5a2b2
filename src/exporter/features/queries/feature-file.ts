/** The features that a person describes in a YAML file, and all that can be wrong with the file. */

import { z } from 'zod';
import { readBoundedText, UnreadableFileError } from '../../../lib/files/bounded-file.js';
import { excerpt } from '../../../lib/text/excerpt.js';
import { MistakesError } from '../../../lib/usage-error.js';
import { describeValue, quoted, YamlFile, type YamlPath } from '../../../lib/yaml/yaml-file.js';
import { BUILTIN_FEATURES, buildCatalog, type FeatureDefinition, toDefinition } from '../catalog.js';
import { FEATURE_KEYS, FeatureSpec } from '../feature-spec.js';
import { buildPhaseQueries, type PhaseQueries } from '../pod-phase.js';
import { buildOwnerQueries, type OwnerQueries } from '../workload.js';
import { type OffsetMistake, promqlMistakes } from './promql.js';
import { fillTemplate, labelNamesOf, NAMESPACE_LABEL, podLabelOf, type QueryOptions } from './template.js';

/** Features and where each comes from, and the queries that go with them. */
export interface FeatureSet {
  readonly features: readonly FeatureDefinition[];
  readonly ownerQueries: OwnerQueries;
  readonly phaseQueries: PhaseQueries;
  /** By name, for messages: `features.yaml:12:5`. A built-in feature has none. */
  readonly places: ReadonlyMap<string, string>;
}

/** Each feature is a query in every minute, and thins out what a tree of the forest sees of the others. */
export const MAXIMUM_FEATURES = 16;

const BUILTIN_NAMES = BUILTIN_FEATURES.map(({ name }) => name);

/** The file without the fields of its features. */
const FileShape = z.strictObject({
  builtin: z.array(z.enum(BUILTIN_NAMES)).default([]),
  features: z.array(z.unknown()).default([]),
});

/**
 * The features of the file at `path`, or the built-in ones where it is empty.
 *
 * @param path relative to the working directory, or absolute.
 * @throws {MistakesError} when the file cannot be read, or is wrong.
 */
export async function loadFeatures(path: string, options: QueryOptions): Promise<FeatureSet> {
  if (path === '') {
    return { features: buildCatalog(options), ...otherQueries(options), places: new Map() };
  }
  const text = await readBoundedText(path).catch((error: unknown) => {
    if (!(error instanceof UnreadableFileError)) throw error;
    throw new MistakesError(`the feature file ${path}`, [
      `FEATURES_FILE: cannot read ${path}: ${error.reason}. Example: FEATURES_FILE="/etc/detector/features.yaml"`,
    ]);
  });
  return parseFeatureFile(text, path, options);
}

function otherQueries(options: QueryOptions): Pick<FeatureSet, 'ownerQueries' | 'phaseQueries'> {
  return { ownerQueries: buildOwnerQueries(options), phaseQueries: buildPhaseQueries(options) };
}

/**
 * Reads a feature file. What it names is all: the built-in features are only among them where `builtin` says so.
 *
 * @param path its name, for messages.
 * @param options what the placeholders in its queries stand for.
 * @throws {MistakesError} with every mistake: of YAML, or else of shape, names, placeholders and PromQL.
 */
export function parseFeatureFile(text: string, path: string, options: QueryOptions): FeatureSet {
  const file = new YamlFile(text, path, `the feature file ${path}`, (offset) =>
    excerpt(text, offset).startsWith('query:')
      ? ' Write a query after `|`, on lines of its own: there it needs no quotes.'
      : '',
  );
  const shape = FileShape.safeParse(file.at([]));
  for (const issue of shape.error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys') {
      file.addUnknownKeys(issue.path, issue.keys, Object.keys(FileShape.shape));
    } else {
      const got = describeValue(file.at(issue.path));
      file.add(issue.path, `expected ${expectedInFile(issue.path)}, got ${got}.`);
    }
  }
  const builtin = shape.data?.builtin ?? [];
  const taken = BUILTIN_FEATURES.filter(({ name }) => builtin.includes(name));
  // Of too many, the first are looked at. Even of a file whose other keys are wrong, the features' own mistakes are reported.
  const features = file.at(['features']);
  const list: readonly unknown[] = Array.isArray(features) ? features : [];
  const own = list.slice(0, MAXIMUM_FEATURES).map((_, index) => parseFeature(file, index, options));
  if (shape.success) checkSet(file, [...taken, ...own], builtin, list.length);
  file.throwIfAny();
  const specs = own.filter((spec) => spec !== undefined);
  return {
    features: [
      ...buildCatalog(options).filter(({ name }) => builtin.includes(name)),
      ...specs.map((spec) => toDefinition(spec, options)),
    ],
    ...otherQueries(options),
    places: new Map(specs.map(({ name }, index) => [name, file.place(['features', index])])),
  };
}

function expectedInFile([key]: YamlPath): string {
  if (key === 'builtin') return `\`builtin\` to be a list of ${quoted(BUILTIN_NAMES)}`;
  if (key === 'features') return '`features` to be a list of features';
  return 'a mapping with the key `features`, `builtin` or both';
}

/** The feature, or `undefined` where it has a mistake, which is reported. */
function parseFeature(file: YamlFile, index: number, options: QueryOptions): FeatureSpec | undefined {
  const path = ['features', index];
  const name = file.at([...path, 'name']);
  const title = typeof name === 'string' && name !== '' ? name : `feature ${index + 1}`;
  const parsed = FeatureSpec.safeParse(file.at(path));
  const seen = new Set<string>();
  for (const issue of parsed.error?.issues ?? []) {
    const place = [...path, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      file.addUnknownKeys(place, issue.keys, Object.keys(FEATURE_KEYS), `${title}: `);
      continue;
    }
    const key = String(issue.path[0] ?? '');
    // Of one value, one mistake is enough.
    if (seen.has(key)) continue;
    seen.add(key);
    file.add(place, `${title}: ${fieldMistake(key, describeValue(file.at(place)))}`);
  }
  const isQueryValid = checkQuery(file, path, title, options);
  return parsed.success && isQueryValid ? parsed.data : undefined;
}

function fieldMistake(key: string, got: string): string {
  const [expected, example] = FEATURE_KEYS[key] ?? [];
  return expected === undefined
    ? `expected a mapping with the keys ${quoted(Object.keys(FEATURE_KEYS))}, got ${got}.`
    : `${key}: expected ${expected}, got ${got}. Example: ${key}: ${example}`;
}

/** Reports the mistakes within a query, even of a feature that has others. */
function checkQuery(file: YamlFile, path: YamlPath, title: string, options: QueryOptions): boolean {
  const query = FeatureSpec.shape.query.safeParse(file.at([...path, 'query']));
  const podLabel = FeatureSpec.shape.pod_label.safeParse(file.at([...path, 'pod_label']));
  if (!query.success || !podLabel.success) return false;
  const text = query.data.trimEnd();
  const mistakes = queryMistakes(text, podLabel.data, options);
  for (const { offset, sentence } of mistakes) {
    file.add([...path, 'query'], `${title}: query: ${sentence}\n${excerpt(text, offset)}`);
  }
  return mistakes.length === 0;
}

/** The mistakes of a query by their offsets in the template. The PromQL is judged once the placeholders are right. */
function queryMistakes(template: string, podLabel: string, options: QueryOptions): readonly OffsetMistake[] {
  const filled = fillTemplate(template, options);
  if (filled.mistakes.length > 0) return filled.mistakes;
  const isRenamed = filled.placeholders.has('namespace_label');
  const labels = [isRenamed ? labelNamesOf(options).namespace : NAMESPACE_LABEL, podLabelOf(podLabel, options)];
  const mistakes = promqlMistakes(filled.text, labels);
  if (mistakes.length > 0 || filled.placeholders.has('namespace_regex')) {
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
 * @param count of the features in the file, without the built-in ones.
 */
function checkSet(
  file: YamlFile,
  specs: readonly (FeatureSpec | undefined)[],
  builtin: readonly string[],
  count: number,
): void {
  if (specs.length === 0) {
    file.add([], 'expected at least one feature, got none. Example: builtin: [cpu, memory, restarts]');
  }
  const features = new Set(builtin).size + count;
  if (features > MAXIMUM_FEATURES) file.add([], `expected at most ${MAXIMUM_FEATURES} features, got ${features}.`);
  if (specs.length > 0 && specs.every((spec) => spec?.required === false)) {
    file.add([], 'expected a feature with `required: true`, got none: it tells which pods are there.');
  }
  for (const [index, name] of builtin.entries()) {
    if (builtin.indexOf(name) === index) continue;
    file.add(['builtin', index], `expected each built-in feature once, got \`${name}\` again.`);
  }
  const seen = new Set<unknown>(builtin);
  for (let index = 0; index < Math.min(count, MAXIMUM_FEATURES); index++) {
    const place = ['features', index, 'name'];
    const name = file.at(place);
    if (name === undefined) continue;
    if (seen.has(name)) {
      const first = builtin.includes(String(name)) ? 'a built-in feature' : 'an earlier feature';
      file.add(place, `expected a name of its own, got ${describeValue(name)}, which ${first} has.`);
    }
    seen.add(name);
  }
}
