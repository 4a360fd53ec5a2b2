import { expect } from 'chai';
import { freePort, listen, portError } from '../../../src/tools/demo/listen.js';

describe('the port of the demo', () => {
  const failure = (code: string) => new Error('Set PORT.', { cause: Object.assign(new Error('listen'), { code }) });

  for (const [code, says] of [
    ['EADDRINUSE', 'Port 8000 is taken by another program. Stop it, or choose another one with --port'],
    ['EACCES', 'This process may not listen on port 8000. Choose 1024 or above with --port'],
  ] as const) {
    it(`${code}: tells of the option, not of the setting`, () => {
      const error = portError(failure(code), 8000);
      expect(error).to.be.an('error').with.property('message').that.contains(says).and.not.contains('PORT');
      expect(error).to.have.nested.property('cause.code', code);
    });
  }

  it('leaves other failures as they are', () => {
    const other = failure('ENOTFOUND');
    expect(portError(other, 8000)).to.equal(other);
    expect(portError('text', 8000)).to.equal('text');
  });
});

describe('a free port', () => {
  it('is each time another one, and none that is taken', async () => {
    const first = await freePort();
    const taken = await listen(() => {}, first + 1);
    try {
      const second = await freePort();
      expect(second).to.not.be.oneOf([first, first + 1]);
      await (await listen(() => {}, second)).close();
    } finally {
      await taken.close();
    }
  });
});
