/** From environment variables to settings, with all mistakes at once. */

import { readBoundedTextSync, UnreadableFileError } from '../../lib/files/bounded-file.js';
import { editDistance, nearestName } from '../../lib/text/nearest-name.js';
import { MistakesError } from '../../lib/usage-error.js';
import { labelNamesOf } from '../features/queries/template.js';
import { connectionMistakes, connectionWarnings } from './connection-rules.js';
import {
  type Environment,
  SETTINGS,
  type SettingDefinition,
  type SettingName,
  type Settings,
  secretFileVariable,
  variablesOf,
} from './settings.js';
import { shardingMistakes, shardOrdinal } from './sharding-rules.js';

const definitions = Object.entries(SETTINGS) as readonly [SettingName, SettingDefinition<unknown>][];

/**
 * Reads every setting of the table. An absent or empty variable means the default.
 *
 * @param readFile the text of a file that a setting names.
 * @returns also sentences on what looks odd without being wrong, such as variables that look like misspelled settings.
 * @throws {MistakesError} naming every wrong value, what was expected, and an example; then what does not go together.
 */
export function parseSettings(
  environment: Environment,
  readFile: (path: string) => string = readBoundedTextSync,
): { readonly settings: Settings; readonly warnings: readonly string[] } {
  const values: Record<string, unknown> = {};
  const secretFiles: Partial<Record<SettingName, string>> = {};
  const mistakes: string[] = [];
  for (const [key, definition] of definitions) {
    try {
      const { text, file } = findText(definition, environment, readFile);
      if (file !== undefined) secretFiles[key] = file;
      const parsed = definition.schema.safeParse(text);
      if (parsed.success) values[key] = parsed.data;
      else mistakes.push(describeMistake(definition, { text, file }, parsed.error.issues[0]?.message));
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      mistakes.push(error.message);
    }
  }
  const { namespace: namespaceLabel, pod: podLabel } = labelNamesOf(values);
  Object.assign(values, { namespaceLabel, podLabel });
  mistakes.push(...connectionMistakes(values, readFile), ...shardingMistakes(values));
  const shard = shardOrdinal(values, environment);
  if (typeof shard === 'string') mistakes.push(shard);
  if (mistakes.length > 0) throw new MistakesError('the settings', mistakes);
  const settings = Object.freeze({ ...values, shard, secretFiles: Object.freeze(secretFiles) }) as Settings;
  return { settings, warnings: [...misspelled(environment), ...connectionWarnings(settings)] };
}

/** The text of a setting cannot be read. */
class SourceError extends Error {}

/** The text of a setting, and the file that it stands in. */
interface SettingText {
  readonly text: string;
  readonly file: string | undefined;
}

/** @throws {SourceError} if a secret stands in two places, or its file cannot be read. */
function findText(
  definition: SettingDefinition<unknown>,
  environment: Environment,
  readFile: (path: string) => string,
): SettingText {
  const { env, default: fallback } = definition;
  const own = environment[env]?.trim();
  const fileVariable = secretFileVariable(definition);
  const file = fileVariable === undefined ? undefined : environment[fileVariable]?.trim();
  if (!file) return { text: own || fallback, file: undefined };
  if (own) throw new SourceError(`${env}, ${fileVariable}: expected one of the two, got both.`);
  try {
    const text = readFile(file).trim();
    if (text !== '') return { text, file };
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    throw new SourceError(`${fileVariable}: cannot read ${file}: ${error.reason}.`);
  }
  throw new SourceError(`${fileVariable}: expected ${definition.expected} in ${file}, got an empty file.`);
}

/** @param reason the schema's own sentence, which begins with "expected"; any other is left out. */
function describeMistake(definition: SettingDefinition<unknown>, { text, file }: SettingText, reason = ''): string {
  const { env, expected, example, secret } = definition;
  const where = file === undefined ? env : `${secretFileVariable(definition)} (${file})`;
  // An invalid text may have a password at any place, so all before the last `@` is hidden, and all after `?` and `#`.
  const safe = text.replace(/^(https?:\/\/)?.+@/is, '$1[redacted]@');
  const shown = secret === 'url' ? safe.replace(/([?#]).+$/s, '$1[redacted]') : safe;
  const got = secret === true ? 'a value that is hidden because it is secret' : `"${shown}"`;
  const mistake = reason.startsWith('expected ') ? reason : `expected ${expected}, got ${got}`;
  return `${where}: ${mistake}. Example: ${env}="${example}"`;
}

/** First words of our variables that no other program is likely to use. */
const OURS =
  /^(?:(?:PROMETHEUS|INSECURE|NAMESPACE|POD|TRAINING|QUERY|REQUEST|IFOREST|ANOMALY|RETRAIN|CPU_RATE|HISTORY|MODEL|WEB|METRICS?|OTLP|TUNING|ACCEPT|ALERT|MEMORY|DASHBOARD)_|BASELINE|FEATURE|SHARD|TOTAL_SHARD)/;

/** Kubernetes sets these for each Service in the namespace (`PROMETHEUS_SERVICE_HOST`, `PROMETHEUS_PORT_9090_TCP`). */
const SERVICE_LINK = /_(SERVICE_(HOST|PORT)(_.*)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

function misspelled(environment: Environment): string[] {
  const known = definitions.flatMap(([, definition]) => variablesOf(definition));
  return Object.keys(environment)
    .sort()
    .flatMap((name) => {
      if (known.includes(name) || SERVICE_LINK.test(name) || !OURS.test(name)) return [];
      const nearest = nearestName(name, known);
      // Further apart, two names are two things: POD_NAME is not POD_LABEL.
      if (nearest === undefined || editDistance(name, nearest) > Math.min(3, name.length / 4)) return [];
      return [`${name} is not a setting and is ignored. Did you mean ${nearest}?`];
    });
}
