/** The rules that a person writes into a YAML file, and all that can be wrong with the file. */

import { z } from 'zod';
import { readBoundedText, UnreadableFileError } from '../../lib/files/bounded-file.js';
import { LiveFile } from '../../lib/files/live-file.js';
import type { Logger } from '../../lib/logging/logger.js';
import { ExpressionError, wholeMatch } from '../../lib/text/re2.js';
import { MistakesError } from '../../lib/usage-error.js';
import { describeValue, quoted, YamlFile, type YamlPath } from '../../lib/yaml/yaml-file.js';
import { compileRules, type LayersOf, type RuleMatch, type TuningRule } from './rules.js';
import { HIGHEST_SENSITIVITY, LOWEST_SENSITIVITY } from './tuning.js';
import { MuteWindowSpec, WINDOW_KEYS } from './windows.js';

/** Rules in force, for matching, and as they were written, for other threads. */
export interface TuningFile {
  readonly rules: readonly TuningRule[];
  /** Where each rule stands, for messages: `tuning.yaml:3:5`. */
  readonly places: readonly string[];
  readonly layersOf: LayersOf;
}

const MOST_RULES = 1000;

const RuleSpec = z.strictObject({
  match: z
    .strictObject({ namespace: z.string(), workload: z.string(), pod: z.string() })
    .partial()
    .refine((match) => Object.keys(match).length > 0),
  ignore: z.boolean().optional(),
  sensitivity: z.number().min(LOWEST_SENSITIVITY).max(HIGHEST_SENSITIVITY).optional(),
  mute: z.array(MuteWindowSpec).min(1).optional(),
});

/** What each key of a rule accepts, to read after "expected", and a value that shows the form. */
const RULE_KEYS: Readonly<Record<keyof typeof RuleSpec.shape, readonly [expected: string, example: string]>> = {
  match: ['a mapping with `namespace`, `workload`, `pod` or several of them', '{ namespace: shop, workload: cart }'],
  ignore: ['`true` or `false`', 'true'],
  sensitivity: [`a number of usual spreads from ${LOWEST_SENSITIVITY} to ${HIGHEST_SENSITIVITY}`, '8'],
  mute: ['a list of windows; `{}` is always', '[{ weekdays: [saturday, sunday], location: Europe/Berlin }]'],
};

const MATCH_KEYS = ['namespace', 'workload', 'pod'] as const;

const EFFECTS = ['ignore', 'sensitivity', 'mute'] as const;

/**
 * The rules of the file at `path`; none where it is empty.
 *
 * @param path relative to the working directory, or absolute.
 * @throws {MistakesError} when the file cannot be read, or is wrong.
 */
export async function loadTuningFile(path: string): Promise<TuningFile> {
  if (path === '') return { rules: [], places: [], layersOf: compileRules([]) };
  const text = await readBoundedText(path).catch((error: unknown) => {
    if (!(error instanceof UnreadableFileError)) throw error;
    throw new MistakesError(`the tuning file ${path}`, [
      `TUNING_FILE: cannot read ${path}: ${error.reason}. Example: TUNING_FILE="/etc/detector/tuning.yaml"`,
    ]);
  });
  return parseTuningFile(text, path);
}

/**
 * The file at `path`, read again when it changes. An invalid file leaves the rules before it in force.
 *
 * @returns `undefined` where the path is empty.
 * @throws {MistakesError} when the file cannot be read, or is wrong: there are no rules yet that could stay.
 */
export async function openTuningFile(
  path: string,
  { logger, now }: { readonly logger: Logger; readonly now: () => number },
): Promise<LiveFile<TuningFile> | undefined> {
  if (path === '') return undefined;
  const live = await LiveFile.open<TuningFile>({
    what: 'tuning file',
    read: () => loadTuningFile(path),
    filesOf: () => [path],
    onRead: ({ rules }, previous, recovered) => {
      if (!recovered && JSON.stringify(rules) === JSON.stringify(previous.rules)) return;
      logger.info({ rules: rules.length }, 'Reloaded the tuning file.');
    },
    logger,
    now,
  });
  return live.watch();
}

/**
 * Reads a tuning file.
 *
 * @param path its name, for messages and for who says that a pod is muted.
 * @throws {MistakesError} with every mistake.
 */
