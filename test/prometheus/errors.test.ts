import { expect } from 'chai';
import { PrometheusError } from '../../src/prometheus/errors.js';

describe('PrometheusError', () => {
  it('survives the way to another thread as plain data', () => {
    const error = new PrometheusError('rate_limited', 'Too many.', 7);
    const copy = PrometheusError.fromPlain(structuredClone(error.toPlain()));
    expect(copy).to.be.instanceOf(PrometheusError);
    expect(copy.toPlain()).to.deep.equal({
      kind: 'rate_limited',
      message: 'Too many.',
      retryAfterSeconds: 7,
    });
    expect(copy.name).to.equal('PrometheusError');
  });
});
