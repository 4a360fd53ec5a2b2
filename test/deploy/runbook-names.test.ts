import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { CHECKS } from '../../src/exporter/check/checks.js';
import { SETTINGS } from '../../src/exporter/config/settings.js';
import { END_REASONS } from '../../src/exporter/episodes/episodes.js';
import { HealthReport } from '../../src/exporter/http/schemas.js';
import { parseExposition } from '../support/exposition.js';
import { queriesIn, readRunbook, runbookNames } from '../support/runbooks.js';

const pages = runbookNames().map((alert) => [alert, readRunbook(alert)] as const);

/** First cells of the rows of a table with this heading, without the code marks. */
function firstCells(page: string, heading: string): readonly string[] {
  const table = new RegExp(`^\\| ${heading} \\|.*\\n\\|[ -|]*\\n((?:\\|.*\\n)+)`, 'm').exec(page)?.[1] ?? '';
  return table
    .split('\n')
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, cell = '']) => cell));
}

const sources = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');

describe('names in the runbooks', () => {
  it('are those of settings', () => {
    const known = new Set(Object.values(SETTINGS).map(({ env }) => env));
    const named = pages.flatMap(([alert, page]) =>
      [...page.matchAll(/`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`/g)].map(([, name = '']) => [alert, name] as const),
    );
    expect(named.length).to.be.above(20);
    for (const [alert, name] of named) expect([...known], alert).to.include(name);
  });

  it('are those of metrics', () => {
    const golden = new Set(parseExposition(readFileSync('test/golden/metrics.prom', 'utf8')).keys());
    const named = pages.flatMap(([alert, page]) =>
      [...page.matchAll(/`((?:k8s_anomaly_detector|anomaly)_\w+)`/g)].map(([, name = '']) => [alert, name] as const),
    );
    expect(named.length).to.be.above(3);
    for (const [alert, name] of named) expect([...golden], alert).to.include(name);
  });

  it('are those of a Collector as well, where they are not those of the exporter', () => {
    // It has no metric for it.
    const none = 'last_terminated';
    const ofSource = pages.map(
      ([, page]) =>
        queriesIn(page).filter((query) => /\b(?:container|kube)_/.test(query) && !query.includes(none)).length,
    );
    expect(ofSource.filter((count) => count > 0)).to.have.lengthOf(3);
    expect(pages.map(([, page]) => queriesIn(page, 'opentelemetry').length)).to.deep.equal(ofSource);
  });

  it('are those of checks', () => {
    const ids = CHECKS.map(({ id }) => id);
    const named = firstCells(readRunbook('AnomalyInstallationFault'), 'check');
    expect(named).to.include.members(['series', 'tuning_file']);
    expect(ids).to.include.members([...named]);
  });

  it('are those of reasons for which a pod has no score', () => {
    const text = sources('src/exporter');
    const named = firstCells(readRunbook('AnomalyPodsUnscored'), 'reason');
    expect(named).to.include.members(['missing_cpu', 'no_usage', 'max_pods']);
    for (const reason of named) {
      // `missing_` and the name of a feature.
      if (reason.startsWith('missing_')) expect(['cpu', 'memory']).to.include(reason.slice('missing_'.length));
      else expect(text.match(new RegExp(`'${reason}'|\\b${reason}:`)), reason).to.not.equal(null);
    }
  });

  it('are those of all ways in which an anomaly ends', () => {
    expect(firstCells(readRunbook('PodAnomalous'), 'reason')).to.deep.equal([...END_REASONS]);
  });

  it('are those of fields in /healthz', () => {
    const { shape } = HealthReport;
    const about = pages.filter(([, page]) => page.includes('/healthz'));
    expect(about).to.not.be.empty;
    for (const [alert, page] of about) {
      if (/`last_error` of the training in `\/healthz`/.test(page))
        expect(shape.training.shape).to.have.property('last_error');
      const [, field] = /`(\w+)` in `\/healthz`/.exec(page.replaceAll(/`last_error`[^`]+`\/healthz`/g, '')) ?? [];
      if (field !== undefined) expect(shape, alert).to.have.property(field);
    }
  });
});
