import { expect } from 'chai';
import { withDeadline } from '../../src/lib/deadline.js';

const aborted = (signal: AbortSignal) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));

describe('withDeadline', () => {
  it('aborts with a TimeoutError after the time, with or without another signal', async () => {
    for (const signal of [undefined, new AbortController().signal]) {
      expect(await aborted(withDeadline(signal, 0.0201))).to.include({ name: 'TimeoutError' });
    }
  });

  it('aborts with the other signal and its reason', () => {
    const controller = new AbortController();
    const signal = withDeadline(controller.signal, 60);
    controller.abort(new Error('stop'));
    expect(signal.reason).to.have.property('message', 'stop');
  });
});
