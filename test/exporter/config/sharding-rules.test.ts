import { expect } from 'chai';
import { parseSettings } from '../../../src/exporter/config/parse.js';
import { MistakesError } from '../../../src/lib/usage-error.js';

function mistakesOf(environment: Record<string, string>): readonly string[] {
  try {
    parseSettings(environment);
  } catch (error) {
    if (error instanceof MistakesError) return error.mistakes;
    throw error;
  }
  return expect.fail(`expected ${JSON.stringify(environment)} to be refused`);
}

describe('The shard of a process', () => {
  it('needs the label namespace, of which shards share the values', () => {
    const other = { NAMESPACE_LABEL: 'exported_namespace' };
    expect(mistakesOf({ ...other, SHARD: '0', TOTAL_SHARDS: '2' })).to.deep.equal([
      'NAMESPACE_LABEL: expected "namespace" with TOTAL_SHARDS="2", got "exported_namespace". Scrape cAdvisor with ' +
        'honor_labels: true instead. Example: NAMESPACE_LABEL="namespace"',
    ]);
    expect(parseSettings({ ...other, TOTAL_SHARDS: '1' }).settings.namespaceLabel).to.equal('exported_namespace');
  });

  it('takes the label of a Collector, which all its series have', () => {
    const { settings } = parseSettings({ METRICS_SOURCE: 'opentelemetry', SHARD: '0', TOTAL_SHARDS: '2' });
    expect(settings.namespaceLabel).to.equal('k8s_namespace_name');
  });

  const known: readonly (readonly [environment: Record<string, string>, ordinal: number])[] = [
    [{}, 0],
    [{ SHARD: '0', TOTAL_SHARDS: '1' }, 0],
    [{ SHARD: '2', TOTAL_SHARDS: '3', POD_NAME: 'detector-1' }, 2],
    [{ TOTAL_SHARDS: '3', POD_NAME: 'detector-1', HOSTNAME: 'detector-2' }, 1],
    [{ TOTAL_SHARDS: '3', POD_NAME: '', HOSTNAME: 'k8s-anomaly-detector-2' }, 2],
    [{ TOTAL_SHARDS: '12', HOSTNAME: 'detector-11' }, 11],
    // One process that watches all needs no name.
    [{ HOSTNAME: 'detector-7' }, 0],
  ];
  for (const [environment, ordinal] of known) {
    it(`is ${ordinal} with ${JSON.stringify(environment)}`, () => {
      expect(parseSettings(environment).settings.shard).to.equal(ordinal);
    });
  }

  it('is below the total', () => {
    expect(mistakesOf({ SHARD: '3', TOTAL_SHARDS: '3' })).to.deep.equal([
      'SHARD: expected a number from 0 to TOTAL_SHARDS - 1, got 3 with TOTAL_SHARDS="3". Example: SHARD="2"',
    ]);
    expect(mistakesOf({ SHARD: '1' })).to.have.lengthOf(1);
  });

  for (const environment of [
    {},
    { HOSTNAME: 'detector' },
    { HOSTNAME: 'detector-3' },
    { HOSTNAME: 'detector-6c9f7d8b5-x2x8p' },
    { HOSTNAME: '7f3a9c1b2d3e' },
    { POD_NAME: 'detector-x', HOSTNAME: 'detector-1' },
  ] as Record<string, string>[]) {
    it(`cannot be told from ${JSON.stringify(environment)}, and is asked for`, () => {
      const [mistake, ...others] = mistakesOf({ TOTAL_SHARDS: '3', ...environment });
      expect(others).to.deep.equal([]);
      expect(mistake).to.match(/^SHARD: expected it together with TOTAL_SHARDS="3"/);
      expect(mistake).to.include(Object.values(environment)[0] ?? 'neither POD_NAME nor HOSTNAME');
    });
  }

  it('is told together with all other mistakes', () => {
    expect(mistakesOf({ SHARD: '3', TOTAL_SHARDS: '2', PORT: 'none' })).to.have.lengthOf(2);
    expect(mistakesOf({ SHARD: '3', TOTAL_SHARDS: 'none' })).to.have.lengthOf(1);
    expect(mistakesOf({ SHARD: 'x', TOTAL_SHARDS: '3' })).to.satisfy((mistakes: string[]) =>
      mistakes[0]?.startsWith('SHARD: expected a whole number'),
    );
  });

  it('is a setting whose misspelling is noticed', () => {
    expect(parseSettings({ SHARDS: '1' }).warnings.join()).to.include('Did you mean SHARD?');
    expect(parseSettings({ TOTAL_SHARD: '2' }).warnings.join()).to.include('Did you mean TOTAL_SHARDS?');
    expect(parseSettings({ POD_NAME: 'a-0' }).warnings).to.deep.equal([]);
  });
});
