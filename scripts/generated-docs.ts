/** Generates the parts of the documents that are derived from the code, between markers. */

import { settingsMarkdown } from '../src/exporter/config/help.js';
import { parseFeatureFile } from '../src/exporter/features/queries/feature-file.js';
import { ENDPOINTS } from '../src/exporter/http/endpoints.js';
import { FAMILIES } from '../src/exporter/metrics/registry.js';
import { MistakesError } from '../src/lib/usage-error.js';
import { PROCESS_FAULTS, TRAINING_FAULTS, UPSTREAM_FAULTS } from '../test/support/faults.js';
import { chartValuesMarkdown } from './helm-chart/readme.js';
import { settingLimits, valuesSchema } from './helm-chart/schema.js';
import { CHART_FOLDER } from './helm-chart/values.js';

/** Each generated document with the function that brings its sections up to date. */
export const GENERATED_DOCUMENTS: readonly (readonly [path: string, update: (page: string) => string])[] = [
  ['docs/reference/settings.md', (page) => withSections(page, { settings: settingsMarkdown() })],
  ['docs/reference/metrics.md', (page) => withSections(page, { metrics: metricsMarkdown() })],
  ['docs/reference/endpoints.md', (page) => withSections(page, { endpoints: endpointsMarkdown() })],
  ['docs/features.md', (page) => withSections(page, { mistake: featureMistake(page) })],
  ['docs/faults.md', (page) => withSections(page, faultSections())],
  [`${CHART_FOLDER}/README.md`, (page) => withSections(page, { values: chartValuesMarkdown() })],
  [`${CHART_FOLDER}/values.schema.json`, () => valuesSchema()],
  [`${CHART_FOLDER}/files/setting-limits.yaml`, () => settingLimits()],
];

/** The faults that the tests inject. */
function faultSections(): Readonly<Record<string, string>> {
  const upstream = UPSTREAM_FAULTS.map(({ name, pods, sees }) => [
    name,
    pods === 'none' ? 'no pods' : pods.named,
    sees,
  ]);
  const process = Object.entries(PROCESS_FAULTS).map(([name, { scrape, sees }]) => [name, scrape, sees]);
  return {
    counts: `${upstream.length} faults between the exporter and Prometheus, ${process.length} of processes and machines.`,
    upstream: markdownTable(['Prometheus …', 'pods in the scrape', 'how it shows'], upstream),
    training: markdownTable(['when it trains, …', 'what the new model rests on'], Object.entries(TRAINING_FAULTS)),
    process: markdownTable(['fault', 'pods in the scrape', 'how it shows'], process),
  };
}

/** The error for the page's own example with a typing error. The example itself must be valid. */
function featureMistake(page: string): string {
  const [, example = ''] = /^```yaml\n(.*?)^```$/ms.exec(page) ?? [];
  const options = { namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' };
  parseFeatureFile(example, 'features.yaml', options);
  try {
    parseFeatureFile(example.replace('(namespace, pod)', '(namespace pod)'), 'features.yaml', options);
  } catch (error) {
    if (error instanceof MistakesError) return `\`\`\`text\n${error.message}\n\`\`\``;
    throw error;
  }
  throw new Error('Expected an error about the query without a comma.');
}

/** Puts each text between its markers. @throws Error if the page lacks a marker */
function withSections(page: string, sections: Readonly<Record<string, string>>): string {
  let updated = page;
  for (const [name, text] of Object.entries(sections)) {
    const begin = `<!-- generated: ${name} -->`;
    const end = `<!-- end: ${name} -->`;
    const start = updated.indexOf(begin);
    const stop = updated.indexOf(end);
    if (start < 0 || stop < start) throw new Error(`Expected ${begin} and ${end} on the page.`);
    updated = `${updated.slice(0, start + begin.length)}\n${text}\n${updated.slice(stop)}`;
  }
  return updated;
}

function endpointsMarkdown(): string {
  return markdownTable(
    ['path', 'answer'],
    ENDPOINTS.map(({ path, summary }) => [`\`GET ${path}\``, summary]),
  );
}

function metricsMarkdown(): string {
  const rows = FAMILIES.map(({ name, type, help }) => [`\`${name}\``, type, help]);
  return markdownTable(['metric', 'type', 'meaning'], rows);
}

function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
