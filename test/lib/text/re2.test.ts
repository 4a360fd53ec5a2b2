import { expect } from 'chai';
import { ExpressionError, wholeMatch } from '../../../src/lib/text/re2.js';

/** Each expression with names that it matches, and names that it does not. */
const ROWS: readonly (readonly [expression: string, yes: readonly string[], no: readonly string[]])[] = [
  ['shop', ['shop'], ['shops', 'a-shop', '']],
  ['', [''], ['shop']],
  ['ci-.*', ['ci-', 'ci-1', 'ci-a-b'], ['ci', 'aci-1']],
  ['shop|pay', ['shop', 'pay'], ['shopay', 'sho', 'shop|pay']],
  ['ab*c', ['ac', 'abbc'], ['abb', 'bc']],
  ['ab?', ['a', 'ab'], ['b']],
  ['ab{0,1}', ['a', 'ab'], ['abb']],
  ['ab+', ['ab', 'abb'], ['a']],
  ['shop|', ['shop', ''], ['pay']],
  ['(shop|pay)-(dev|test)', ['shop-dev', 'pay-test'], ['shop', 'shop-prod', 'pay-tests']],
  ['(?:a|b)+', ['a', 'abba'], ['', 'abc']],
  ['cart-[0-9]+', ['cart-0', 'cart-10'], ['cart-', 'cart-x']],
  ['[^a-c]x', ['dx', '-x'], ['ax', 'x']],
  ['[]a]+', [']a]'], ['b']],
  ['a{3}', ['aaa'], ['aa', 'aaaa']],
  ['a{2,}', ['aa', 'aaaaa'], ['a']],
  ['a{1,3}b', ['ab', 'aaab'], ['b', 'aaaab']],
  ['a{0}b', ['b'], ['ab']],
  ['a{,3}', ['a{,3}'], ['aa']],
  ['a+?b??', ['a', 'aab'], ['b', 'abb']],
  ['^shop$', ['shop'], ['shops']],
  ['a$b|b^c', [], ['ab', 'bc', 'a$b']],
  [String.raw`a\.b\d\w\-`, ['a.b1_-'], ['axb1_-', 'a.bx_-']],
  ['(a*)*b', ['b', 'aab'], ['a', 'ba']],
  ['()*', [''], ['a']],
  ['.', ['a', 'é', '😀'], ['', 'ab', '\n']],
];

describe('wholeMatch', () => {
  for (const [expression, yes, no] of ROWS) {
    it(`reads ${JSON.stringify(expression)} as RE2 does`, () => {
      const matches = wholeMatch(expression);
      for (const text of yes) expect(matches(text), text).to.equal(true);
      for (const text of no) expect(matches(text), text).to.equal(false);
    });
  }

  it('agrees with the expressions of JavaScript where both have the same syntax', () => {
    const pieces = ['a', 'b', '[ab]', '.', '(a|b)', '(?:ab)', 'a*', 'b+', 'a?', '(ab|b)*', 'a{1,2}', '|', '^', '$'];
    const texts = ['', 'a', 'b', 'ab', 'ba', 'aa', 'aab', 'abab', 'bbb', 'abba'];
    let seed = 7;
    const next = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let round = 0; round < 2000; round++) {
      const expression = Array.from({ length: 1 + next(4) }, () => pieces[next(pieces.length)]).join('');
      const [matches, native] = [wholeMatch(expression), new RegExp(`^(?:${expression})$`)];
      for (const text of texts) expect(matches(text), `${expression} ${text}`).to.equal(native.test(text));
    }
  });

  // With steps back, as native expressions take them, each of these would go on for years.
  it('takes time in proportion to the name, whatever the expression', () => {
    for (const expression of ['(a+)+b', '(a|a)*b', `${'a?'.repeat(200)}${'a'.repeat(200)}b`, `${'.*'.repeat(200)}x`]) {
      expect(wholeMatch(expression)('a'.repeat(253)), expression).to.equal(false);
    }
  });

  it('does not repeat what is empty', () => {
    expect(wholeMatch('((((){1000}){1000}){1000})')('')).to.equal(true);
  });

  for (const [expression, reason] of [
    ['(shop', '`(` without `)`'],
    ['shop)', '`)` without `(`'],
    ['*', '`*` with nothing to repeat'],
    ['a|+', '`+` with nothing to repeat'],
    ['a**', '`**`: a repetition of a repetition'],
    ['a{3,1}', '`{3,1}` (from 0 to 1000, the first number not above the second)'],
    ['a{1001}', '`{1001}` (from 0 to 1000, the first number not above the second)'],
    ['((a{100}){100}){100}', 'an expression that repeats too much'],
    ['(?=a)', '`(?`: flags and named groups do not work here'],
    ['(?i)shop', '`(?`: flags and named groups do not work here'],
    [String.raw`(a)\1`, 'the escape `\\1`, which does not work here'],
    [String.raw`\Qa`, 'the escape `\\Q`, which does not work here'],
    ['[[:alpha:]]', 'the class `[[:alpha:]`, which does not work here'],
    ['[z-a]', 'the class `[z-a]`, in which a range ends before it begins'],
    ['[a', '`[` without `]`'],
    ['shop\\', 'a backslash at the end'],
    [`${'a'.repeat(1000)}.`, 'an expression of 1001 characters (at most 1000)'],
    ['('.repeat(500), 'groups within more than 100 groups'],
  ] as const) {
    it(`refuses ${JSON.stringify(expression.slice(0, 30))}`, () => {
      expect(() => wholeMatch(expression)).to.throw(ExpressionError, reason);
    });
  }
});
