/** The table of settings as text. */

import { SETTINGS, type SettingDefinition } from './settings.js';

/** In place of a default that is no text at all. */
const EMPTY = '(empty)';

const definitions: readonly SettingDefinition<unknown>[] = Object.values(SETTINGS);

/** For `--help`: each setting with its default and what it does, wrapped by nothing, one paragraph each. */
export function settingsHelp(): string {
  const entries = definitions.map(
    ({ env, default: fallback, expected, help }) =>
      `  ${env} (default: ${fallback || EMPTY})\n    ${plain(help)}\n    Accepts ${plain(expected)}.`,
  );
  return `Settings (environment variables):\n${entries.join('\n')}`;
}

/** For the README: a Markdown table. */
export function settingsMarkdown(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = definitions.map(
    ({ env, default: fallback, help, expected }) =>
      `| \`${env}\` | ${fallback === '' ? EMPTY : `\`${cell(fallback)}\``} | ${cell(help)} Accepts ${cell(expected)}. |`,
  );
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
