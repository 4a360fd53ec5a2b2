import { expect } from 'chai';
import type { LabelValuesApi, LabelValuesRequest } from '../../../src/exporter/prometheus/api.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { shardOf } from '../../../src/exporter/sharding/shard.js';
import { ShardNamespaces } from '../../../src/exporter/sharding/shard-namespaces.js';
import { rejection } from '../../support/rejection.js';
import { eventually } from '../../support/waiting.js';

const ALL = Array.from({ length: 12 }, (_, index) => `team-${index}`);
const SHARD = { ordinal: 1, total: 3 };
const ownOf = (namespaces: readonly string[]) =>
  namespaces.filter((name) => shardOf(name, SHARD.total) === SHARD.ordinal).sort();
const OWN = ownOf(ALL);
const PLAN = { shard: SHARD, selectors: ['a{namespace!=""}', 'b'], windowSeconds: 3900 };
const patience = () => AbortSignal.timeout(25_000);

describe('ShardNamespaces', () => {
  let asked: LabelValuesRequest[];
  let answer: () => Promise<readonly string[]>;
  let remarks: readonly string[];
  let nowMilliseconds: number;
  let warnings: string[];
  let changes: (readonly string[])[];
  let namespaces: ShardNamespaces;
  const api: LabelValuesApi = {
    labelValues: async (request) => {
      asked.push(request);
      return { values: await answer(), warnings: remarks };
    },
  };

  beforeEach(() => {
    asked = [];
    answer = async () => ALL;
    remarks = [];
    nowMilliseconds = 1_767_268_800_000;
    warnings = [];
    changes = [];
    namespaces = new ShardNamespaces(api, {
      plan: PLAN,
      now: () => nowMilliseconds,
      onWarning: (sentence) => warnings.push(sentence),
      onChange: (list) => changes.push(list),
    });
  });

  it('asks for the namespaces of the series within the window, once for all who wait', async () => {
    expect(namespaces.state).to.deep.equal({ shard: SHARD, namespaces: undefined });
    const lists = await Promise.all([namespaces.get(patience()), namespaces.get(patience())]);
    expect(lists).to.deep.equal([OWN, OWN]);
    expect(OWN).not.to.have.lengthOf(0);
    expect(asked).to.have.lengthOf(1);
    expect(asked[0]).to.deep.include({
      label: 'namespace',
      selectors: PLAN.selectors,
      startSeconds: 1_767_268_800 - 3900,
      endSeconds: 1_767_268_800,
    });
    expect(namespaces.state).to.deep.equal({ shard: SHARD, namespaces: OWN.length });
    expect(changes).to.deep.equal([OWN]);
  });

  it('takes up a new namespace a minute later, without making anybody wait', async () => {
    await namespaces.get(patience());
    const more = Array.from({ length: 12 }, (_, index) => `new-${index}`);
    let release = () => {};
    answer = () =>
      new Promise((resolve) => {
        release = () => resolve([...ALL, ...more]);
      });
    nowMilliseconds += 60_000;
    expect(await namespaces.get(patience())).to.deep.equal(OWN);
    expect(asked, 'not before').to.have.lengthOf(1);
    nowMilliseconds += 1_000;
    expect(await namespaces.get(patience())).to.deep.equal(OWN);
    expect(await namespaces.get(patience())).to.deep.equal(OWN);
    expect(asked).to.have.lengthOf(2);
    release();
    const wanted = ownOf([...ALL, ...more]);
    await eventually(() => expect(changes).to.have.lengthOf(2));
    expect(await namespaces.get(patience())).to.deep.equal(wanted);
    expect(changes).to.deep.equal([OWN, wanted]);
  });

  it('keeps the last list while there is no newer one, and says so once for each reason', async () => {
    await namespaces.get(patience());
    for (const reason of ['It is down.', 'It is down.', 'It is on fire.']) {
      answer = async () => Promise.reject(new PrometheusError('unavailable', reason));
      nowMilliseconds += 3_600_000;
      expect(await namespaces.get(patience())).to.deep.equal(OWN);
      await new Promise(setImmediate);
    }
    expect(asked).to.have.lengthOf(4);
    expect(warnings).to.deep.equal([
      'Could not refresh the namespaces of this shard; none is removed: It is down.',
      'Could not refresh the namespaces of this shard; none is removed: It is on fire.',
    ]);
  });

  it('fails those who wait for the first list, and asks again for the next', async () => {
    answer = async () => Promise.reject(new PrometheusError('unavailable', 'It is down.'));
    expect((await rejection(namespaces.get(patience()), PrometheusError)).message).to.equal('It is down.');
    answer = async () => ALL;
    expect(await namespaces.get(patience())).to.deep.equal(OWN);
    expect(warnings).to.deep.equal([]);
  });

  it('lets go of who gives up, without ending the question of the others', async () => {
    let release = () => {};
    answer = () =>
      new Promise((resolve) => {
        release = () => resolve(ALL);
      });
    const patient = namespaces.get(patience());
    const error = await rejection(namespaces.get(AbortSignal.timeout(20)), PrometheusError);
    expect(error.kind).to.equal('timeout');
    expect((await rejection(namespaces.get(AbortSignal.abort()), PrometheusError)).kind).to.equal('aborted');
    release();
    expect(await patient).to.deep.equal(OWN);
    expect(asked).to.have.lengthOf(1);
  });

  it('ends its question when it is closed, and does not complain', async () => {
    await namespaces.get(patience());
    answer = () =>
      new Promise((_, reject) => {
        asked.at(-1)?.signal.addEventListener('abort', () => reject(new PrometheusError('aborted', 'Stopped.')));
      });
    nowMilliseconds += 61_000;
    await namespaces.get(patience());
    namespaces.close();
    expect(asked.at(-1)?.signal.aborted).to.equal(true);
    await new Promise(setImmediate);
    expect(warnings).to.deep.equal([]);
  });

  it('renews the list when the clock is set back, too', async () => {
    await namespaces.get(patience());
    nowMilliseconds -= 7_200_000;
    await namespaces.get(patience());
    expect(asked).to.have.lengthOf(2);
  });

  /** Has a new list taken, after this time. */
  async function renewed(minutes: number): Promise<readonly string[]> {
    nowMilliseconds += minutes * 60_000;
    const before = asked.length;
    await namespaces.get(patience());
    expect(asked).to.have.lengthOf(before + 1);
    // Lists are read in turns.
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
    return namespaces.get(patience());
  }

  it('removes nothing by an incomplete list, however long that lasts, and adds what is new in it', async () => {
    await namespaces.get(patience());
    const [kept = ''] = OWN;
    const [added = ''] = ownOf(Array.from({ length: 12 }, (_, index) => `new-${index}`));
    remarks = ['store 10.0.0.7 is down'];
    answer = async () => [kept, added];
    for (const minutes of [2, 60, 600]) {
      expect(await renewed(minutes)).to.deep.equal([...OWN, added].sort());
    }
    answer = async () => [];
    expect(await renewed(60)).to.deep.equal([...OWN, added].sort());
    expect(warnings).to.deep.equal([
      'Could not refresh the namespaces of this shard; none is removed: The list of namespaces is incomplete: store ' +
        '10.0.0.7 is down',
    ]);
    remarks = ['PromQL warning: a remark about the language'];
    answer = async () => [kept];
    expect(await renewed(2), 'a complete list').to.deep.equal([kept]);
  });

  it('removes what complete lists have not named for ten minutes', async () => {
    await namespaces.get(patience());
    answer = async () => [];
    expect(await renewed(2), 'a server without a past').to.deep.equal(OWN);
    expect(await renewed(9)).to.deep.equal([]);
    answer = async () => ALL;
    expect(await renewed(2)).to.deep.equal(OWN);
  });

  it('uses an incomplete first list, and says so until there is a complete one', async () => {
    remarks = ['store 10.0.0.7 is down'];
    answer = async () => OWN.slice(0, 1);
    expect(await namespaces.get(patience())).to.deep.equal(OWN.slice(0, 1));
    expect(namespaces.incompleteness).to.equal('The list of namespaces is incomplete: store 10.0.0.7 is down');
    remarks = [];
    answer = async () => ALL;
    expect(await renewed(2)).to.deep.equal(OWN);
    expect(namespaces.incompleteness).to.equal(undefined);
    remarks = ['store 10.0.0.7 is down'];
    await renewed(2);
    expect(namespaces.incompleteness, 'nothing that was there is missing').to.equal(undefined);
  });

  it('reads a long list in turns, and takes a bounded number', async () => {
    const names = Array.from({ length: 200_000 }, (_, index) => `team-${index}`);
    answer = async () => ['not a name\n', 'not/a/name', ...names];
    let turns = 0;
    const counting = setInterval(() => turns++, 0);
    const own = await namespaces.get(patience());
    clearInterval(counting);
    expect(own).to.have.lengthOf(50_000);
    expect(turns).to.be.above(0);
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]).to.match(/more than 50,000 namespaces; 1\d,\d{3} are not watched/);
  });
});
