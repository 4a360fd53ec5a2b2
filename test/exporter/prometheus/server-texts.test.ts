import { expect } from 'chai';
import { isObjectName } from '../../../src/exporter/features/table.js';
import { decodeAnswer } from '../../../src/exporter/prometheus/answer/decode.js';
import { isPartial } from '../../../src/exporter/prometheus/api.js';
import { ServerTexts } from '../../../src/exporter/prometheus/server-texts.js';

const SECRET = 'p/s-3&r"T k.9';
const texts = new ServerTexts([SECRET]);
const eachCharacter = (encode: (code: number) => string) =>
  [...SECRET].map((character) => encode(character.codePointAt(0) as number)).join('');
const hex = (code: number, digits: number) => code.toString(16).padStart(digits, '0');

describe('ServerTexts', () => {
  describe('quote', () => {
    const named = SECRET.replace('&', '&amp;').replace('"', '&quot;').replace('/', '&sol;').replace('.', '&period;');
    const json = JSON.stringify(SECRET).slice(1, -1);
    for (const [how, encoded] of [
      ['as it is', SECRET],
      ['with entities of HTML by name', named],
      ['with entities of HTML that do not end', SECRET.replace('&', '&amp').replace('"', '&quot')],
      ['with entities of HTML by number', eachCharacter((code) => `&#${code};`)],
      ['with entities of HTML by number, with zeros and without an end', eachCharacter((code) => `&#000${code}`)],
      ['with entities of HTML by hexadecimal number', eachCharacter((code) => `&#x${hex(code, 2)};`)],
      [
        'with entities of HTML by capital hexadecimal number',
        eachCharacter((code) => `&#X00${hex(code, 2).toUpperCase()};`),
      ],
      ['as in JSON', json],
      ['as in JSON with escaped slashes, as of PHP', json.replace('/', '\\/')],
      ['as in JSON with escaped HTML, as of Go', json.replace('&', '\\u0026')],
      ['with Unicode escapes', eachCharacter((code) => `\\u${hex(code, 4)}`)],
      ['with capital Unicode escapes', eachCharacter((code) => `\\u${hex(code, 4).toUpperCase()}`)],
      ['with Unicode escapes in braces', eachCharacter((code) => `\\u{${hex(code, 1)}}`)],
      ['with hexadecimal escapes', eachCharacter((code) => `\\x${hex(code, 2)}`)],
      ['with all bytes percent-encoded', eachCharacter((code) => `%${hex(code, 2)}`)],
      ['as in a URL', encodeURIComponent(SECRET)],
      ['as in a URL in small letters', encodeURIComponent(SECRET).toLowerCase().replace('t%20', 'T%20')],
      ['as in a URL within a URL', encodeURIComponent(encodeURIComponent(SECRET))],
      ['as in a form', new URLSearchParams({ '': SECRET }).toString().slice(1)],
      ['with octal escapes, as of gRPC', eachCharacter((code) => `\\${code.toString(8).padStart(3, '0')}`)],
      ['as in a URL, four times', [1, 2, 3, 4].reduce((text) => encodeURIComponent(text), SECRET)],
      ['as old browsers escape', eachCharacter((code) => `%u${hex(code, 4)}`)],
      ['in JSON in HTML', json.replaceAll('\\', '&#92;').replaceAll('&quot;', '&quot;')],
      ['in HTML in JSON', JSON.stringify(named.replaceAll('<', '&lt;')).slice(1, -1)],
      ['in JSON in JSON', JSON.stringify(json).slice(1, -1)],
      ['in Base64', Buffer.from(SECRET).toString('base64')],
      ['in Base64 with its padding in a URL', encodeURIComponent(Buffer.from(SECRET).toString('base64'))],
      ['in hexadecimal digits', Buffer.from(SECRET).toString('hex')],
    ] as const) {
      it(`hides a secret ${how}`, () => {
        const shown = texts.quote(`user=x&pass=${encoded}&more`, 500);
        // The padding of Base64 stays.
        expect(shown).to.match(/^user=x&pass=\[redacted\](?:==|%3D%3D)?&more$/);
      });
    }

    it('hides a secret in the middle of what is in Base64', () => {
      for (const before of ['', 'a', 'ab', 'abc', 'user:']) {
        const all = Buffer.from(`${before}${SECRET}:tail`).toString('base64');
        expect(texts.quote(`Basic ${all}`, 500)).to.include('[redacted]');
      }
    });

    it('hides the characters of all scripts', () => {
      const secret = 'pässword🔑';
      const safe = new ServerTexts([secret]);
      for (const encoded of [
        secret,
        encodeURIComponent(secret),
        'p&#228;ssword&#x1f511;',
        'p\\u00e4ssword\\ud83d\\udd11',
      ]) {
        expect(safe.quote(`<${encoded}>`, 100)).to.equal('<[redacted]>');
      }
    });

    it('hides short secrets where they are words, and never a single character', () => {
      const safe = new ServerTexts(['abc', 'x']);
      expect(safe.quote('X-Key: abc, "abc" &#97;bc; abcdef fabc x', 500)).to.equal(
        'X-Key: [redacted], "[redacted]" [redacted]; abcdef fabc x',
      );
    });

    it('does not look for secrets in what it has put in their place', () => {
      expect(new ServerTexts(['redacted', 'dact']).quote('redacted', 500)).to.equal('[redacted]');
    });

    it('hides a secret whose escapes are cut off at the end of what is looked at', () => {
      const encoded = eachCharacter((code) => `&#x${hex(code, 4)};`);
      for (let padding = 9_800; padding <= 10_010; padding++) {
        const shown = texts.quote('-'.repeat(padding) + encoded, Infinity);
        expect(shown.replaceAll('-', ''), String(padding)).not.to.include(`&#x${hex(SECRET.charCodeAt(0), 4)};`);
      }
    });

    it('is bounded, also where it makes a text longer', () => {
      for (const text of ['\u202e'.repeat(100_000), 'x'.repeat(100_000), '🔑'.repeat(100_000), '%41'.repeat(100_000)]) {
        expect(texts.quote(text, 81).length).to.be.at.most(81);
      }
    });
  });

  describe('remarks', () => {
    it('are each there once, and at most ten', () => {
      const many = Array.from({ length: 20_000 }, (_, index) => `store ${index % 500} is down ${SECRET}`);
      const remarks = texts.remarks(many);
      expect(remarks).to.have.lengthOf(11);
      expect(remarks[0]).to.equal('store 0 is down [redacted]');
      expect(remarks[10]).to.equal('19,490 more, which are not listed.');
      expect(remarks.join('').length).to.be.below(6_000);
    });

    it('begin with those about the data', () => {
      const language = Array.from({ length: 30 }, (_, index) => `PromQL warning: ${index}`);
      expect(texts.remarks([...language, 'store is down'])[0]).to.equal('store is down');
    });

    it('say nothing of missing data by their number alone', () => {
      const language = Array.from({ length: 30 }, (_, index) => `PromQL warning: ${index}`);
      const remarks = texts.remarks(language);
      expect(remarks[10]).to.match(/\b20\b/);
      expect(isPartial({ warnings: remarks })).to.equal(false);
      expect(isPartial({ warnings: texts.remarks([...language, 'store is down']) })).to.equal(true);
    });

    for (const odd of [undefined, null, 'text', { 0: 'a' }, [1, null, {}]]) {
      it(`are none in ${JSON.stringify(odd)}`, () => expect(texts.remarks(odd)).to.deep.equal([]));
    }
  });

  describe('labels', () => {
    it('stay as they are where nothing is to be done', () => {
      const labels = { namespace: 'shop', pod: 'cart-0', image: 'registry/cart:1 "x"' };
      expect(texts.labels(labels)).to.equal(labels);
    });

    it('have no secrets, in names and in values', () => {
      expect(texts.labels({ [`a ${SECRET}`]: `is ${encodeURIComponent(SECRET)}`, b: 'c' })).to.deep.equal({
        'a [redacted]': 'is [redacted]',
        b: 'c',
      });
    });

    it('keep names of objects with a short secret that may be a part of one', () => {
      const short = new ServerTexts(['monitoring', 'detector']);
      const labels = { namespace: 'monitoring', annotation_k8s_anomaly_detector_mute: 'x' };
      expect(short.labels({ ...labels })).to.deep.equal(labels);
      expect(short.labels({ note: 'password monitoring' })).to.deep.equal({ note: 'password [redacted]' });
      const long = new ServerTexts(['0123456789abcdef']);
      expect(long.labels({ pod: 'x-0123456789abcdef' })).to.deep.equal({ pod: '[redacted]' });
    });

    it('are bounded and harmless', () => {
      const {
        a,
        b,
        c,
        annotation_d: d,
        e,
      } = texts.labels({
        a: 'x'.repeat(1_000_000),
        b: '\u001b[2J all is well',
        c: 'all is well\u202e',
        annotation_d: 'saturday 22:00-24:00;\n\tsunday',
        e: 'ok\n2026-11-29 all is well',
      });
      expect(a).to.have.lengthOf(2_048);
      expect(b).to.equal('[unprintable, not a name]');
      expect(c).to.equal('all is well\\u{202e}');
      expect(d).to.equal('saturday 22:00-24:00;\n\tsunday');
      expect(e).to.equal('[unprintable, not a name]');
    });

    it('become no name by being made harmless', () => {
      for (const pod of ['n\u0000ul', '\ud800', 'two\nlines', 'x'.repeat(65_536), `x${SECRET}`]) {
        const { pod: shown = '' } = texts.labels({ pod });
        expect(isObjectName(shown), shown).to.equal(shown.includes('[redacted]'));
      }
    });
  });

  it('is the edge of a whole answer', () => {
    const asked = { url: 'http://h', query: 'up', texts };
    const data = { resultType: 'vector', result: [{ metric: { a: `${SECRET}!` }, value: [1, '1'] }] };
    const answer = decodeAnswer(asked, 'vector', { status: 'success', data, warnings: [SECRET], infos: [SECRET] });
    expect(answer.labels).to.deep.equal([{ a: '[redacted]!' }]);
    expect(answer.infos).to.deep.equal(['[redacted]']);
    expect(answer.warnings).to.deep.equal(['[redacted]']);
  });
});
