/** The settings that docs/reference/connecting.md gives for each kind of backend, word for word. */

import { readFileSync } from 'node:fs';

/** Variables by the bold words before their block: `TLS and basic authentication`. */
export function connectionRecipes(): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const page = readFileSync('docs/reference/connecting.md', 'utf8');
  const recipes = [...page.matchAll(/^\*\*(.+?)\*\*.*?^```ini\n(.*?)^```$/gms)];
  return new Map(recipes.map(([, title = '', lines = '']) => [title, variables(lines)]));
}

function variables(lines: string): Record<string, string> {
  return Object.fromEntries(
    lines
      .trim()
      .split('\n')
      .map((line): [string, string] => {
        const equals = line.indexOf('=');
        return [line.slice(0, equals), line.slice(equals + 1)];
      }),
  );
}
