import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readBoundedBytesSync, readBoundedTextSync } from '../../../src/lib/files/bounded-file.js';

describe('files of a bounded size', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bounded-file-'));
  const file = join(folder, 'file');
  after(() => rmSync(folder, { recursive: true }));

  for (const bytes of [0, 1, 65_536, 65_537, 200_000]) {
    it(`are read whole up to their limit: ${bytes} bytes`, () => {
      const content = Buffer.from(Uint8Array.from({ length: bytes }, (_, index) => index % 251));
      writeFileSync(file, content);
      expect(readBoundedBytesSync(file, bytes).equals(content)).to.equal(true);
      if (bytes > 0) expect(() => readBoundedBytesSync(file, bytes - 1)).to.throw(`it has ${bytes} bytes, more than`);
    });
  }

  // Of the kernel: a size of 0, and a content.
  it('are bounded by what is read, not by the size that they say they have', function () {
    if (process.platform !== 'linux') this.skip();
    expect(readBoundedTextSync('/proc/self/maps')).to.contain('node');
    expect(() => readBoundedTextSync('/proc/self/maps', 100)).to.throw('Cannot read /proc/self/maps: it has ');
  });

  it('are neither folders nor devices', () => {
    expect(() => readBoundedTextSync(folder)).to.throw('it is a directory');
    expect(() => readBoundedTextSync('/dev/zero')).to.throw('it is not a regular file');
    expect(() => readBoundedTextSync(join(folder, 'none'))).to.throw('no such file');
  });
});