export function parseTuningFile(text: string, path: string): TuningFile {
  const file = new YamlFile(text, path, `the tuning file ${path}`);
  const root = file.at([]);
  const list = file.at(['rules']);
  if (typeof root !== 'object' || root === null || Array.isArray(root)) {
    file.add([], `expected a mapping with the key \`rules\`, got ${describeValue(root)}.`);
  } else {
    file.addUnknownKeys(
      [],
      Object.keys(root).filter((key) => key !== 'rules'),
      ['rules'],
    );
    if (!Array.isArray(list))
      file.add(['rules'], `expected \`rules\` to be a list of rules, got ${describeValue(list)}.`);
    else if (list.length > MOST_RULES) {
      file.add(['rules', MOST_RULES], `expected at most ${MOST_RULES} rules, got ${list.length}.`);
    }
  }
  const items: readonly unknown[] = Array.isArray(list) ? list.slice(0, MOST_RULES) : [];
  const rules = items.map((_, index) => parseRule(file, index)).filter((rule) => rule !== undefined);
  file.throwIfAny();
  const places = rules.map((_, index) => file.place(['rules', index]));
  return { rules, places, layersOf: compileRules(rules) };
}

/** The rule, or `undefined` where it has a mistake, which is reported. */
function parseRule(file: YamlFile, index: number): TuningRule | undefined {
  const path = ['rules', index];
  const parsed = RuleSpec.safeParse(file.at(path));
  const seen = new Set<string>();
  for (const issue of parsed.error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys') {
      file.addUnknownKeys([...path, ...issue.path], issue.keys, knownKeys(issue.path));
      seen.add(issue.path.join('\0'));
      continue;
    }
    // Of one value, one mistake is enough.
    const place = valuePath(issue.path);
    if (seen.has(place.join('\0'))) continue;
    seen.add(place.join('\0'));
    file.add([...path, ...place], mistakeAt(place, describeValue(file.at([...path, ...place]))));
  }
  const areNamesValid = checkNames(file, path);
  const rule = parsed.data;
  if (rule === undefined || !areNamesValid) return undefined;
  if (EFFECTS.every((effect) => rule[effect] === undefined)) {
    file.add(path, `expected a rule that sets ${quoted(EFFECTS)}, or several of them, got one that sets nothing.`);
    return undefined;
  }
  const by = file.place(path);
  const { match, ignore, sensitivity, mute } = rule;
  const layer = {
    ...(ignore !== undefined && { ignore: { value: ignore, by } }),
    ...(sensitivity !== undefined && { sensitivity }),
    ...(mute !== undefined && { mutes: mute.map((window) => ({ window, by })) }),
  };
  return { match, layer };
}

/** The value that a mistake is about: a time of the day has two, which are one mistake. */
function valuePath(path: YamlPath): YamlPath {
  const times = path.indexOf('times');
  return times >= 0 ? path.slice(0, times + 2) : path;
}

/** The keys of the mapping at a path within a rule. */
function knownKeys(path: YamlPath): readonly string[] {
  if (path.includes('times')) return ['start_time', 'end_time'];
  if (path[0] === 'mute') return Object.keys(WINDOW_KEYS);
  return path[0] === 'match' ? MATCH_KEYS : Object.keys(RULE_KEYS);
}

function mistakeAt(path: YamlPath, got: string): string {
  const [first, ...rest] = path;
  if (first === undefined) return `expected a mapping with the keys ${quoted(Object.keys(RULE_KEYS))}, got ${got}.`;
  const key = String(rest.length > 1 ? rest[1] : first);
  if (first === 'match' && rest.length > 0) {
    return `${String(rest[0])}: expected a regular expression as text, got ${got}. Example: ${String(rest[0])}: shop-.*`;
  }
  if (first === 'mute' && rest.length === 1) {
    return `mute: expected a mapping with the keys ${quoted(Object.keys(WINDOW_KEYS))}, got ${got}.`;
  }
  const [expected = '', example = ''] =
    (first === 'mute' && rest.length > 1 ? WINDOW_KEYS[key] : RULE_KEYS[first as keyof typeof RULE_KEYS]) ?? [];
  return `${key}: expected ${expected}, got ${got}. Example: ${key}: ${example}`;
}

/** Reports the invalid expressions of a rule, even of one that has other mistakes. */
function checkNames(file: YamlFile, path: YamlPath): boolean {
  let areValid = true;
  for (const key of MATCH_KEYS satisfies readonly (keyof RuleMatch)[]) {
    const expression = file.at([...path, 'match', key]);
    if (typeof expression !== 'string') continue;
    try {
      wholeMatch(expression);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      areValid = false;
      file.add(
        [...path, 'match', key],
        `${key}: expected a regular expression in RE2 syntax that matches the whole name, got ${error.message}. ` +
          `Example: ${key}: shop-.*`,
      );
    }
  }
  return areValid;
}
