import { expect } from 'chai';
import { promqlMistakes, quotePromql } from '../../../../src/exporter/features/queries/promql.js';
import { fillTemplate } from '../../../../src/exporter/features/queries/template.js';

const LABELS = ['namespace', 'pod'];

describe('promqlMistakes', () => {
  const sound: readonly string[] = [
    'some_metric',
    'sum by (namespace, pod) (some_metric)',
    'sum(some_metric) by (pod, namespace, node)',
    'SUM BY (namespace, pod) (some_metric)',
    'sum by ("namespace", \'pod\') (some_metric)',
    'max without (container) (some_metric)',
    '((sum by (namespace, pod) (some_metric)))',
    '-sum by (namespace, pod) (some_metric)',
    '# a comment\nsum by (namespace, pod) (some_metric) # and one more',
    'sum by (namespace, pod) (sum by (namespace, pod, container) (some_metric))',
    'sum by (namespace, pod) (a) / (sum by (namespace, pod) (b) > 0)',
    'sum by (namespace, pod) (a) * 100',
    // These keep the labels of the series that they choose.
    'topk(3, some_metric)',
    'bottomk by (namespace) (3, some_metric)',
    // What these come to does not show.
    'a * on (namespace) group_left () sum by (namespace) (b)',
    'sum by (namespace) (a) + ignoring (pod) b',
    'label_replace(sum by (namespace, instance) (a), "pod", "$1", "instance", "(.*)")',
    'clamp_max(sum(a), 1)',
    'rate(a)',
    'max_over_time(a[5m:1m] offset 5m @ end())',
    'histogram_quantile(0.9, sum by (le, namespace, pod) (rate(a_bucket[5m])))',
    'a{b=~"c.*",d!~`e`,f=\'g\'}',
  ];
  for (const query of sound) {
    it(`finds nothing wrong with ${query}`, () => {
      expect(promqlMistakes(query, LABELS)).to.deep.equal([]);
    });
  }

  const unsound: readonly (readonly [query: string, at: string, sentence: string])[] = [
    ['sum by (namespace pod) (a)', 'pod) (a)', 'expected PromQL, got `pod` where it cannot stand.'],
    ['a b', 'b', 'expected PromQL, got `b` where it cannot stand.'],
    ['a)', ')', 'expected PromQL, got `)` where it cannot stand.'],
    ['foo(a)', 'foo(a)', 'expected a function or an aggregation of PromQL, got `foo`.'],
    ['sum(foo (a))', 'foo (a))', 'expected a function or an aggregation of PromQL, got `foo`.'],
    ['sum (a) bye (b)', 'bye (b)', 'expected PromQL, got `bye` where it cannot stand. Did you mean `by`?'],
    ['rate(a[5m]', '', 'expected more PromQL, got the end of the query.'],
    ['', '', 'expected more PromQL, got the end of the query.'],
    ['# only a comment', '', 'expected more PromQL, got the end of the query.'],
    ['a[5x]', 'x]', 'expected PromQL, got `x` where it cannot stand.'],
    [
      'a[5m]',
      'a[5m]',
      'expected a query for one value a pod, got one for a range of values for each series. ' +
        'A range needs a function around it, as in `rate(…[1m])`.',
    ],
    [
      'a[5m:1m]',
      'a[5m:1m]',
      'expected a query for one value a pod, got one for a range of values for each series. ' +
        'A range needs a function around it, as in `rate(…[1m])`.',
    ],
    ['1', '1', 'expected a query for one value a pod, got one for a number.'],
    ['"a"', '"a"', 'expected a query for one value a pod, got one for a text.'],
  ];
  for (const [query, at, sentence] of unsound) {
    it(`refuses ${JSON.stringify(query)}`, () => {
      const offset = at === '' ? query.length : query.indexOf(at);
      expect(promqlMistakes(query, LABELS)).to.deep.equal([{ offset, sentence }]);
    });
  }

  const losing: readonly (readonly [query: string, at: string, got: string, lost: string])[] = [
    ['sum(a)', 'sum', 'sum', '`namespace` and `pod`'],
    ['sum by (pod) (a)', 'by', 'sum by (pod)', '`namespace`'],
    ['max(a) by (namespace)', 'by', 'max by (namespace)', '`pod`'],
    ['sum by () (a)', 'by', 'sum by ()', '`namespace` and `pod`'],
    ['max without (pod) (a)', 'without', 'max without (pod)', '`pod`'],
    ['quantile by (namespace) (0.9, a)', 'by', 'quantile by (namespace)', '`pod`'],
    ['-(sum by (pod) (a))', 'by', 'sum by (pod)', '`namespace`'],
    ['b / sum by (pod) (a)', 'by', 'sum by (pod)', '`namespace`'],
    ['sum by (pod) (a) > 0', 'by', 'sum by (pod)', '`namespace`'],
  ];
  for (const [query, at, got, lost] of losing) {
    it(`refuses ${query}, which drops a label`, () => {
      const operator = got.split(' ')[0];
      expect(promqlMistakes(query, LABELS)).to.deep.equal([
        {
          offset: query.indexOf(at),
          sentence:
            'expected the outermost aggregation to keep the labels `namespace` and `pod`, ' +
            `got \`${got}\`, which drops ${lost}. Example: ${operator} by (namespace, pod) (…)`,
        },
      ]);
    });
  }

  it('tells of both sides of an operator', () => {
    expect(promqlMistakes('sum(a) / sum(b)', LABELS).map(({ offset }) => offset)).to.deep.equal([0, 9]);
  });
});

