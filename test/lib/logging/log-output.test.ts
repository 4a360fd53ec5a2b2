import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { expect } from 'chai';
import { LogOutput } from '../../../src/lib/logging/log-output.js';

const LINE = `${'x'.repeat(999)}\n`;
const LIMIT_LINES = (1024 * 1024) / LINE.length;

describe('LogOutput', () => {
  it('writes line by line, and drops nothing while the reader reads', async () => {
    const stream = new PassThrough();
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    const output = new LogOutput(stream, () => expect.fail('Nothing was dropped.'));
    for (let round = 0; round < 30; round++) {
      for (let line = 0; line < 100; line++) output.write(LINE);
      await new Promise(setImmediate);
    }
    expect(bytes).to.equal(3_000 * LINE.length);
    expect(output.dropped).to.equal(0);
  });

  it('keeps a megabyte for a reader that stalls, drops the rest, and tells of it once when the reader goes on', async () => {
    // Releases of Node.js have different defaults for what the stream itself keeps.
    const stream = new PassThrough({ highWaterMark: 16 * 1024 });
    const told: number[] = [];
    const output = new LogOutput(stream, (dropped) => told.push(dropped));
    for (let line = 0; line < 5_000; line++) output.write(LINE);
    const { dropped } = output;
    expect(5_000 - dropped).to.be.within(LIMIT_LINES, LIMIT_LINES + 50);
    expect(told).to.deep.equal([]);
    stream.resume();
    await once(stream, 'drain');
    expect(told).to.deep.equal([dropped]);
    output.write(LINE);
    expect(output.dropped).to.equal(dropped);
  });

  it('goes on when the reader has left, and counts what nobody reads', async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    });
    const output = new LogOutput(stream, () => expect.fail('Nobody reads again.'));
    output.write(LINE);
    await new Promise((resolve) => stream.once('close', resolve));
    for (let line = 0; line < 10; line++) output.write(LINE);
    await new Promise(setImmediate);
    expect(output.dropped).to.equal(11);
  });
});
