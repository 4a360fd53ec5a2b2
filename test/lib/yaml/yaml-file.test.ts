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

  const repeated = (text: string, bytes = 1024 * 1024) => text.repeat(Math.floor(bytes / text.length));
  const keys = (count: number) => Array.from({ length: count }, (_, index) => `key-${index}: 1\n`).join('');

  for (const [what, text] of Object.entries({
    keys: keys(40_000),
    items: repeated('- a\n'),
    'items in one line': `[${repeated('a,')}]`,
    aliases: `a: &x 1\nb: [${repeated('*x,')}]`,
    comments: repeated('# a\n'),
    documents: repeated('---\n'),
    quotes: repeated('"'),
  })) {
    it(`refuses a megabyte of ${what} before it is parsed`, () => {
      expect(() => read(text)).to.throw(MistakesError, /expected at most 60,000 words, marks and spaces, got more\.$/);
    });
  }

  it('lists a bounded number of bounded mistakes, whatever stands in the file', () => {
    const all = keys(11_000);
    for (const [text, find] of [
      [all, (file: YamlFile) => file.addUnknownKeys([], Object.keys(file.at([]) as object), ['other'])],
      [
        all,
        (file: YamlFile) => Object.keys(file.at([]) as object).forEach((key) => void file.add([key], 'expected more.')),
      ],
      [repeated('a: 1\n', 50_000), () => undefined],
      [`[${repeated('*x,', 40_000)}]`, () => undefined],
      [repeated('!!x a,\n', 50_000), () => undefined],
      [repeated('!'), () => undefined],
      [repeated('*'), () => undefined],
    ] as const) {
      try {
        const file = read(text);
        find(file);
        file.throwIfAny();
        expect.fail('expected mistakes');
      } catch (error) {
        if (!(error instanceof MistakesError)) throw error;
        expect(error.mistakes.length).to.be.within(1, 101);
        expect(error.message.length, text.slice(0, 20)).to.be.below(20_000);
      }
    }
  });

  it('counts all mistakes, also those that are not listed', () => {
    const file = read(keys(5_000));
    file.addUnknownKeys([], Object.keys(file.at([]) as object), ['other']);
    expect(() => file.throwIfAny()).to.throw(MistakesError, /x\.yaml: 4,?900 more, which are not listed\.$/);
  });

  it('counts an alias as all that it stands for', () => {
    const shared = `a: &a [${'1, '.repeat(1_000)}1]\n`;
    const uses = (times: number) => `b: [${'*a, '.repeat(times)}1]\n`;
    expect(read(shared + uses(290)).at(['b', 289, 1_000])).to.equal(1);
    expect(() => read(shared + uses(15_000))).to.throw(
      MistakesError,
      /x\.yaml:2:\d{4}: expected at most 300,?000 keys/,
    );
    const nested = Array.from({ length: 60 }, (_, level) => `l${level + 1}: &l${level + 1} [*l${level}, *l${level}]\n`);
    expect(() => read(`l0: &l0 1\n${nested.join('')}`)).to.throw(MistakesError, /expected at most 300,?000 keys/);
    expect(() => read('a: &a [*a]\n')).to.throw(MistakesError, /x\.yaml:1:8: expected at most 300,?000 keys/);
  });

  it('finds keys that stand twice, and anchors that stand nowhere, at their places', () => {
    expect(() => read('a: 1\nb:\n  - {c: 1, c: 2}\na: 3\n')).to.throw(
      MistakesError,
      /x\.yaml:3:12: invalid YAML: Map keys must be unique\.\n +x\.yaml:4:1: invalid YAML: Map keys must be unique\.$/,
    );
    expect(() => read('1: a\n"1": b\n')).to.throw(MistakesError, 'x.yaml:2:1: invalid YAML: Map keys must be unique.');
    expect(() => read('a: *b\nb: &b 1\n')).to.throw(
      MistakesError,
      'x.yaml:1:4: expected an anchor `&b` before its use',
    );
    expect(read('a: &a 1\nb: *a\n').at(['b'])).to.equal(1);
  });
});
