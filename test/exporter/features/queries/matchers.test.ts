import { expect } from 'chai';
import { addMatchers, MatchersError, parseMatchers } from '../../../../src/exporter/features/queries/matchers.js';
import { promqlMistakes } from '../../../../src/exporter/features/queries/promql.js';

describe('parseMatchers', () => {
  const good: readonly (readonly [text: string, matchers: string])[] = [
    ['', ''],
    ['  ', ''],
    ['{}', ''],
    ['cluster="x"', 'cluster="x"'],
    ['{cluster="x"}', 'cluster="x"'],
    [' cluster = "x" , env!="dev",', 'cluster="x",env!="dev"'],
    ['cluster=~"a|b",zone!~"c.*"', 'cluster=~"a|b",zone!~"c.*"'],
    [`a='x',b=\`y\``, `a='x',b=\`y\``],
    ['a="}",b="{,"', 'a="}",b="{,"'],
    ['a="quote \\" and \\\\"', 'a="quote \\" and \\\\"'],
    ['"k8s.cluster"="x"', '"k8s.cluster"="x"'],
    ['a="x", # comment\nb="y"', 'a="x",b="y"'],
    ['a="x" # comment', 'a="x"'],
    ['on="x",by="y"', 'on="x",by="y"'],
  ];
  for (const [text, matchers] of good) {
    it(`reads ${JSON.stringify(text)}`, () => {
      expect(parseMatchers(text)).to.equal(matchers);
    });
  }

  const bad: readonly (readonly [text: string, reason: string])[] = [
    ['cluster', 'expected label matchers, got an end where none can stand'],
    ['cluster="x', 'expected a text in quotes'],
    ["a='x\ny'", 'where none can stand'],
    ['cluster=x', 'got `x` where none can stand'],
    ['cluster==“x”', 'where none can stand'],
    ['up{cluster="x"}', 'and nothing else'],
    ['cluster="x"} or up{a="b"', 'and nothing else'],
    ['cluster="x"}[5m', 'and nothing else'],
    ['cluster="x" or env="y"', 'where none can stand'],
    ['"up"', 'the name of a metric'],
    ['cluster="x","up"', 'the name of a metric'],
    ['__name__="up"', '__name__'],
    ['"__name__"=~"up"', '__name__'],
    ['{{cluster="x"}}', 'and nothing else'],
    ['a="x",,b="y"', 'where none can stand'],
  ];
  for (const [text, reason] of bad) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => parseMatchers(text)).to.throw(MatchersError, reason);
    });
  }
});

describe('addMatchers', () => {
  const rows: readonly (readonly [query: string, woven: string])[] = [
    ['up', 'up{c="x"}'],
    ['up{}', 'up{c="x",}'],
    ['up{a="b"}', 'up{c="x",a="b"}'],
    ['{__name__="up"}', '{c="x",__name__="up"}'],
    ['rate(a{b="c"}[5m]) / d offset 1h', 'rate(a{c="x",b="c"}[5m]) / d{c="x"} offset 1h'],
    ['sum by (cluster) (a) + on (b) c', 'sum by (cluster) (a{c="x"}) + on (b) c{c="x"}'],
    ['max_over_time(rate(a[1m])[5m:30s])', 'max_over_time(rate(a{c="x"}[1m])[5m:30s])'],
    ['label_replace(a, "b", "$1", "c", "up{d=\\"e\\"}")', 'label_replace(a{c="x"}, "b", "$1", "c", "up{d=\\"e\\"}")'],
    ['vector(1)', 'vector(1)'],
    ['a # up{}\n+ b', 'a{c="x"} # up{}\n+ b{c="x"}'],
  ];
  for (const [query, woven] of rows) {
    it(`makes ${JSON.stringify(woven)}`, () => {
      expect(addMatchers(query, 'c="x"')).to.equal(woven);
      expect(promqlMistakes(woven, [])).to.deep.equal([]);
      expect(addMatchers(query, '')).to.equal(query);
    });
  }
});
