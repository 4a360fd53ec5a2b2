/** The table of settings as text. */

import { SETTINGS, type SettingDefinition, secretFileVariable, variablesOf } from './settings.js';

/** In place of a default that is no text at all. */
const EMPTY = '(empty)';

const definitions: readonly SettingDefinition<unknown>[] = Object.values(SETTINGS);

/** For `--help`: each setting with its default and what it does, wrapped by nothing, one paragraph each. */
export function settingsHelp(): string {
  const entries = definitions.map((definition) => {
    const file = secretFileVariable(definition);
    return [
      `  ${definition.env} (default: ${definition.default || EMPTY})`,
      `    ${definition.help}\n    Accepts ${definition.expected}.`.replaceAll('`', ''),
      ...(file === undefined ? [] : [`    Or ${file}: the path of a file with it.`]),
    ].join('\n');
  });
  return `Settings (environment variables):\n${entries.join('\n')}`;
}

/** For the README: a Markdown table. */
export function settingsMarkdown(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = definitions.map((definition) => {
    const variables = variablesOf(definition).map((name) => `\`${name}\``);
    const fallback = definition.default === '' ? EMPTY : `\`${cell(definition.default)}\``;
    const meaning = `${cell(definition.help)} Accepts ${cell(definition.expected)}.`;
    return `| ${variables.join(' or ')} | ${fallback} | ${meaning} |`;
  });
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}
