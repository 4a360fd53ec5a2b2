import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { UsageError } from '../../../src/lib/usage-error.js';
import { emptyScores } from '../../../src/tools/lab/scores.js';
import { openScoresFile, scoreRowsText } from '../../../src/tools/lab/scores-file.js';
import { rejection } from '../../support/rejection.js';
import { recordingOf, START, withFiles } from './recording.js';

describe('the file of scores', () => {
  const recording = recordingOf(
    64,
    [
      { pod: 'b', at: (minute) => (minute < 61 ? undefined : [1, 1]) },
      { pod: 'a', at: () => [1, 1] },
    ],
    'mon,day',
  );

  it('has a row for each score, by time, then pod; none where there is no score', () => {
    const scores = emptyScores(recording);
    scores.detector[0]?.set([-0.123456789, 0.25, 0, 1e-9], 60);
    scores.detector[1]?.set([-1e-12, Number.NaN, 0.5], 0);
    expect(scoreRowsText(recording, scores, 60, 64).split('\n')).to.deep.equal([
      `"mon,day",${START + 3600},ns,a,-0.1234568,0`,
      `"mon,day",${START + 3660},ns,a,0.25,1`,
      `"mon,day",${START + 3660},ns,b,-1e-12,0`,
      `"mon,day",${START + 3720},ns,a,0,0`,
      `"mon,day",${START + 3780},ns,a,1e-9,1`,
      `"mon,day",${START + 3780},ns,b,0.5,1`,
      '',
    ]);
    expect(scoreRowsText(recording, scores, 10, 60)).to.equal('');
  });

  it('is compressed or not by its name, and holds all that was written', async () => {
    const rows = Array.from({ length: 200 }, (_, index) => `${index},`.repeat(500).concat('\n'));
    await withFiles({}, async (directory) => {
      for (const name of ['scores.csv', 'scores.csv.gz']) {
        const path = join(directory, name);
        const file = await openScoresFile(path);
        for (const row of rows) await file.write(row);
        await file.close();
        const content = await readFile(path);
        const text = (name.endsWith('.gz') ? gunzipSync(content) : content).toString();
        expect(text === `case,timestamp,namespace,pod,score,flag\n${rows.join('')}`, name).to.equal(true);
      }
    });
  });

  it('says at once when it cannot be written', async () => {
    const { message } = await rejection(openScoresFile('/nowhere/scores.csv'), UsageError);
    expect(message).to.equal(
      'Expected a file that can be written in --scores, got ENOENT for /nowhere/scores.csv. Name one in a directory ' +
        'that exists.',
    );
  });
});
