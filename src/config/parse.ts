/** From environment variables to settings, with all mistakes at once. */

import { editDistance } from '../nearest-name.js';
import { SETTINGS, type SettingDefinition, type Settings } from './settings.js';

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The settings, and what looked odd without being wrong. */
export interface ParsedSettings {
  readonly settings: Settings;
  /** Sentences for a person: variables that look like misspelled settings. */
  readonly warnings: readonly string[];
}

/** One or more settings are wrong. `mistakes` has a sentence for each. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(readonly mistakes: readonly string[]) {
    super(
      `${mistakes.length} ${mistakes.length === 1 ? 'setting is' : 'settings are'} wrong:\n` +
        mistakes.map((mistake) => `  ${mistake}`).join('\n'),
    );
  }
}

const definitions: readonly [string, SettingDefinition<unknown>][] = Object.entries(SETTINGS);

/**
 * Reads every setting of the table. An absent or empty variable means the default.
 *
 * @throws {SettingsError} naming every wrong value, what was expected, and an example.
 */
export function parseSettings(environment: Environment): ParsedSettings {
  const values: Record<string, unknown> = {};
  const mistakes: string[] = [];
  for (const [key, definition] of definitions) {
    const text = environment[definition.env]?.trim() || definition.default;
    const parsed = definition.schema.safeParse(text);
    if (parsed.success) values[key] = parsed.data;
    else mistakes.push(describeMistake(definition, text));
  }
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  return { settings: Object.freeze(values) as Settings, warnings: misspelled(environment) };
}

function describeMistake(definition: SettingDefinition<unknown>, text: string): string {
  return (
    `${definition.env}: expected ${definition.expected}, got "${withoutSecrets(definition, text)}". ` +
    `Example: ${definition.env}="${definition.example}"`
  );
}

/**
 * A password must not be printed back. A text that is wrong may have it at any odd place, so all before the last `@`
 * goes, and of a URL the query and the fragment as well.
 */
function withoutSecrets({ secret }: SettingDefinition<unknown>, text: string): string {
  const withoutUser = text.replace(/^(https?:\/\/)?.+@/is, '$1[redacted]@');
  return secret ? withoutUser.replace(/([?#]).+$/s, '$1[redacted]') : withoutUser;
}

/** First words of our variables that no other program is likely to use. */
const OUR_PREFIXES = [
  'PROMETHEUS_',
  'NAMESPACE_',
  'POD_',
  'TRAINING_',
  'QUERY_',
  'REQUEST_',
  'IFOREST_',
  'BASELINE',
  'ANOMALY_',
  'RETRAIN_',
  'CPU_RATE_',
  'FEATURE',
  'MODEL_',
  'WEB_',
];

/** Kubernetes sets these for each Service in the namespace (`PROMETHEUS_SERVICE_HOST`, `PROMETHEUS_PORT_9090_TCP`). */
const SERVICE_LINK = /_(SERVICE_(HOST|PORT)(_.*)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

function misspelled(environment: Environment): string[] {
  const known = definitions.map(([, definition]) => definition.env);
  const warnings: string[] = [];
  for (const name of Object.keys(environment).sort()) {
    if (known.includes(name) || SERVICE_LINK.test(name)) continue;
    if (!OUR_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    const [nearest] = known
      .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
      .sort((a, b) => a.distance - b.distance);
    // Further apart, two names are two things: POD_NAME is not POD_LABEL.
    if (nearest !== undefined && nearest.distance <= Math.min(3, name.length / 4)) {
      warnings.push(`${name} is not a setting and is ignored. Did you mean ${nearest.candidate}?`);
    }
  }
  return warnings;
}
