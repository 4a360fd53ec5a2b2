import { expect } from 'chai';
import { MistakesError } from '../../../src/lib/usage-error.js';
import { YamlFile } from '../../../src/lib/yaml/yaml-file.js';

const read = (text: string) => new YamlFile(text, 'x.yaml', 'the file x.yaml');

describe('YamlFile', () => {
  /** Each would end the process, which reads files while it runs. */
  const DEEP: Readonly<Record<string, readonly [text: string, place: string]>> = {
    lists: ['['.repeat(50_000), '1:101'],
    'mappings in one line': [`a: 1\nb: ${'{a: '.repeat(50_000)}`, '2:404'],
    'list items in one line': [`${'- '.repeat(50_000)}x`, '1:103'],
    'complex keys': [`${'? '.repeat(50_000)}x`, '1:103'],
    'mappings in lines': [Array.from({ length: 1000 }, (_, level) => `${' '.repeat(level)}a:`).join('\n'), '102:102'],
  };
  for (const [what, [text, place]] of Object.entries(DEEP)) {
    it(`refuses ${what} that nest too deep, with the place`, () => {
      expect(() => read(text)).to.throw(
        MistakesError,
        `x.yaml:${place}: expected at most 100 levels of nesting, got more.`,
      );
    });
  }

  it('reads what nests less, and long texts', () => {
    const deep = `${'['.repeat(90)}1${']'.repeat(90)}`;
    expect(read(`a: ${deep}\nb: |\n${' '.repeat(150)}[[[ {{{ - x\n`).at(['b'])).to.equal('[[[ {{{ - x\n');
    expect(read(`a: '${'[ - '.repeat(200)}'`).at(['a'])).to.have.length(800);
  });

  it('lists the first hundred mistakes, and says how many more there are', () => {
    const file = read(Array.from({ length: 250 }, (_, line) => `k${line}: ${line}`).join('\n'));
    for (let line = 249; line >= 0; line--) file.add([`k${line}`], 'expected another value.');
    try {
      file.throwIfAny();
      expect.fail('expected mistakes');
    } catch (error) {
      if (!(error instanceof MistakesError)) throw error;
      expect(error.mistakes).to.have.length(101);
      expect(error.mistakes[0]).to.equal('x.yaml:1:5: expected another value.');
      expect(error.mistakes.at(-1)).to.equal('x.yaml: 150 more, which are not listed.');
    }
  });
});
