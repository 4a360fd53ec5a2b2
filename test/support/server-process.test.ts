import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { startServerProcess } from './server-process.js';
import { eventually, within } from './waiting.js';

const BODY = new URL('./server-parent.js', import.meta.url);

describe('startServerProcess', () => {
  const isThere = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  it('says what a server wrote that does not start', async () => {
    const program = { program: 'sh', parameters: ['-c', 'echo no such flag >&2; exit 3'], url: 'http://127.0.0.1:1' };
    const outcome = await startServerProcess({ ...program, isReady: async () => false }).catch((error: Error) => error);
    expect(outcome).to.be.an('error').with.property('message', 'sh did not start. It said:\nno such flag\n');
    expect((outcome as Error).cause).to.have.property('message', 'It ended with status 3.');
  });

  describe('leaves no server behind', () => {
    let parent: ChildProcess;
    let pid: number;

    beforeEach(async () => {
      parent = fork(BODY);
      const [message] = (await within(60_000, 'the server', once(parent, 'message'))) as [number];
      pid = message;
      expect(isThere(pid)).to.equal(true);
    });
    afterEach(() => void parent.kill('SIGKILL'));

    it('when its parent exits', async () => {
      parent.send('exit');
      await eventually(() => expect(isThere(pid)).to.equal(false));
    });

    it('when its parent is killed', async function () {
      // Elsewhere there is no way to be told.
      if (process.platform !== 'linux') this.skip();
      parent.kill('SIGKILL');
      await eventually(() => expect(isThere(pid)).to.equal(false));
    });
  });
});
