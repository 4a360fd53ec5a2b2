import { expect } from 'chai';
import { historySlices } from '../../../src/exporter/model/hourly-pattern.js';
import {
  cutIntoChunks,
  firstNeeded,
  gridStepSeconds,
  longestInterval,
  reachSeconds,
  trainingTimesOf,
} from '../../../src/tools/replay/plan.js';

const HOUR = 3600;
/** A multiple of six hours. */
const START = 1_777_593_600;

describe('the pieces of a range', () => {
  it('follow each other without gaps, and end where Prometheus begins a block', () => {
    const chunks = cutIntoChunks(START + 600, START + 13 * HOUR, 40);
    expect(chunks).to.deep.equal([
      { startSeconds: START + 600, endSeconds: START + 6 * HOUR },
      { startSeconds: START + 6 * HOUR, endSeconds: START + 12 * HOUR },
      { startSeconds: START + 12 * HOUR, endSeconds: START + 13 * HOUR },
    ]);
  });

  it('are the same when the range moves', () => {
    const [, second] = cutIntoChunks(START - HOUR, START + 12 * HOUR, 500);
    const [first] = cutIntoChunks(START, START + 12 * HOUR, 500);
    expect(first).to.deep.equal(second);
  });

  it('are shorter where there are many pods, but never less than a block', () => {
    const lengthFor = (pods: number) => {
      const [chunk] = cutIntoChunks(START, START + 12 * HOUR, pods);
      return (chunk?.endSeconds ?? 0) - START;
    };
    expect([0, 500, 2400, 100_000].map(lengthFor)).to.deep.equal([6 * HOUR, 6 * HOUR, 4 * HOUR, 2 * HOUR]);
  });

  it('get the trainings in them and the last one before', () => {
    const all = [-1800, -900, 0, 900, 1800].map((offset) => START + offset);
    const chunk = { startSeconds: START + 60, endSeconds: START + 1800 };
    expect(trainingTimesOf(chunk, all)).to.deep.equal([START, START + 900]);
    expect(trainingTimesOf(chunk, all.slice(3))).to.deep.equal([START + 900]);
    expect(longestInterval(all)).to.equal(900);
    expect(longestInterval([START])).to.equal(900);
  });
});

describe('the instants that are fetched', () => {
  it('hold the minutes and the samples of the training window', () => {
    expect([60, 15, 300, 90, 7].map(gridStepSeconds)).to.deep.equal([60, 15, 60, 30, 1]);
  });

  it('reach back to all that the first training looks at', () => {
    const training = START - 900;
    const [oldest] = historySlices(training, 900)
      .map(({ startSeconds }) => startSeconds)
      .sort();
    const from = firstNeeded(
      { startSeconds: START, endSeconds: START + HOUR },
      [training, START],
      reachSeconds(HOUR, 60),
      60,
    );
    expect(from).to.be.at.most(oldest ?? 0);
    expect(from % 60).to.equal(0);
    const long = reachSeconds(24 * HOUR, 300);
    expect(long).to.be.at.least(24 * HOUR + 300);
  });
});
