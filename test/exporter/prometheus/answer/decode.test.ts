import { expect } from 'chai';
import { decodeAnswer, type ResultType } from '../../../../src/exporter/prometheus/answer/decode.js';
import { PrometheusError } from '../../../../src/exporter/prometheus/errors.js';
import { ServerTexts } from '../../../../src/exporter/prometheus/server-texts.js';

const asked = {
  url: 'http://h/api/v1/query',
  query: 'up',
  proxyUrl: undefined,
  texts: new ServerTexts([]),
};

const answer = (resultType: ResultType, result: unknown): object => ({
  status: 'success',
  data: { resultType, result },
});

const decode = (resultType: ResultType, body: unknown) => decodeAnswer(asked, resultType, body);

describe('decodeAnswer', () => {
  it('lays a vector out in columns', () => {
    const result = decode(
      'vector',
      answer('vector', [
        { metric: { namespace: 'shop', pod: 'cart-1' }, value: [1700000000.123, '0.25'] },
        { metric: { namespace: 'shop', pod: 'cart-2' }, value: [1700000000.123, '1e3'] },
      ]),
    );
    expect(result.labels.map(({ namespace, pod }) => [namespace, pod])).to.deep.equal([
      ['shop', 'cart-1'],
      ['shop', 'cart-2'],
    ]);
    expect([...result.offsets]).to.deep.equal([0, 1, 2]);
    expect([...result.timestampsSeconds]).to.deep.equal([1700000000.123, 1700000000.123]);
    expect([...result.values]).to.deep.equal([0.25, 1000]);
    expect(result.warnings).to.deep.equal([]);
    expect(result.infos).to.deep.equal([]);
  });

  it('lays a matrix out in columns, also series of different lengths', () => {
    const result = decode(
      'matrix',
      answer('matrix', [
        {
          metric: { pod: 'a' },
          values: [
            [60, '1'],
            [120, '2'],
          ],
        },
        { metric: { pod: 'b' }, values: [] },
        { metric: { pod: 'c' }, values: [[120, '3']] },
      ]),
    );
    expect([...result.offsets]).to.deep.equal([0, 2, 2, 3]);
    expect([...result.timestampsSeconds]).to.deep.equal([60, 120, 120]);
    expect([...result.values]).to.deep.equal([1, 2, 3]);
  });

  for (const type of ['vector', 'matrix'] as const) {
    it(`takes an empty ${type} for a success`, () => {
      const result = decode(type, answer(type, []));
      expect(result.labels).to.have.lengthOf(0);
      expect([...result.offsets]).to.deep.equal([0]);
      expect(result.values).to.have.lengthOf(0);
    });

    // The second is what Cortex sent at first, the third what its query frontend makes of no answers at all.
    for (const [own, nothing] of [
      [type, null],
      ['', null],
      ['', []],
    ] as const) {
      it(`takes the type "${own}" with ${JSON.stringify(nothing)} for an empty ${type}`, () => {
        const result = decode(type, { status: 'success', data: { resultType: own, result: nothing } });
        expect([result.labels, [...result.offsets], [...result.values]]).to.deep.equal([[], [0], []]);
      });
    }

    it(`does not take for an empty ${type} what no server sends for one`, () => {
      const series = { metric: {}, [type === 'vector' ? 'value' : 'values']: [60, '1'] };
      for (const data of [null, {}, { resultType: type }, { result: null }, { resultType: '', result: [series] }]) {
        expect(() => decode(type, { status: 'success', data }), JSON.stringify(data)).to.throw(PrometheusError);
      }
    });

    it(`says that a series of a ${type} is a native histogram, and what to do`, () => {
      const histogram = [60, { count: '3', sum: '1.5', buckets: [[0, '0.5', '1', '3']] }];
      const [name, own] = type === 'vector' ? ['histogram', histogram] : ['histograms', [histogram]];
      expect(() => decode(type, answer(type, [{ metric: {}, [name]: own }])))
        .to.throw(PrometheusError)
        .with.property('message')
        .that.match(/a native histogram instead of numbers at data\.result\[0\].*histogram_quantile/);
    });
  }

  it('takes a partial answer of a VictoriaMetrics cluster for none, and a whole one as it is', () => {
    const whole = { ...answer('vector', [{ metric: {}, value: [60, '1'] }]), isPartial: false };
    expect([...decode('vector', whole).values]).to.deep.equal([1]);
    expect(() => decode('vector', { ...whole, isPartial: true }))
      .to.throw(PrometheusError, 'got a partial answer (`isPartial`). A vmstorage is down')
      .that.includes({ kind: 'unavailable', about: 'availability' });
  });

  it('takes the numbers of a series that was a native histogram for a while', () => {
    const series = { metric: {}, values: [[60, '1']], histograms: [[120, { count: '3', sum: '1' }]] };
    expect([...decode('matrix', answer('matrix', [series])).values]).to.deep.equal([1]);
  });

  const values: [text: string, value: number][] = [
    ['NaN', NaN],
    ['+Inf', Infinity],
    ['Inf', Infinity],
    ['-Inf', -Infinity],
    ['-0.5', -0.5],
    ['0', 0],
    ['1.5e+09', 1.5e9],
    ['4.9e-324', 5e-324],
    ['9007199254740993', 9007199254740992],
    ['abc', NaN],
    ['toString', NaN],
    ['', NaN],
    [' ', NaN],
  ];
  for (const [text, value] of values) {
    it(`reads the value "${text}" as ${value}`, () => {
      const result = decode('vector', answer('vector', [{ metric: {}, value: [1, text] }]));
      expect(result.values[0]).to.be.deep.equal(value);
    });
  }

  it('reads an absent, an empty and an inherited label as undefined', () => {
    const [labels] = decode('vector', answer('vector', [{ metric: { pod: '' }, value: [1, '1'] }])).labels;
    expect(labels?.pod).to.equal(undefined);
    expect(labels?.namespace).to.equal(undefined);
    expect(labels?.constructor).to.equal(undefined);
  });

  it('keeps warnings and infos', () => {
    const result = decode('vector', {
      ...answer('vector', []),
      warnings: ['store down'],
      infos: ['no counter'],
    });
    expect(result.warnings).to.deep.equal(['store down']);
    expect(result.infos).to.deep.equal(['no counter']);
  });

  it('takes null for no warnings', () => {
    expect(decode('vector', { ...answer('vector', []), warnings: null }).warnings).to.deep.equal([]);
  });

  const series = (value: unknown): unknown => [
    { metric: {}, value: [1, '1'] },
    { metric: {}, value },
  ];
  const points = (point: unknown): unknown => [{ metric: {}, values: [[1, '1'], [2, '2'], point] }];
  const malformed: [title: string, type: ResultType, body: unknown, message: string][] = [
    ['null', 'vector', null, 'null instead of an object at the top of the answer'],
    ['a list', 'vector', [], 'a list instead of an object at the top of the answer'],
    ['no status', 'vector', {}, 'nothing instead of "success" at status'],
    [
      'an error with the status 200',
      'vector',
      { status: 'error', errorType: 'execution', error: 'out of memory' },
      '"error" instead of "success" at status (out of memory)',
    ],
    ['no data', 'vector', { status: 'success' }, 'nothing instead of an object at data'],
    [
      'a scalar',
      'vector',
      { status: 'success', data: { resultType: 'scalar', result: [1, '2'] } },
      '"scalar" instead of "vector" at data.resultType',
    ],
    ['a matrix', 'vector', answer('matrix', []), '"matrix" instead of "vector" at data.resultType'],
    ['a vector', 'matrix', answer('vector', []), '"vector" instead of "matrix" at data.resultType'],
    ['no result', 'vector', answer('vector', undefined), 'nothing instead of a list at data.result'],
    ['a series that is none', 'vector', answer('vector', [7]), '7 instead of an object at data.result[0]'],
    [
      'no labels',
      'vector',
      answer('vector', [{ value: [1, '1'] }]),
      'nothing instead of an object of texts at data.result[0].metric',
    ],
    [
      'a label that is a number',
      'vector',
      answer('vector', [{ metric: { pod: 1 }, value: [1, '1'] }]),
      'an object instead of an object of texts at data.result[0].metric',
    ],
    [
      'a series of native histograms',
      'vector',
      answer('vector', series(undefined)),
      'nothing instead of a pair of a time and a text at data.result[1].value',
    ],
    ['a bare number', 'vector', answer('vector', series([1, 1])), 'at data.result[1].value'],
    ['a time as text', 'vector', answer('vector', series(['1', '1'])), 'at data.result[1].value'],
    ['three things', 'vector', answer('vector', series([1, '1', 2])), 'at data.result[1].value'],
    [
      'no samples',
      'matrix',
      answer('matrix', [{ metric: {} }]),
      'nothing instead of a list of samples at data.result[0].values',
    ],
    [
      'a bad sample',
      'matrix',
      answer('matrix', points(null)),
      'null instead of a pair of a time and a text at data.result[0].values[2]',
    ],
    ['a time out of range', 'matrix', answer('matrix', points([Infinity, '1'])), 'at data.result[0].values[2]'],
  ];
  for (const [title, type, body, message] of malformed) {
    it(`refuses ${title} for a ${type}`, () => {
      expect(() => decode(type, body))
        .to.throw(PrometheusError, message)
        .that.includes({ kind: 'bad_answer' });
    });
  }

  it('says which query at which address had the malformed answer', () => {
    expect(() => decode('vector', {})).to.throw('Expected http://h/api/v1/query to answer the query `up`, got');
  });
});
