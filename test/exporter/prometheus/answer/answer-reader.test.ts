import { expect } from 'chai';
import { createRandom, type Random } from '../../../../src/exporter/model/random.js';
import { AnswerReader } from '../../../../src/exporter/prometheus/answer/answer-reader.js';
import { decodeAnswer, type ResultType } from '../../../../src/exporter/prometheus/answer/decode.js';
import { type KnownSeries, NO_KNOWN_SERIES } from '../../../../src/exporter/prometheus/answer/label-cache.js';
import type { QueryResult } from '../../../../src/exporter/prometheus/api.js';
import { PrometheusError } from '../../../../src/exporter/prometheus/errors.js';
import { ServerTexts } from '../../../../src/exporter/prometheus/server-texts.js';

const asked = {
  url: 'http://h/api/v1/query_range',
  query: 'up',
  texts: new ServerTexts([]),
};

const notJson = (bytes: number, start: string) =>
  new PrometheusError('not_json', `${bytes} bytes: ${start.slice(0, 80)}`);

/** A result as plain data; an error as its message. */
function outcomeOf(decode: () => QueryResult): unknown {
  try {
    const { labels, offsets, timestampsSeconds, values, warnings, infos } = decode();
    return {
      labels: labels.map((own) => ({ ...own })),
      offsets: [...offsets],
      timestampsSeconds: [...timestampsSeconds],
      values: [...values],
      warnings,
      infos,
    };
  } catch (error) {
    if (!(error instanceof PrometheusError)) throw error;
    return error.message;
  }
}

/** How it was done before there was a reader, and what every answer is held against. */
function parsed(body: Buffer, type: ResultType): unknown {
  return outcomeOf(() => {
    let answer: unknown;
    try {
      answer = JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''));
    } catch {
      throw notJson(body.length, body.subarray(0, 10_000).toString('utf8'));
    }
    return decodeAnswer(asked, type, answer);
  });
}

/** Cuts a body into chunks of lengths that `nextLength` gives. */
function read(
  body: Buffer,
  type: ResultType,
  nextLength: () => number = () => body.length,
  known: KnownSeries = NO_KNOWN_SERIES,
): { readonly outcome: unknown; readonly known: KnownSeries } {
  const reader = new AnswerReader(asked, type, known);
  for (let start = 0; start < body.length; ) {
    const end = Math.min(body.length, start + Math.max(1, nextLength()));
    // Of its own memory, which is wiped afterwards: nothing of a chunk may be needed later.
    const chunk = Buffer.from(body.subarray(start, end));
    reader.push(chunk);
    start = end;
  }
  return { outcome: outcomeOf(() => reader.finish(notJson)), known: reader.known() };
}

interface WrittenSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [seconds: number, value: string])[];
}

function write(type: ResultType, series: readonly WrittenSeries[], after: object = {}): string {
  const result = series.map(({ metric, samples }) =>
    type === 'matrix' ? { metric, values: samples } : { metric, value: samples[0] ?? [0, '0'] },
  );
  return JSON.stringify({ status: 'success', data: { resultType: type, result }, ...after });
}

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;

const ODD_VALUES = ['NaN', '+Inf', '-Inf', '5e-07', '0', '', ' ', 'a"b', 'ü', '\\', '1_0', '1.7976931348623157e+308'];
const ODD_LABELS = ['', 'a"b', 'c:\\d', '}', '{"metric":', '🐢', 'line\nend', 'x'.repeat(300), '\u0000', '[["'];

function randomSeries(random: Random, type: ResultType, index: number): WrittenSeries {
  const metric: Record<string, string> = { namespace: `team-${index % 3}`, pod: `pod-${index}` };
  if (random() < 0.1) metric[pick(random, ['extra', 'constructor', '__name__', 'ä'])] = pick(random, ODD_LABELS);
  const count = type === 'vector' ? 1 : Math.floor(random() * 14);
  const samples = Array.from({ length: count }, (_, instant) => {
    const value = random() < 0.05 ? pick(random, ODD_VALUES) : String(random() * 10 ** Math.floor(random() * 12));
    const seconds = random() < 0.5 ? 1_700_000_000 + 60 * instant : 1_700_000_000.123 + 60 * instant;
    return [random() < 0.02 ? pick(random, [0, -5, 1e21, 0.5, 1e-7]) : seconds, value] as const;
  });
  return { metric, samples };
}

/** What no server should send, or only another one. */
function damaged(text: string, random: Random): string {
  const at = Math.floor(random() * text.length);
  const oddities = [
    '"',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    ' ',
    '\n',
    '0',
    '-',
    'e9',
    '.',
    '\\',
    'null',
    'true',
    '\u0000',
    '"x":1,',
  ];
  switch (Math.floor(random() * 6)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 5));
    case 2:
      return text.slice(0, at) + pick(random, oddities) + text.slice(at + 1);
    case 3:
      return text.slice(0, at) + pick(random, oddities) + text.slice(at);
    case 4:
      return JSON.stringify(JSON.parse(text), undefined, 1);
    default:
      return `\uFEFF${text}`;
  }
}

const TWO: readonly WrittenSeries[] = [
  {
    metric: { namespace: 'shop', pod: 'cart-0' },
    samples: [
      [60, '1.5'],
      [120, '2'],
    ],
  },
  { metric: { namespace: 'shop', pod: 'cart-1' }, samples: [[120, '3']] },
];

