import { expect } from 'chai';
import { WorkloadDirectory } from '../../../src/exporter/detection/workloads.js';
import { FeatureTableBuilder } from '../../../src/exporter/features/table-builder.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { locatePods } from '../../../src/exporter/model/rows.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { type FakeApi, fakeApi } from '../../support/fake-api.js';
import { rejection } from '../../support/rejection.js';
import { type FakePod, OWNER_QUERIES, SmallCluster } from '../../support/small-cluster.js';
import { CPU, seriesSet } from '../../support/tables.js';
import { gate } from '../../support/waiting.js';

const NOON = 1_767_268_800;
const { signal } = new AbortController();

/** Of a model, the directory reads the workloads of pods. */
const modelKnowing = (...workloads: [key: string, workload: string][]) =>
  ({
    baseline: {
      pods: {
        rows: new Map(workloads.map(([key], row) => [key, row])),
        workload: Uint32Array.from(workloads.keys()),
      },
      workloads: { names: workloads.map(([, name]) => name) },
    },
  }) as unknown as Model;

const OLD: FakePod = { namespace: 'shop', pod: 'cart-0', owner: 'other-than-in-the-model' };
const NEW: FakePod = { namespace: 'shop', pod: 'till-0', owner: 'checkout' };
const NEWER: FakePod = { namespace: 'shop', pod: 'till-1', owner: 'checkout' };
const ORPHAN: FakePod = { namespace: 'shop', pod: 'stray-0' };

const model = modelKnowing(['shop/cart-0', 'basket']);

