import { expect } from 'chai';
import fc from 'fast-check';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { type Environment, SETTINGS } from '../../src/exporter/config/settings.js';
import { MistakesError } from '../../src/lib/usage-error.js';
import { anyText, expectNoPollution, holds } from '../support/fuzz.js';

const definitions = Object.values(SETTINGS);

const value = fc.oneof(
  anyText,
  fc.constantFrom(...definitions.flatMap(({ default: usual, example }) => [usual, example])),
  fc.integer().map(String),
  fc.double().map(String),
);
const environment: fc.Arbitrary<Environment> = fc.dictionary(
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...definitions.map(({ env }) => env)) },
    { weight: 1, arbitrary: anyText },
    { weight: 1, arbitrary: fc.constantFrom('PROMETHEUS_URI', 'POD_LABLE', 'RETRAIN_SCHEDUL') },
  ),
  value,
  { maxKeys: 8 },
);

/** The settings, or the sentences of the mistakes; everything else fails. */
function outcomeOf(variables: Environment): readonly string[] {
  try {
    const { settings, warnings } = parseSettings(variables);
    expect(Object.isFrozen(settings)).to.equal(true);
    expect(Object.keys(settings)).to.have.members([...Object.keys(SETTINGS), 'secretFiles']);
    for (const [name, setting] of Object.entries(settings)) {
      // It follows from another setting where it is not set.
      if (name !== 'containerLabel') expect(setting, name).not.to.be.oneOf([undefined, null]);
    }
    for (const setting of Object.values(settings)) {
      if (typeof setting === 'number') expect(setting).to.satisfy(Number.isFinite);
    }
    return warnings;
  } catch (error) {
    if (error instanceof MistakesError) return error.mistakes;
    throw error;
  } finally {
    expectNoPollution();
  }
}

describe('fuzzing the settings', () => {
  it('are whole and frozen, or all mistakes are told', () => {
    holds(environment, outcomeOf, 3_000);
  });

  it('never tell the password of a URL, however broken it is', () => {
    const password = fc.stringMatching(/^[a-z0-9]{10}$/);
    const url = fc.tuple(
      fc.oneof(fc.constantFrom('http://', 'https://', 'HTTP://', 'ftp://', ''), anyText),
      password,
      fc.oneof(fc.constantFrom('prometheus:9090', 'host/path?x=1#y', ''), anyText),
    );
    holds(url, ([scheme, secret, rest]) => {
      fc.pre(!scheme.includes(secret) && !rest.includes(secret));
      const told = outcomeOf({ PROMETHEUS_URL: `${scheme}user:${secret}@${rest}` });
      expect(told.join('\n')).not.to.include(secret);
    });
  });
});
