import { expect } from 'chai';
import { Registry } from 'prom-client';
import type { MetricModule } from '../../../src/exporter/metrics/module.js';
import { METRIC_MODULES } from '../../../src/exporter/metrics/registry.js';
import { type ExposedFamily, parseExposition } from '../../support/exposition.js';
import {
  detectionOf,
  NO_FINDINGS,
  NO_MODEL_PASS,
  ORDINARY_PODS,
  passTo,
  sourcesWith,
  UNTRAINED,
} from '../../support/metric-sources.js';

const outcome = passTo(detectionOf(ORDINARY_PODS));

function expectNames(families: ReadonlyMap<string, ExposedFamily>, { names }: MetricModule): void {
  const exposed = [...families.keys()];
  // Some metrics of the process are there on Linux only.
  if (process.platform === 'linux') expect(exposed).to.have.members([...names]);
  else expect(names).to.include.members(exposed);
}

describe('metric modules', () => {
  for (const module of METRIC_MODULES) {
    const name = module.names[0];

    it(`the one of ${name} exposes exactly the names that it lists`, async () => {
      const registry = new Registry();
      module.register(registry, { ...sourcesWith(), pass: async () => outcome });
      const families = parseExposition(await registry.metrics());
      expectNames(families, module);
    });

    it(`the one of ${name} exposes them without a model as well`, async () => {
      const registry = new Registry();
      module.register(registry, {
        ...sourcesWith({ model: () => undefined, training: () => UNTRAINED, findings: () => NO_FINDINGS }),
        pass: async () => NO_MODEL_PASS,
      });
      const families = parseExposition(await registry.metrics());
      expectNames(families, module);
    });
  }

  it('have no name in common', () => {
    const names = METRIC_MODULES.flatMap((module) => module.names);
    expect([...new Set(names)]).to.deep.equal(names);
  });

  describe('together', () => {
    let families: ExposedFamily[];

    before(async () => {
      const registry = new Registry();
      const sources = { ...sourcesWith(), pass: async () => outcome };
      for (const module of METRIC_MODULES) module.register(registry, sources);
      families = [...parseExposition(await registry.metrics()).values()];
    });

    const check = (say: string, isRight: (family: ExposedFamily) => boolean) =>
      it(say, () => {
        expect(families).to.have.lengthOf.at.least(METRIC_MODULES.flatMap(({ names }) => names).length);
        expect(families.filter((family) => !isRight(family)).map(({ name }) => name)).to.deep.equal([]);
      });

    check('end in _total where they are counters, and only there', ({ name, type }) =>
      name.endsWith('_total') ? type === 'counter' : type !== 'counter',
    );
    check(
      'measure in base units',
      ({ name }) =>
        !/_(milliseconds|ms|microseconds|minutes|hours|kilobytes|kib|megabytes|mib|percent|cores)(_|$)/.test(
          name,
        ),
    );
    check('put the unit last', ({ name }) => !/_(seconds|bytes)_(?!total$)/.test(name));
    check(
      'do not repeat the type in the name',
      ({ name }) => !/_(gauge|counter|histogram|summary)$/.test(name),
    );
    check('explain themselves in a sentence', ({ name, help }) =>
      name.startsWith('nodejs_') || name.startsWith('process_') ? help.length > 0 : /^[A-Z].*\.$/.test(help),
    );
    check('are of this exporter, or of the process', ({ name }) =>
      /^(anomaly_((flag|score)$|feature_|workload_|exporter_)|process_|nodejs_)/.test(name),
    );
    check('carry only labels with a legal name and a value', ({ samples }) =>
      samples.every(({ labels }) =>
        Object.entries(labels).every(([label, value]) => /^[a-z_]+$/.test(label) && value !== 'undefined'),
      ),
    );
  });
});
