import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LiveFile } from '../../../src/lib/files/live-file.js';
import { type RecordingLogger, recordingLogger } from '../../support/recording-logger.js';
import { rejection } from '../../support/rejection.js';
import { eventually } from '../../support/waiting.js';

describe('LiveFile', () => {
  let folder: string;
  let logger: RecordingLogger;
  let nowMilliseconds: number;
  const path = () => join(folder, 'file');
  const write = (text: string) => writeFileSync(path(), text);
  const open = () =>
    LiveFile.open<string>({
      what: 'list of things',
      read: async () => {
        const text = readFileSync(path(), 'utf8');
        if (text.startsWith('bad')) throw new Error(`It is ${text}.`);
        return text;
      },
      filesOf: () => [path()],
      logger,
      now: () => nowMilliseconds,
    });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-live-'));
    logger = recordingLogger();
    nowMilliseconds = 1_000_000;
    write('one');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('reports when it was last read, and why the last reading failed, once in the log', async () => {
    const live = await open();
    expect([live.current, live.failure, live.state]).to.deep.equal([
      'one',
      undefined,
      { successful: true, lastSuccessSeconds: 1000 },
    ]);
    nowMilliseconds = 2_000_000;
    write('bad');
    await live.refresh();
    await live.refresh();
    expect([live.current, live.failure, live.state]).to.deep.equal([
      'one',
      'It is bad.',
      { successful: false, lastSuccessSeconds: 1000 },
    ]);
    expect(logger.lines.map(({ level, message }) => [level, message])).to.deep.equal([
      ['warn', 'Reloading the list of things failed; the previous one stays active. It is bad.'],
    ]);
    write('two');
    await live.refresh();
    expect([live.current, live.state]).to.deep.equal(['two', { successful: true, lastSuccessSeconds: 2000 }]);
  });

  it('has no value to keep when the first reading fails', async () => {
    write('bad');
    expect((await rejection(open(), Error)).message).to.equal('It is bad.');
  });

  it('looks by itself while it watches', async () => {
    const live = (await open()).watch();
    write('three');
    await eventually(() => expect(live.current).to.equal('three'));
    live.close();
  });

  it('does not take a file that is being written', async () => {
    const live = (await open()).watch();
    const seen = new Set<string>();
    // Each time another one, more often than it looks.
    for (let round = 0; round < 14; round++) {
      write(`part ${round}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
      seen.add(live.current);
    }
    expect([...seen]).to.deep.equal(['one']);
    write('whole');
    await eventually(() => expect(live.current).to.equal('whole'));
    live.close();
  });
});
