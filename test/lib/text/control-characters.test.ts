import { expect } from 'chai';
import { escapeControlCharacters } from '../../../src/lib/text/control-characters.js';

describe('escapeControlCharacters', () => {
  for (const [what, text, shown] of [
    ['a change of direction', 'a\u202egnp.exe', 'a\\u{202e}gnp.exe'],
    ['an isolate', '\u2066x\u2069', '\\u{2066}x\\u{2069}'],
    ['a space without width', 'pay\u200bments', 'pay\\u{200b}ments'],
    ['a control character', 'a\u0007\u001b[31mb', 'a\\u{7}\\u{1b}[31mb'],
    ['a separator of lines', 'a\u2028b', 'a\\u{2028}b'],
    ['half a character', 'a\ud800b', 'a\\u{d800}b'],
    ['an invisible letter', 'a\u3164b', 'a\\u{3164}b'],
    ['a tag', 'a\u{e0041}b', 'a\\u{e0041}b'],
    ['a pile of marks', `z${'\u0301'.repeat(40)}y`, `z${'\u0301'.repeat(3)}…y`],
  ] as const) {
    it(`shows ${what} as what it is`, () => expect(escapeControlCharacters(text)).to.equal(shown));
  }

  it('leaves other scripts, pictures and line breaks as they are', () => {
    const text = 'Grüße, 日本語, עברית, é, 🚀\n\t.';
    expect(escapeControlCharacters(text)).to.equal(text);
  });
});
