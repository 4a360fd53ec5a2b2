import { expect } from 'chai';
import { PrometheusError, type PrometheusErrorKind } from '../../../src/exporter/prometheus/errors.js';
import { politeApi } from '../../../src/tools/replay/throttled-api.js';
import { fakeApi } from '../../support/fake-api.js';
import { rejection } from '../../support/rejection.js';
import { eventually, gate } from '../../support/waiting.js';

const never = new AbortController().signal;
const QUESTION = { query: 'up', timeSeconds: 0, signal: never };

/** An API that fails with each of these in turn before it answers, and the waits that it caused. */
function failing(failures: (readonly [PrometheusErrorKind, number?])[], message = 'told') {
  const inner = fakeApi(() => [{ labels: { pod: 'a' }, value: 1 }]);
  inner.before = () => {
    const next = failures.shift();
    if (next !== undefined) throw new PrometheusError(next[0], message, { retryAfterSeconds: next[1] });
  };
  const waits: number[] = [];
  const api = politeApi(inner, {
    concurrency: 2,
    timeoutSeconds: 5,
    sleep: async () => undefined,
    onWait: (seconds) => void waits.push(seconds),
  });
  return { api, inner, waits };
}

describe('asking politely', () => {
  it('waits as long as the server asks, or twice as long each time', async () => {
    const { api, inner, waits } = failing([
      ['rate_limited', 7],
      ['unavailable'],
      ['connection'],
      ['rate_limited', 3],
      ['unavailable'],
    ]);
    expect((await api.query(QUESTION)).labels).to.have.lengthOf(1);
    expect(waits).to.deep.equal([7, 2, 4, 3, 16]);
    expect(inner.asked).to.have.lengthOf(6);
  });

  it('gives up in the end, and at once where waiting does not help', async () => {
    const always = failing(Array.from({ length: 20 }, () => ['unavailable']));
    await rejection(always.api.query(QUESTION), PrometheusError);
    expect(always.waits).to.deep.equal([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    for (const kind of ['bad_query', 'unauthorized', 'timeout', 'too_large'] as const) {
      const { api, waits } = failing([[kind]]);
      expect((await rejection(api.query(QUESTION), PrometheusError)).kind).to.equal(kind);
      expect(waits).to.deep.equal([]);
    }
    const tomorrow = failing([['rate_limited', 86_400]]);
    await rejection(tomorrow.api.query(QUESTION), PrometheusError);
    expect(tomorrow.waits).to.deep.equal([]);
  });

  it('has two requests under way at most', async () => {
    const inner = fakeApi(() => []);
    const held = gate();
    inner.before = () => held.opened;
    const api = politeApi(inner, {
      concurrency: 2,
      timeoutSeconds: 5,
      sleep: async () => undefined,
      onWait: () => {},
    });
    const answers = Promise.all(Array.from({ length: 5 }, () => api.query(QUESTION)));
    await eventually(() => expect(inner.asked).to.have.lengthOf(2));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(inner.asked).to.have.lengthOf(2);
    held.open();
    expect(await answers).to.have.lengthOf(5);
  });

  it('asks nothing while it waits for the server to recover', async () => {
    const inner = fakeApi(() => []);
    let failures = 1;
    inner.before = () => {
      if (failures-- > 0) throw new PrometheusError('rate_limited', 'told', { retryAfterSeconds: 30 });
    };
    const asleep = gate();
    const api = politeApi(inner, {
      concurrency: 2,
      timeoutSeconds: 5,
      sleep: () => asleep.opened,
      onWait: () => {},
    });
    const first = api.query(QUESTION);
    await eventually(() => expect(inner.asked).to.have.lengthOf(1));
    await new Promise((resolve) => setTimeout(resolve, 10));
    const second = api.query(QUESTION);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(inner.asked).to.have.lengthOf(1);
    asleep.open();
    await Promise.all([first, second]);
    expect(inner.asked).to.have.lengthOf(3);
  });

  it('ends with its signal, while it waits too', async () => {
    const stop = new AbortController();
    const inner = fakeApi(() => []);
    inner.before = () => {
      throw new PrometheusError('unavailable', 'told');
    };
    const api = politeApi(inner, {
      concurrency: 2,
      timeoutSeconds: 5,
      sleep: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('woken')), { once: true });
          stop.abort();
        }),
      onWait: () => {},
    });
    expect((await rejection(api.query({ ...QUESTION, signal: stop.signal }), Error)).message).to.equal('woken');
  });
});
