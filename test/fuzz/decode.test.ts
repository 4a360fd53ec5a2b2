import { expect } from 'chai';
import fc from 'fast-check';
import { decodeAnswer, type ResultType } from '../../src/exporter/prometheus/answer/decode.js';
import { type Asked, PrometheusError } from '../../src/exporter/prometheus/errors.js';
import { ServerTexts } from '../../src/exporter/prometheus/server-texts.js';
import { anyJsonText, expectNoPollution, holds } from '../support/fuzz.js';

const asked: Asked = {
  url: 'http://prometheus:9090/api/v1/query',
  query: 'up',
  texts: new ServerTexts([]),
};

const wrong = fc.jsonValue();
/** Right most of the time, so that the faults lie deep. */
const mostly = <Value>(right: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 12, arbitrary: right as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: wrong });

const number = fc.oneof(fc.double().map(String), fc.constantFrom('NaN', '+Inf', '-Inf', '', ' ', '1e999'), anyJsonText);
const sample = fc.tuple(mostly(fc.double({ noNaN: true })), mostly(number));
const labels = fc.dictionary(anyJsonText, mostly(anyJsonText), { maxKeys: 4 });
const series = fc.record(
  {
    metric: mostly(labels),
    value: mostly(sample),
    values: mostly(fc.array(mostly(sample), { maxLength: 4 })),
  },
  { requiredKeys: ['metric'] },
);
const answer = mostly(
  fc.record(
    {
      status: mostly(fc.constant('success')),
      error: mostly(anyJsonText),
      warnings: mostly(fc.array(mostly(anyJsonText))),
      infos: mostly(fc.array(mostly(anyJsonText))),
      data: mostly(
        fc.record({
          resultType: mostly(fc.constantFrom('vector', 'matrix')),
          result: mostly(fc.array(mostly(series), { maxLength: 4 })),
        }),
      ),
    },
    { requiredKeys: ['status', 'data'] },
  ),
);
const resultType = fc.constantFrom<ResultType>('vector', 'matrix');

describe('fuzzing the decoder of answers', () => {
  it('gives columns that fit together, or a PrometheusError, and nothing else', () => {
    let decoded = 0;
    holds(
      fc.tuple(resultType, answer),
      ([type, value]) => {
        // As it comes from the network: `__proto__` is then a key like any other.
        const parsed: unknown = JSON.parse(JSON.stringify(value) ?? 'null');
        let result: ReturnType<typeof decodeAnswer>;
        try {
          result = decodeAnswer(asked, type, parsed);
        } catch (error) {
          expect(error).to.be.an.instanceOf(PrometheusError).and.to.include({ kind: 'bad_answer' });
          return;
        } finally {
          expectNoPollution();
        }
        decoded++;
        const { offsets, timestampsSeconds, values, warnings, infos } = result;
        expect(offsets).to.have.lengthOf(result.labels.length + 1);
        expect(offsets.at(0)).to.equal(0);
        expect(offsets.at(-1)).to.equal(values.length).and.to.equal(timestampsSeconds.length);
        expect([...offsets]).to.deep.equal([...offsets].sort((a, b) => a - b));
        expect(timestampsSeconds.every(Number.isFinite)).to.equal(true);
        for (const one of result.labels) {
          for (const inherited of ['constructor', 'toString', '__proto__']) {
            if (!Object.hasOwn(one, inherited)) expect(one[inherited], inherited).to.equal(undefined);
          }
          for (const text of Object.values(one)) expect(text).to.be.a('string').and.not.to.equal('');
        }
        for (const text of [...warnings, ...infos]) expect(text).to.be.a('string');
      },
      8_000,
    );
    expect(decoded, 'else only the refusals were tried').to.be.above(100);
  });

  it('gives back the numbers and labels of a right answer', () => {
    const points = fc.array(fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double()), {
      maxLength: 5,
    });
    // Others are made harmless.
    const printable = fc.string();
    const all = fc.array(fc.tuple(fc.dictionary(printable, printable, { maxKeys: 3 }), points), {
      maxLength: 4,
    });
    const spelled = (value: number) =>
      value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : Object.is(value, -0) ? '-0' : String(value);
    holds(all, (sets) => {
      const result = sets.map(([metric, samples]) => ({
        metric,
        values: samples.map(([time, value]) => [time, spelled(value)]),
      }));
      const text = JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } });
      const decoded = decodeAnswer(asked, 'matrix', JSON.parse(text));
      expect([...decoded.values]).to.deep.equal(sets.flatMap(([, samples]) => samples.map(([, value]) => value)));
      expect(decoded.labels.map((one) => Object.entries(one))).to.deep.equal(
        sets.map(([metric]) => Object.entries(metric).filter(([, value]) => value !== '')),
      );
    });
  });
});
