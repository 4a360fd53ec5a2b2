/** Generates the parts of the documents that derive from the code: everything between the markers is replaced. */

import { settingsMarkdown } from '../src/exporter/config/help.js';
import { parseFeatureFile } from '../src/exporter/features/queries/feature-file.js';
import { FeatureFileError } from '../src/exporter/features/queries/feature-file-error.js';
import { ENDPOINTS } from '../src/exporter/http/endpoints.js';
import { createMetrics } from '../src/exporter/metrics/registry.js';
import { PROCESS_FAULTS, UPSTREAM_FAULTS } from '../test/support/faults.js';

/** Each generated document with the function that brings its sections up to date. */
export const GENERATED_DOCUMENTS: readonly (readonly [
  path: string,
  update: (page: string) => Promise<string>,
])[] = [
  ['docs/reference/settings.md', async (page) => withSections(page, { settings: settingsMarkdown() })],
  ['docs/reference/metrics.md', async (page) => withSections(page, { metrics: await metricsMarkdown() })],
  ['docs/reference/endpoints.md', async (page) => withSections(page, { endpoints: endpointsMarkdown() })],
  ['docs/features.md', async (page) => withSections(page, { mistake: featureMistake(page) })],
  ['docs/faults.md', async (page) => withSections(page, faultSections())],
];

/** The faults that the tests go through. */
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
    process: markdownTable(['fault', 'pods in the scrape', 'how it shows'], process),
  };
}

/** What the exporter says about the page's own example after a typing error. The example itself must be valid. */
function featureMistake(page: string): string {
  const [, example = ''] = /^```yaml\n(.*?)^```$/ms.exec(page) ?? [];
  const options = { namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' };
  parseFeatureFile(example, 'features.yaml', options);
  try {
    parseFeatureFile(example.replace('(namespace, pod)', '(namespace pod)'), 'features.yaml', options);
  } catch (error) {
    if (error instanceof FeatureFileError) return `\`\`\`text\n${error.message}\n\`\`\``;
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

/** Reads the families from a real scrape, so that the table cannot name one that does not exist. */
async function metricsMarkdown(): Promise<string> {
  const metrics = createMetrics({
    version: '',
    model: () => undefined,
    training: () => ({
      running: false,
      runs: 0,
      failures: 0,
      lastSucceeded: undefined,
      lastSuccessSeconds: undefined,
      model: undefined,
      lastError: undefined,
      lastDurationSeconds: undefined,
      nextRun: null,
    }),
    snapshot: () => undefined,
    sharding: () => undefined,
    findings: () => ({ findings: [], lastSuccessSeconds: undefined, lastError: undefined }),
    prometheusRequests: () => new Map(),
    webConfigReload: () => undefined,
    explain: 'off',
  });
  const { body } = await metrics.render(async () => ({
    kind: 'no_model',
    message: '',
    timeSeconds: 0,
    durationSeconds: 0,
    queries: [],
    warnings: [],
  }));
  const types = new Map([...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]));
  const rows = [...body.matchAll(/^# HELP (\S+) (.*)$/gm)]
    .filter(([, name = '']) => name.startsWith('anomaly_'))
    .map(([, name = '', help = '']) => [`\`${name}\``, types.get(name) ?? '', help]);
  return markdownTable(['metric', 'type', 'meaning'], rows);
}

function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
