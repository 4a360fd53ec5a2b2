import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { createProgress, progressLine } from '../../../src/tools/replay/progress.js';

/** A stream that keeps what is written to it. */
function recorder(isTTY: boolean) {
  const output = Object.assign(new PassThrough(), { isTTY });
  let written = '';
  output.setEncoding('utf8').on('data', (text: string) => {
    written += text;
  });
  return { output, text: () => written };
}

describe('the progress of an evaluation', () => {
  it('shows how far it is, where, and how long it will take', () => {
    expect(progressLine(0.25, 'monday', 10)).to.equal('[########----------------------]  25 %  monday, 30 s left');
    expect(progressLine(0.5, 'x'.repeat(60), 100)).to.match(/ {2}50 % {2}x{39}…, 100 s left$/);
    expect(progressLine(0, 'monday', 0)).to.equal(`[${'-'.repeat(30)}]   0 %  monday`);
    expect(progressLine(1, 'monday', 5)).to.equal(`[${'#'.repeat(30)}] 100 %  monday, 0 s left`);
  });

  it('repaints one line of a terminal, not too often, and clears it in the end', () => {
    const { output, text } = recorder(true);
    let clock = 0;
    const progress = createProgress(output, () => clock);
    for (clock = 0; clock < 1000; clock += 10) progress.show(clock / 1000, 'monday');
    progress.caseDone('monday: done');
    progress.end();
    const painted = text().split('\r\x1b[K');
    expect(painted).to.have.lengthOf(12);
    expect(painted.at(-1)).to.equal('');
    expect(painted.join('')).to.not.contain('\n');
  });

  it('writes a line for each case elsewhere', () => {
    const { output, text } = recorder(false);
    const progress = createProgress(output, () => 0);
    progress.show(0.5, 'monday');
    progress.caseDone('monday: done');
    progress.end();
    expect(text()).to.equal('monday: done\n');
  });
});
