import { expect } from 'chai';
import fc from 'fast-check';
import { MistakesError } from '../../src/lib/usage-error.js';
import { parseWebConfig } from '../../src/lib/web-config/parse.js';
import { YamlFile } from '../../src/lib/yaml/yaml-file.js';
import { anyText, expectNoPollution, holds } from '../support/fuzz.js';

/** A hash that is well formed and belongs to no password that anybody knows. */
const HASH = `$2b$10$${'abcdefghijklmnopqrstuv'}${'ABCDEFGHIJKLMNOPQRSTUVWXYZ01234'}`;

/** @returns whether the text was accepted; every error but that of mistakes fails. */
function accepts(text: string): boolean {
  try {
    const yaml = new YamlFile(text, 'web.yaml', 'the web configuration');
    const { users } = parseWebConfig(yaml);
    yaml.throwIfAny();
    for (const [name, hash] of users) expect([typeof name, typeof hash]).to.deep.equal(['string', 'string']);
    return true;
  } catch (error) {
    expect(error).to.be.an.instanceOf(MistakesError);
    expect((error as MistakesError).message).not.to.include(HASH);
    return false;
  } finally {
    expectNoPollution();
  }
}

const mostly = <Value>(right: fc.Arbitrary<Value>) =>
  fc.oneof(
    { weight: 12, arbitrary: right as fc.Arbitrary<unknown> },
    { weight: 1, arbitrary: fc.oneof(fc.jsonValue(), anyText) },
  );
const file = fc.record(
  {
    tls_server_config: mostly(
      fc.record(
        {
          cert_file: mostly(fc.constant('tls.crt')),
          key_file: mostly(fc.constant('tls.key')),
          min_version: mostly(fc.constantFrom('TLS12', 'TLS13')),
        },
        { requiredKeys: ['cert_file', 'key_file'] },
      ),
    ),
    basic_auth_users: mostly(fc.dictionary(anyText, mostly(fc.constant(HASH)), { maxKeys: 3 })),
    http_server_config: mostly(
      fc.record({
        headers: mostly(
          fc.dictionary(
            fc.constantFrom('X-Frame-Options', 'Strict-Transport-Security'),
            mostly(fc.constantFrom('deny', 'max-age=1')),
          ),
        ),
      }),
    ),
    rate_limit: mostly(fc.record({ interval: mostly(fc.constant('1s')), burst: mostly(fc.nat(100)) })),
  },
  { requiredKeys: [] },
);

describe('fuzzing the web configuration', () => {
  it('is accepted or refused, whatever the text is', () => {
    holds(anyText, accepts, 1_000);
  });

  it('is accepted or refused without a word of its hashes, whatever the structure is', () => {
    let accepted = 0;
    holds(
      file,
      (value) => {
        if (accepts(JSON.stringify(value))) accepted++;
      },
      1_500,
    );
    expect(accepted, 'else only the refusals were tried').to.be.above(10);
  });
});
