/** The table of settings as text. */

import { SETTINGS, type SettingDefinition, secretFileVariable, variablesOf } from './settings.js';

/** In place of a default that is no text at all. */
const EMPTY = '(empty)';

const definitions: readonly SettingDefinition<unknown>[] = Object.values(SETTINGS);

/** For `--help`: each setting with its default and what it does, wrapped by nothing, one paragraph each. */
export function settingsHelp(): string {
  const entries = definitions.map(
    (definition) =>
      `  ${definition.env} (default: ${definition.default || EMPTY})\n` +
      `    ${plain(definition.help)}\n    Accepts ${plain(definition.expected)}.${fileHelp(definition)}`,
  );
  return `Settings (environment variables):\n${entries.join('\n')}`;
}

/** For the README: a Markdown table. */
export function settingsMarkdown(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = definitions.map(
    (definition) =>
      `| ${variablesOf(definition)
        .map((name) => `\`${name}\``)
        .join(' or ')} | ${definition.default === '' ? EMPTY : `\`${cell(definition.default)}\``} | ` +
      `${cell(definition.help)} Accepts ${cell(definition.expected)}. |`,
  );
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function fileHelp(definition: SettingDefinition<unknown>): string {
  const variable = secretFileVariable(definition);
  return variable === undefined ? '' : `\n    Or ${variable}: the path of a file with it.`;
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