describe('fillTemplate', () => {
  const options = { namespaceRegex: 'a"b', podLabel: 'pod_name', cpuRateWindow: '5m' };

  const filled: readonly (readonly [template: string, text: string])[] = [
    ['', ''],
    ['a', 'a'],
    ['a{n=~"{{namespace_regex}}"}', 'a{n=~"a\\"b"}'],
    ['a{n=~"{{ namespace_regex }}"}', 'a{n=~"a\\"b"}'],
    ['a{n=~"x|{{namespace_regex}}"}', 'a{n=~"x|a\\"b"}'],
    ['rate(a[{{cpu_rate_window}}])', 'rate(a[5m])'],
    ['sum by ({{pod_label}},{{container_label}}) (a)', 'sum by (pod_name,container_name) (a)'],
    ['label_replace(a, "pod", "$1", "{{pod_label}}", "(.*)")', 'label_replace(a, "pod", "$1", "pod_name", "(.*)")'],
    // The quotes of a comment, escaped ones and those of another kind do not count.
    ['# don\'t "\na{n=~"{{namespace_regex}}"}', '# don\'t "\na{n=~"a\\"b"}'],
    ['a{b="\\"",n=~"{{namespace_regex}}"}', 'a{b="\\"",n=~"a\\"b"}'],
    ['a{b=\'"\',c=`\\`,n=~"#{{namespace_regex}}"}', 'a{b=\'"\',c=`\\`,n=~"#a\\"b"}'],
    ['a # {{nothing}}', 'a # {{nothing}}'],
  ];
  for (const [template, text] of filled) {
    it(`fills ${JSON.stringify(template)}`, () => {
      const result = fillTemplate(template, options);
      expect({ text: result.text, mistakes: result.mistakes }).to.deep.equal({ text, mistakes: [] });
      expect(result.placeholders.has('namespace_regex')).to.equal(template.includes('namespace_regex'));
    });
  }

  const wrong: readonly (readonly [template: string, offset: number, sentence: RegExp])[] = [
    ['a{n=~{{namespace_regex}}}', 5, /^expected `\{\{namespace_regex\}\}` between double quotes/],
    ["a{n=~'{{namespace_regex}}'}", 6, /^expected `\{\{namespace_regex\}\}` between double quotes/],
    ['a{n=~`{{namespace_regex}}`}', 6, /^expected `\{\{namespace_regex\}\}` between double quotes/],
    ['a{n=~"{{namespace_regexp}}"}', 6, /got `\{\{namespace_regexp\}\}`\. Did you mean `\{\{namespace_regex\}\}`\?$/],
    ['{{constructor}}', 0, /got `\{\{constructor\}\}`\.$/],
    ['{{}}', 0, /got `\{\{\}\}`\.$/],
    ['a{b="c}', 4, /^expected a closing " for the string that begins here/],
    ["a{b='c\\'}", 4, /^expected a closing ' for the string that begins here/],
  ];
  for (const [template, offset, sentence] of wrong) {
    it(`refuses ${template}`, () => {
      const { mistakes } = fillTemplate(template, options);
      expect(mistakes).to.have.lengthOf(1);
      expect(mistakes[0]?.offset).to.equal(offset);
      expect(mistakes[0]?.sentence).to.match(sentence);
    });
  }

  it('finds the way back to the template', () => {
    const { text, templateOffset } = fillTemplate('a{n=~"{{namespace_regex}}"}[{{cpu_rate_window}}] b', options);
    expect(text).to.equal('a{n=~"a\\"b"}[5m] b');
    const origins = [...text].map((_, offset) => templateOffset(offset));
    expect(origins).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 25, 26, 27, 28, 28, 47, 48, 49]);
    expect(templateOffset(text.length)).to.equal(50);
  });
});

describe('quotePromql', () => {
  const rows: readonly (readonly [text: string, literal: string])[] = [
    ['', '""'],
    ['.*', '".*"'],
    ['a"b', '"a\\"b"'],
    ['a\\.b', '"a\\\\.b"'],
    ['a\\"b', '"a\\\\\\"b"'],
    ['a\nb', '"a\\nb"'],
    ['""', '"\\"\\""'],
    ['\\\\', '"\\\\\\\\"'],
  ];
  for (const [text, literal] of rows) {
    it(`writes ${JSON.stringify(text)} as ${literal}`, () => {
      expect(quotePromql(text)).to.equal(literal);
    });
  }
});