describe('workload directory', () => {
  let api: FakeApi;
  let directory: WorkloadDirectory;

  beforeEach(() => {
    api = fakeApi(new SmallCluster([OLD, NEW, NEWER, ORPHAN]).answer);
    directory = new WorkloadDirectory(api, OWNER_QUERIES);
  });

  const rowsOf = (pods: readonly FakePod[], { baseline } = model) => locatePods(baseline.pods, pods);
  const lookUp = (pods: readonly FakePod[], current = model) =>
    directory.lookUp(pods, rowsOf(pods, current), NOON, signal);
  const workloadOf = (pod: FakePod, current = model, asked = directory) => {
    const builder = new FeatureTableBuilder([CPU], Float64Array.of(NOON));
    const { namespace, pod: name } = pod;
    builder.add(CPU, seriesSet([{ namespace, pod: name }, [NOON, 1]]));
    const { built, rows } = asked.buildTable(current, builder, rowsOf([pod], current));
    expect([...rows]).to.deep.equal([...rowsOf([pod], current)]);
    return built.table.pods[0]?.workload;
  };
  /** Questions for owners so far; each takes three queries. */
  const questions = () => api.asked.length / 3;

  it('asks nothing while the model knows every pod', async () => {
    await lookUp([OLD]);
    expect(api.asked).to.deep.equal([]);
    expect(workloadOf(OLD)).to.equal('basket');
  });

  it('asks once for a pod that the model has not seen, at the instant of the pass', async () => {
    await lookUp([OLD, NEW]);
    expect(workloadOf(NEW)).to.equal('checkout');
    expect(workloadOf(OLD)).to.equal('basket');
    await lookUp([OLD, NEW]);
    expect(questions()).to.equal(1);
    for (const asked of api.asked) expect(asked).to.include({ startSeconds: NOON, signal });
  });

  it('asks again for what came with a warning, until an answer is complete', async () => {
    api.warnings = ['store 10.0.0.7 is down'];
    const at = (seconds: number) => directory.lookUp([NEW, ORPHAN], rowsOf([NEW, ORPHAN]), NOON + seconds, signal);
    await at(0);
    expect(workloadOf(NEW)).to.equal('checkout');
    // Longer than a pod warms up.
    for (let seconds = 60; seconds <= 1800; seconds += 60) await at(seconds);
    expect(questions()).to.equal(31);
    api.warnings = ['PromQL warning: something about the query'];
    await at(1860);
    expect(workloadOf(NEW)).to.equal('checkout');
    for (let seconds = 1920; seconds <= 3600; seconds += 60)
      await directory.lookUp([NEW], rowsOf([NEW]), NOON + seconds);
    expect(questions()).to.equal(32);
  });

  it('asks again when another pod turns up, and keeps what it knew', async () => {
    await lookUp([NEW]);
    await lookUp([NEW, NEWER]);
    expect(questions()).to.equal(2);
    expect([workloadOf(NEW), workloadOf(NEWER)]).to.deep.equal(['checkout', 'checkout']);
  });

  it('takes the name for a pod without an owner, and does not ask for it again', async () => {
    await lookUp([ORPHAN]);
    await lookUp([ORPHAN]);
    expect(workloadOf(ORPHAN)).to.equal('stray');
    expect(questions()).to.equal(1);
  });

  it('asks again, once a minute while the pod warms up, for an owner that was not there yet', async () => {
    const ownerSince = NOON + 150;
    const late = fakeApi((query, timeSeconds) =>
      new SmallCluster(timeSeconds < ownerSince ? [ORPHAN] : [NEW]).answer(query, timeSeconds),
    );
    const eager = new WorkloadDirectory(late, OWNER_QUERIES);
    for (let seconds = 0; seconds <= 1200; seconds += 15) {
      await eager.lookUp([NEW, ORPHAN], rowsOf([NEW, ORPHAN]), NOON + seconds, signal);
      expect(workloadOf(NEW, model, eager)).to.equal(seconds < 180 ? 'till' : 'checkout');
    }
    expect(
      late.asked.map(({ startSeconds }) => startSeconds - NOON).filter((_, index) => index % 3 === 0),
    ).to.deep.equal([0, 60, 120, 180, 240, 300, 360]);
  });

  it('asks again for an owner that was not there yet after the clock was set back', async () => {
    const at = (seconds: number) => directory.lookUp([ORPHAN], rowsOf([ORPHAN]), NOON + seconds, signal);
    await at(0);
    await at(-3600);
    await at(-3540);
    expect(questions()).to.equal(3);
  });

  it('keeps the owners of pods that a partial answer about usage does not name', async () => {
    await lookUp([NEW]);
    await directory.lookUp([], rowsOf([]), NOON, signal, true);
    expect(workloadOf(NEW)).to.equal('checkout');
    await lookUp([NEW]);
    expect(questions()).to.equal(1);
  });

  it('forgets pods that are gone', async () => {
    await lookUp([NEW]);
    await lookUp([]);
    expect(workloadOf(NEW)).to.equal('till');
    await lookUp([NEW]);
    expect(workloadOf(NEW)).to.equal('checkout');
    expect(questions()).to.equal(2);
  });

  it('forgets pods that a newer model knows', async () => {
    await lookUp([NEW]);
    const newer = modelKnowing(['shop/till-0', 'renamed']);
    await lookUp([NEW], newer);
    expect(workloadOf(NEW, newer)).to.equal('renamed');
    expect(questions()).to.equal(1);
  });

  it('falls back to the names when the question fails, and keeps what it knew', async () => {
    await lookUp([NEW]);
    api.before = () => {
      throw new PrometheusError('unavailable', 'The disk is full.');
    };
    await rejection(lookUp([NEW, NEWER]), PrometheusError);
    expect(workloadOf(NEW)).to.equal('checkout');
    expect(workloadOf(NEWER)).to.equal('till');
  });

  it('keeps the answer of a pass that another one overlaps', async () => {
    const held = gate();
    api.before = () => held.opened;
    const first = lookUp([NEW]);
    await lookUp([NEW]);
    held.open();
    await first;
    expect(workloadOf(NEW)).to.equal('checkout');
    expect(questions()).to.equal(1);
  });

  it('does not ask at every pass for pods whose question failed', async () => {
    api.before = () => {
      throw new PrometheusError('unavailable', 'The disk is full.');
    };
    await rejection(lookUp([NEW]), PrometheusError);
    await lookUp([NEW]);
    // The first of three queries.
    expect(api.asked).to.have.lengthOf(1);
  });
});
