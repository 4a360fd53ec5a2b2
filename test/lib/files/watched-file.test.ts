import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { WatchedFile } from '../../../src/lib/files/watched-file.js';
import { rejection } from '../../support/rejection.js';

describe('WatchedFile', () => {
  let folder: string;
  let readings: number;
  let failures: string[];
  let news: [value: string, previous: string, recovered: boolean][];
  const at = (name: string) => join(folder, name);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-watched-'));
    readings = 0;
    failures = [];
    news = [];
    writeFileSync(at('file'), 'one');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const options = {
    read: async () => {
      readings++;
      const value = readFileSync(at('file'), 'utf8');
      if (value.startsWith('bad')) throw new Error(`It is ${value}.`);
      return value;
    },
    filesOf: () => [at('file')],
    onRead: (...one: (typeof news)[number]) => void news.push(one),
    onFailure: (reason: string) => void failures.push(reason),
  };
  const write = (value: string) => {
    writeFileSync(at('new'), value);
    renameSync(at('new'), at('file'));
  };

  it('reads again only what has changed', async () => {
    const file = await WatchedFile.open(options);
    const before = readings;
    await file.refresh();
    expect([file.current, readings]).to.deep.equal(['one', before]);
    write('two');
    await Promise.all([file.refresh(), file.refresh()]);
    expect([file.current, readings]).to.deep.equal(['two', before + 1]);
    expect(news).to.deep.equal([['two', 'one', false]]);
  });

  it('reads at the first refresh what somebody else has read before', async () => {
    const file = new WatchedFile('zero', options);
    expect(file.current).to.equal('zero');
    await file.refresh();
    expect(file.current).to.equal('one');
  });

  it('keeps the last valid value, and reports each reason once until it recovers', async () => {
    const file = await WatchedFile.open(options);
    write('bad');
    await file.refresh();
    await file.refresh();
    expect([file.current, file.failure]).to.deep.equal(['one', 'It is bad.']);
    write('bad again');
    await file.refresh();
    rmSync(at('file'));
    await file.refresh();
    expect(failures.map((reason) => reason.slice(0, 12))).to.deep.equal(['It is bad.', 'It is bad ag', 'ENOENT: no s']);
    write('one');
    await file.refresh();
    expect([file.current, file.failure]).to.deep.equal(['one', undefined]);
    expect(news).to.deep.equal([['one', 'one', true]]);
    write('bad');
    await file.refresh();
    expect(failures).to.have.lengthOf(4);
  });

  it('reads what is settled, and what stays broken at every tenth look', async () => {
    const file = await WatchedFile.open(options);
    const before = readings;
    const look = async (times: number) => {
      for (let time = 0; time < times; time++) await file.refreshSettled();
      return readings - before;
    };
    expect(await look(5), 'nothing changes').to.equal(0);
    write('two');
    expect(await look(1), 'it may be half of it').to.equal(0);
    write('three');
    expect(await look(1)).to.equal(0);
    expect(await look(1)).to.equal(1);
    expect(file.current).to.equal('three');
    write('bad');
    expect(await look(2)).to.equal(2);
    expect(await look(9), 'broken, and the same').to.equal(2);
    expect(await look(1)).to.equal(3);
    write('four');
    expect(await look(2)).to.equal(4);
    expect([file.current, file.failure]).to.deep.equal(['four', undefined]);
  });

  it('does not open what is invalid', async () => {
    write('bad');
    expect((await rejection(WatchedFile.open(options), Error)).message).to.equal('It is bad.');
  });
});
