import { expect } from 'chai';
import fc from 'fast-check';
import { MAXIMUM_FEATURES, parseFeatureFile } from '../../src/exporter/features/queries/feature-file.js';
import { MistakesError } from '../../src/lib/usage-error.js';
import { anyText, expectNoPollution, holds } from '../support/fuzz.js';

const OPTIONS = { namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' };

/** @returns whether the file was accepted. */
function accepts(text: string): boolean {
  try {
    const { features } = parseFeatureFile(text, 'features.yaml', OPTIONS);
    expect(features.length).to.be.within(1, MAXIMUM_FEATURES);
    for (const { name, query, spreadFloor } of features) {
      expect(name).to.match(/^[a-z]/);
      expect(query).to.be.a('string').and.not.to.equal('');
      expect(spreadFloor).to.satisfy(Number.isFinite);
    }
    return true;
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error;
    expect(error.message).not.to.equal('');
    return false;
  } finally {
    expectNoPollution();
  }
}

const QUERY = 'sum by (namespace, pod) (x{namespace=~"{{namespace_regex}}"})';
const mostly = <Value>(right: fc.Arbitrary<Value>) =>
  fc.oneof(
    { weight: 12, arbitrary: right as fc.Arbitrary<unknown> },
    { weight: 1, arbitrary: fc.oneof(fc.jsonValue(), anyText) },
  );
const feature = fc.record(
  {
    name: mostly(fc.constantFrom('a', 'b', 'network_receive')),
    help: mostly(fc.constant('Some help')),
    query: mostly(fc.constantFrom(QUERY, `${QUERY} / 2`, `topk(3, ${QUERY})`)),
    unit: mostly(fc.constant('bytes')),
    direction: mostly(fc.constantFrom('both', 'up')),
    spread_floor: mostly(fc.constant(1)),
    relative_spread_floor: mostly(fc.constant(0.1)),
    type: mostly(fc.constantFrom('gauge', 'counter')),
    pod_label: mostly(fc.constant('pod')),
    required: mostly(fc.boolean()),
  },
  { requiredKeys: ['name', 'help', 'query', 'unit', 'direction', 'spread_floor'] },
);
const file = mostly(
  fc.record(
    {
      builtin: mostly(fc.subarray(['cpu', 'memory', 'restarts'], { minLength: 1 })),
      features: mostly(fc.array(mostly(feature), { maxLength: 3 })),
    },
    { requiredKeys: ['builtin'] },
  ),
);

describe('fuzzing the feature file', () => {
  it('is accepted or refused, whatever the text is', () => {
    holds(anyText, accepts);
  });

  it('is accepted or refused, whatever the structure is', () => {
    let accepted = 0;
    holds(file, (value) => {
      if (accepts(JSON.stringify(value))) accepted++;
    });
    expect(accepted, 'else only the refusals were tried').to.be.above(50);
  });

  it('is accepted or refused, however a good file is damaged', () => {
    const good = `builtin: [cpu]\nfeatures:\n  - {name: a, help: H, query: '${QUERY}', unit: b, direction: up, spread_floor: 1}\n`;
    expect(accepts(good)).to.equal(true);
    const damage = fc.tuple(
      fc.nat({ max: good.length }),
      fc.nat({ max: 10 }),
      fc.oneof(anyText, fc.constantFrom('&a', '*a', '<<: ', '!!js/function ', '? ', '- ', '|\n', '%YAML 9\n---\n')),
    );
    holds(damage, ([place, length, text]) => {
      accepts(good.slice(0, place) + text + good.slice(place + length));
    });
  });
});
