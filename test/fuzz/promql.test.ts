import { parser } from '@prometheus-io/lezer-promql';
import { expect } from 'chai';
import fc from 'fast-check';
import { buildCatalog } from '../../src/exporter/features/catalog.js';
import { promqlMistakes, quotePromql } from '../../src/exporter/features/queries/promql.js';
import { anyText, holds } from '../support/fuzz.js';

/** What Go reads in a literal of this form. */
const unquote = (literal: string) =>
  literal.slice(1, -1).replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));

/** The names of all nodes, in order: two queries of the same shape differ in their literals only. */
function shapeOf(query: string): string[] {
  const names: string[] = [];
  parser.parse(query).iterate({
    enter: ({ name, type }) => {
      expect(type.isError, query).to.equal(false);
      names.push(name);
    },
  });
  return names;
}

describe('fuzzing the escaping of PromQL', () => {
  it('makes one literal of every text, from which the text can be read again', () => {
    holds(anyText, (text) => {
      const literal = quotePromql(text);
      const query = `up{x=~${literal},y="z"}`;
      expect(shapeOf(query)).to.deep.equal(shapeOf('up{x=~"a",y="z"}'));
      expect(unquote(literal)).to.equal(text);
    });
  });

  it('lets no namespace out of the quotes of the built-in queries', () => {
    const shapes = buildCatalog({ namespaceRegex: 'a', podLabel: 'pod', cpuRateWindow: '1m' }).map(({ query }) =>
      shapeOf(query),
    );
    holds(
      anyText,
      (namespaceRegex) => {
        const catalog = buildCatalog({ namespaceRegex, podLabel: 'pod', cpuRateWindow: '1m' });
        expect(catalog.map(({ query }) => shapeOf(query))).to.deep.equal(shapes);
      },
      500,
    );
  });

  it('finds mistakes in any text without failing, each at a place of it', () => {
    const pieces = fc.constantFrom(
      'sum',
      'by',
      '(',
      ')',
      '{',
      '}',
      '"',
      "'",
      '`',
      'pod',
      ',',
      '=~',
      '[',
      '5m',
      ']',
      '+',
      '1',
      '#',
      '\n',
      ' ',
    );
    holds(fc.oneof(anyText, fc.string({ unit: pieces, maxLength: 30 })), (query) => {
      for (const { offset, sentence } of promqlMistakes(query, ['namespace', 'pod'])) {
        expect(offset).to.be.within(0, query.length);
        expect(sentence).to.match(/^expected /);
      }
    });
  });
});
