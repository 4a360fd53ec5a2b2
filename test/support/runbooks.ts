/** The pages in docs/runbooks, and what they tell a person to paste. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricsSource } from '../../src/exporter/features/opentelemetry/names.js';

export const RUNBOOKS = 'docs/runbooks';

/** The alerts that have a page. */
export const runbookNames = (): readonly string[] =>
  readdirSync(RUNBOOKS)
    .filter((file) => file.endsWith('.md'))
    .map((file) => file.slice(0, -'.md'.length));

/** The text of the page of an alert. */
export const readRunbook = (alert: string): string => readFileSync(join(RUNBOOKS, `${alert}.md`), 'utf8');

/** The PromQL of a page, in its order. @param source of a Collector, the queries that stand in the place of others. */
export function queriesIn(page: string, source: MetricsSource = 'cadvisor'): readonly string[] {
  const blocks = page.matchAll(/(^ *With \[OpenTelemetry as the source\].*:\n\n)?^```promql\n([\s\S]*?)^```$/gm);
  return [...blocks]
    .filter(([, mark]) => (mark !== undefined) === (source === 'opentelemetry'))
    .flatMap(([, , block = '']) => block.split('\n\n').map((query) => query.trim()));
}

/** The commands of a page, in its blocks of shell and within its sentences. */
export function commandsIn(page: string): readonly string[] {
  const lines = blocksOf(page, 'sh').flatMap((block) => block.split('\n').filter((line) => line.trim() !== ''));
  const prose = page.replace(/^```[\s\S]*?^```$/gm, '');
  const inline = [...prose.matchAll(/`((?:kubectl|curl|amtool|promtool|jq) [^`]+)`/g)].map(
    ([, command = '']) => command,
  );
  return [...lines, ...inline].map((command) => command.trim());
}

const blocksOf = (page: string, language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, block = '']) => block);
