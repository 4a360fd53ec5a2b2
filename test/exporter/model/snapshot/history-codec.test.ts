import { expect } from 'chai';
import { type HistoryState, WorkloadHistory } from '../../../../src/exporter/history/workload-history.js';
import {
  decodeHistory,
  encodeHistory,
  featureNames,
  type HistoryConfiguration,
} from '../../../../src/exporter/model/snapshot/history-codec.js';
import {
  readTensors,
  type Tensor,
  type TensorFile,
  writeTensors,
} from '../../../../src/exporter/model/snapshot/safetensors.js';
import { withChecksum } from '../../../../src/exporter/model/snapshot/seal.js';
import { SnapshotError } from '../../../../src/exporter/model/snapshot/snapshot-error.js';
import { summaryOf } from '../../../support/hour-summaries.js';
import { FEATURES } from '../../../support/small-cluster.js';

const CONFIGURATION: HistoryConfiguration = { features: FEATURES, source: ['http://prometheus:9090'] };
const NEWEST = 490_908;

function smallHistory(workloads: Readonly<Record<string, number>> = { 'shop/cart': 1, 'ünï/🐢"\\': 2 }): HistoryState {
  const history = new WorkloadHistory({ days: 1, ...featureNames(CONFIGURATION) });
  history.add(summaryOf(NEWEST, workloads));
  history.add(summaryOf(NEWEST - 3, { 'shop/web': 7 }, { siblings: false }));
  return history.state();
}

const encode = (state = smallHistory(), configuration = CONFIGURATION) =>
  encodeHistory(state, configuration, async () => undefined);

/** Other content under a right checksum, as only somebody who means it would write it. */
async function changed(change: (file: { metadata: Record<string, string>; tensors: Map<string, Tensor> }) => unknown) {
  const { metadata, tensors }: TensorFile = readTensors(await encode());
  const file = { metadata: { ...metadata }, tensors: new Map(tensors) };
  change(file);
  return withChecksum(writeTensors(file));
}

describe('history as bytes', () => {
  it('comes back as it was, also an empty one', async () => {
    expect(decodeHistory(await encode(), CONFIGURATION)).to.deep.equal(smallHistory());
    const empty = new WorkloadHistory({ days: 1, ...featureNames(CONFIGURATION) }).state();
    expect(decodeHistory(await encode(empty), CONFIGURATION)).to.deep.equal(empty);
  });

  it('can be gone on with', async () => {
    const summary = summaryOf(NEWEST + 1, { 'shop/cart': 3 });
    const [one, other] = [smallHistory(), decodeHistory(await encode(), CONFIGURATION)].map((state) => {
      const history = new WorkloadHistory(state);
      history.add(summary);
      return history.state();
    });
    expect(other).to.deep.equal(one);
  });

  it('lets others have their turn while it is written', async () => {
    let turns = 0;
    const many = Object.fromEntries(Array.from({ length: 4_000 }, (_, index) => [`shop/w-${index}`, 1]));
    await encodeHistory(smallHistory(many), CONFIGURATION, async () => {
      turns++;
    });
    expect(turns).to.be.above(2);
  });

  it('is refused when it ends anywhere', async () => {
    const bytes = await encode();
    for (let length = 0; length < bytes.length; length += length < 2_000 ? 1 : 97) {
      expect(() => decodeHistory(bytes.subarray(0, length), CONFIGURATION), `${length} bytes`).to.throw(SnapshotError);
    }
  });

  it('is refused when a byte was changed after it was written', async () => {
    const bytes = await encode();
    for (let place = 0; place < bytes.length; place += 101) {
      const copy = Uint8Array.from(bytes);
      copy[place] = (copy[place] as number) ^ 0x10;
      expect(() => decodeHistory(copy, CONFIGURATION), `byte ${place}`).to.throw(SnapshotError);
    }
  });

  it('says nothing of the source that could be read from it', async () => {
    const bytes = await encode(smallHistory(), { ...CONFIGURATION, source: ['http://user:secret@prometheus:9090'] });
    expect(Buffer.from(bytes).toString('latin1')).not.to.include('secret');
  });

  const [cpu, ...others] = FEATURES;
  for (const [what, configuration] of [
    ['another source', { ...CONFIGURATION, source: ['http://other:9090'] }],
    ['another query', { ...CONFIGURATION, features: [{ ...cpu, query: 'up' }, ...others] }],
    ['other features', { ...CONFIGURATION, features: others }],
  ] as const) {
    it(`is refused with ${what}`, async () => {
      const bytes = await encode();
      expect(() => decodeHistory(bytes, configuration as HistoryConfiguration)).to.throw(
        SnapshotError,
        'it was made with other settings (features, queries, or the address of Prometheus)',
      );
    });
  }

  it('is taken with another help text', async () => {
    const features = FEATURES.map((feature) => ({ ...feature, help: 'Another.' }));
    expect(decodeHistory(await encode(), { ...CONFIGURATION, features })).to.deep.equal(smallHistory());
  });

  const tensor = (dtype: Tensor['dtype'], data: Tensor['data']): Tensor => ({ dtype, shape: [data.length], data });
  for (const [what, change, reason] of [
    ['of another version', ({ metadata }) => Object.assign(metadata, { version: '99' }), /a newer version/],
    ['of no number of days', ({ metadata }) => Object.assign(metadata, { days: 'x' }), /it is of "x" days/],
    ['of too many days', ({ metadata }) => Object.assign(metadata, { days: '100000' }), /days/],
    ['of other days than its arrays', ({ metadata }) => Object.assign(metadata, { days: '2' }), /where .* is expected/],
    ['without its levels', ({ tensors }) => tensors.delete('levels'), /it has no levels/],
    ['with another array', ({ tensors }) => tensors.set('more', tensor('U8', new Uint8Array(1))), /arrays/],
    ['with levels of another type', ({ tensors }) => tensors.set('levels', tensor('U8', new Uint8Array(9))), /levels/],
    ['with an hour at the wrong place', ({ tensors }) => tensors.get('hours')?.data.fill(5), /its hours\[0\]/],
    ['with a group that is no workload', ({ tensors }) => tensors.get('groups')?.data.fill(77), /its groups\[0\]/],
    ['with a group twice', ({ tensors }) => tensors.get('groups')?.data.fill(1), /its groups\[1\]/],
    [
      'with workloads that are not UTF-8',
      ({ tensors }) => tensors.get('workloads')?.data.fill(0xff),
      /workloads are not UTF-8/,
    ],
    [
      'with a workload twice',
      ({ tensors }) => tensors.set('workloads', tensor('U8', new TextEncoder().encode('a\na\nb'))),
      /a line twice/,
    ],
  ] satisfies readonly [string, Parameters<typeof changed>[0], RegExp][]) {
    it(`is refused ${what}`, async () => {
      const bytes = await changed(change);
      expect(() => decodeHistory(bytes, CONFIGURATION)).to.throw(SnapshotError, reason);
    });
  }
});