describe('AnswerReader', () => {
  it('reads a range', () => {
    expect(read(Buffer.from(write('matrix', TWO)), 'matrix').outcome).to.deep.equal({
      labels: TWO.map(({ metric }) => metric),
      offsets: [0, 2, 3],
      timestampsSeconds: [60, 120, 120],
      values: [1.5, 2, 3],
      warnings: [],
      infos: [],
    });
  });

  it('reads what follows the series', () => {
    const body = Buffer.from(write('vector', TWO, { warnings: ['store down'], infos: ['no counter'] }));
    expect(read(body, 'vector').outcome)
      .to.include.deep.keys('labels')
      .and.deep.include({
        warnings: ['store down'],
        infos: ['no counter'],
      });
  });

  it('reads an answer in which other things stand first, as VictoriaMetrics has them', () => {
    const body = Buffer.from(
      '{"status":"success","isPartial":false,"data":{"resultType":"matrix","result":[{"metric":{"pod":"a"},' +
        '"values":[[60,"1"]]}]},"stats":{"seriesFetched":"1"}}',
    );
    expect(read(body, 'matrix').outcome).to.deep.include({ values: [1] });
  });

  it('says the place of a mistake in the whole answer', () => {
    const body = write('matrix', TWO).replace('[[120,"3"]]', '[[120,"3"],[180,4]]');
    expect(read(Buffer.from(body), 'matrix').outcome)
      .to.include('a list instead of a pair')
      .and.include('data.result[1].values[1]');
  });

  it('gives the same as parsing the whole, wherever the chunks end', () => {
    const body = Buffer.from(write('matrix', [...TWO, { metric: { pod: '🐢' }, samples: [] }], { warnings: ['ü'] }));
    const expected = parsed(body, 'matrix');
    for (let length = 1; length <= body.length; length++) {
      expect(read(body, 'matrix', () => length).outcome, `chunks of ${length}`).to.deep.equal(expected);
    }
  });

  for (const type of ['matrix', 'vector'] as const) {
    it(`gives the same as parsing the whole for every damaged ${type}`, () => {
      const random = createRandom(type === 'matrix' ? 1 : 2);
      const kinds = new Map<string, number>();
      for (let round = 0; round < 3_000; round++) {
        const series = Array.from({ length: Math.floor(random() * 7) }, (_, index) =>
          randomSeries(random, type, index),
        );
        const whole = write(type, series, random() < 0.3 ? { warnings: ['w'] } : {});
        const text = random() < 0.7 ? damaged(whole, random) : whole;
        const body = Buffer.from(text);
        const expected = parsed(body, type);
        const longest = pick(random, [3, 40, 400, 10_000]);
        const { outcome } = read(body, type, () => random() * longest);
        expect(outcome, text).to.deep.equal(expected);
        const kind = typeof expected === 'string' ? (expected.includes('bytes:') ? 'not JSON' : 'wrong') : 'right';
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      }
      // Else the test would not have tested anything.
      for (const kind of ['not JSON', 'wrong', 'right']) expect(kinds.get(kind), kind).to.be.above(100);
    });
  }

  it('gives the same for series that come, go, and change places between answers', () => {
    const random = createRandom(3);
    let known = NO_KNOWN_SERIES;
    let present = Array.from({ length: 30 }, (_, index) => index);
    let next = 30;
    for (let round = 0; round < 400; round++) {
      const chance = pick(random, [0, 0.02, 0.5]);
      present = present.filter(() => random() >= chance);
      for (let come = 10 * chance * random(); come >= 1; come--)
        present.splice(Math.floor(random() * (present.length + 1)), 0, next++);
      if (random() < 0.05) present.reverse();
      if (random() < 0.05) present = [];
      while (present.length < 5) present.push(next++);
      const body = Buffer.from(
        write(
          'matrix',
          present.map((index) => ({ metric: { pod: `p-${index}` }, samples: [[60, String(random())]] })),
        ),
      );
      const answer = read(body, 'matrix', () => random() * 300, known);
      expect(answer.outcome).to.deep.equal(parsed(body, 'matrix'));
      ({ known } = answer);
      expect(known.labels.map(({ pod }) => pod)).to.deep.equal(present.map((index) => `p-${index}`));
      expect(known.texts.length, 'bytes kept').to.equal(known.ends.at(-1));
    }
  });

  it('takes the labels over from the answer before', () => {
    const first = read(Buffer.from(write('matrix', TWO)), 'matrix');
    const again = read(Buffer.from(write('matrix', TWO)), 'matrix', undefined, first.known);
    expect(again.known.labels).to.equal(first.known.labels);
    const without = read(Buffer.from(write('matrix', TWO.slice(1))), 'matrix', undefined, first.known);
    expect(without.known.labels[0]).to.equal(first.known.labels[1]);
  });

  it('reads a series that is longer than any chunk', () => {
    const samples = Array.from({ length: 20_000 }, (_, instant) => [60 * instant, String(instant / 7)] as const);
    const body = Buffer.from(write('matrix', [{ metric: { pod: 'long' }, samples }, ...TWO]));
    expect(read(body, 'matrix', () => 16_384).outcome).to.deep.equal(parsed(body, 'matrix'));
  });
});
