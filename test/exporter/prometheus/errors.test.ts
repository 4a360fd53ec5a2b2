import { expect } from 'chai';
import { PrometheusError, type PrometheusErrorKind } from '../../../src/exporter/prometheus/errors.js';

describe('PrometheusError', () => {
  it('makes its message from what came, what to do, and the query', () => {
    const details = { advice: 'Is it running?', query: 'up', retryAfterSeconds: 3 };
    const error = new PrometheusError('refused', 'Got no answer from http://h.', details);
    expect(error.message).to.equal('Got no answer from http://h. Is it running? The query was `up`.');
    expect(error).to.include({ advice: 'Is it running?', retryAfterSeconds: 3 });
    expect(new PrometheusError('refused', 'Nobody there.').message).to.equal('Nobody there.');
  });

  it('is the same error on the other side of a thread', () => {
    const error = new PrometheusError('rate_limited', 'Got HTTP 429.', {
      advice: 'Wait.',
      retryAfterSeconds: 7,
    });
    const { kind, got, details } = structuredClone({ ...error });
    expect(new PrometheusError(kind, got, details)).to.deep.include({ ...error, message: error.message });
  });

  const rows: [PrometheusErrorKind, about: string, transient: boolean, tooMuch: boolean][] = [
    ['refused', 'availability', true, false],
    ['timeout', 'availability', true, true],
    ['aborted', 'availability', false, false],
    ['unavailable', 'availability', true, false],
    ['rate_limited', 'setup', true, false],
    ['unauthorized', 'setup', false, false],
    ['too_large', 'setup', false, true],
    ['bad_query', 'query', false, false],
    ['unprocessable', 'query', false, true],
  ];
  for (const [kind, about, transient, tooMuch] of rows) {
    it(`says what ${kind} is about, and whether the same or a smaller request may be answered`, () => {
      expect(new PrometheusError(kind, 'X.')).to.include({ about, transient, tooMuch });
    });
  }

  it('follows the answer where that says more than the kind', () => {
    expect(new PrometheusError('unavailable', 'X.', { tooMuch: true }).tooMuch).to.equal(true);
  });
});
