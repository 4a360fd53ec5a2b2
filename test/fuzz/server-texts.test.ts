import { expect } from 'chai';
import fc from 'fast-check';
import { ServerTexts } from '../../src/exporter/prometheus/server-texts.js';
import { anyJsonText, holds } from '../support/fuzz.js';

/** How programs write one character. */
const ENCODINGS: readonly ((character: string) => string)[] = [
  (character) => character,
  (character) => [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  (character) => `&#${character.charCodeAt(0)};`,
  (character) => `&#x${character.charCodeAt(0).toString(16).toUpperCase()};`,
];

/** Characters of one unit, without those that would make an escape together with what follows. */
const letter = fc.constantFrom(...'abcXYZ019.:/-_=+~!@#"\'<> äß漢');
const secret = fc.array(letter, { minLength: 4, maxLength: 40 }).map((letters) => letters.join(''));

describe('fuzzing the edge for texts of a server', () => {
  it('shows no secret, however each of its characters is written', () => {
    holds(
      fc.record({
        secret,
        choices: fc.array(fc.nat(ENCODINGS.length - 1), { minLength: 40, maxLength: 40 }),
        layers: fc.array(fc.nat(ENCODINGS.length - 1), { maxLength: 2 }),
        before: fc.string({ maxLength: 30 }),
        after: fc.string({ maxLength: 30 }),
      }),
      ({ secret: text, choices, layers, before, after }) => {
        let encoded = [...text].map((character, index) => ENCODINGS[choices[index] ?? 0]?.(character)).join('');
        for (const layer of layers) encoded = [...encoded].map((one) => ENCODINGS[layer]?.(one)).join('');
        const shown = new ServerTexts([text]).quote(`${before} ${encoded} ${after}`, 50_000);
        expect(shown).to.include('[redacted]');
        expect(shown).not.to.include(encoded.trim());
      },
    );
  });

  it('is bounded and harmless for any text and any secrets, and leaves other texts as they are', () => {
    holds(fc.tuple(anyJsonText, fc.array(anyJsonText, { maxLength: 3 }), fc.nat(200)), ([text, secrets, length]) => {
      const shown = new ServerTexts(secrets).quote(text, length);
      expect(shown.length).to.be.at.most(length);
      expect(shown).to.match(/^[^\p{C}\p{Zl}\p{Zp}]*$/u);
      const { a = '' } = new ServerTexts(secrets).labels({ a: text });
      expect(a).to.match(/^[^\p{C}\p{Zl}\p{Zp}]*$/u);
    });
    holds(fc.string({ maxLength: 80 }), (text) => {
      expect(new ServerTexts(['nowhere-to-be-found']).quote(text, 80)).to.equal(text.replace(/\s+/g, ' ').trim());
    });
  });
});
