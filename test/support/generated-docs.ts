/** The parts of the README that derive from the code: what stands between the markers is replaced. */

import { settingsMarkdown } from '../../src/config/help.js';
import { ENDPOINTS } from '../../src/http/endpoints.js';
import { createMetrics } from '../../src/metrics/registry.js';

/** The README with its generated sections up to date. */
export async function updateReadme(readme: string): Promise<string> {
  const sections = {
    settings: settingsMarkdown(),
    metrics: await metricsMarkdown(),
    endpoints: endpointsMarkdown(),
  };
  let updated = readme;
  for (const [name, text] of Object.entries(sections)) {
    const begin = `<!-- generated: ${name} -->`;
    const end = `<!-- end: ${name} -->`;
    const start = updated.indexOf(begin);
    const stop = updated.indexOf(end);
    if (start < 0 || stop < start) throw new Error(`Expected ${begin} and ${end} in the README.`);
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

/** Reads the families off a real scrape, so that the table cannot name one that is not there. */
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
      lastError: undefined,
      lastDurationSeconds: undefined,
      nextRun: null,
    }),
    prometheusRequests: () => new Map(),
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
