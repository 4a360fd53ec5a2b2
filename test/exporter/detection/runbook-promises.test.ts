/** What the runbooks of pods and workloads say that this detector reports, and what they say that it does not. */

import { expect } from 'chai';
import { detect } from '../../../src/exporter/detection/detect.js';
import { explain } from '../../../src/exporter/detection/explain.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { type Course, MEBIBYTE, STEADY_PODS, steadyMinutes, steadyModel } from '../../support/steady-cluster.js';

/** Seconds since the training: what has begun ten minutes ago lasts. */
const NOW_SECONDS = 1200;
const BEGAN_SECONDS_AGO = 600;

const WEB = STEADY_PODS.filter((pod) => pod.startsWith('web-'));

/** What a pod does since it went wrong. */
type Change = (usual: readonly [cpu: number, memory: number, restarts: number], secondsAgo: number) => typeof usual;

const cpu =
  (factor: number): Change =>
  ([cores, ...rest]) => [factor * cores, ...rest];
const memory =
  (factor: number): Change =>
  ([cores, bytes, restarts]) => [cores, factor * bytes, restarts];
/** One MiB more in each half second. */
const leak: Change = ([cores, bytes, restarts], ago) => [
  cores,
  bytes + 2 * MEBIBYTE * (BEGAN_SECONDS_AGO - ago),
  restarts,
];
/** Every two minutes. */
const crashLoop: Change = ([cores, bytes, restarts], ago) => [
  cores,
  bytes,
  restarts + Math.floor((BEGAN_SECONDS_AGO - ago) / 120),
];
const onceRestarted: Change = ([cores, bytes, restarts]) => [cores, bytes, restarts + 1];

function look(model: Model, pods: readonly string[], change: Change, beganSecondsAgo = BEGAN_SECONDS_AGO) {
  const course: Course = (usual, ago) => (ago > beganSecondsAgo ? usual : change(usual, ago));
  const found = detect(model, steadyMinutes(Object.fromEntries(pods.map((pod) => [pod, course])), NOW_SECONDS));
  const having = (which: Uint8Array) => found.table.pods.filter((_, row) => which[row] === 1).map(({ pod }) => pod);
  return {
    lasting: having(found.lasting),
    flagged: having(found.flags),
    /** The reason that the alert of the pod would name: the feature that is furthest off, and to which side. */
    reasonOf: (pod: string) => {
      const row = found.table.pods.findIndex((own) => own.pod === pod);
      const [features = []] = explain(found, [row]);
      const [worst] = [...features].sort((a, b) => Math.abs(b.deviation) - Math.abs(a.deviation));
      return `${worst?.feature} ${worst?.direction}`;
    },
  };
}

describe('what the runbooks promise', () => {
  const days = steadyModel(6);

  const ofOnePod: readonly (readonly [what: string, reason: string, change: Change])[] = [
    ['a hot loop', 'cpu above', cpu(6)],
    ['a pod that hangs', 'cpu below', cpu(0.01)],
    ['a pod that gets no traffic', 'cpu below', cpu(0.1)],
    ['memory that rises steadily', 'memory above', leak],
    ['memory in one step', 'memory above', memory(2.5)],
    ['a crash loop', 'restarts above', crashLoop],
  ];
  for (const [what, reason, change] of ofOnePod) {
    it(`one pod: ${what} lasts, with the reason ${reason}`, () => {
      const { lasting, reasonOf } = look(days, ['web-1'], change);
      expect(lasting).to.deep.equal(['web-1']);
      expect(reasonOf('web-1')).to.equal(reason);
    });
    it(`a whole workload: ${what} lasts in all of its pods`, () => {
      const { lasting, reasonOf } = look(days, WEB, change);
      expect(lasting).to.have.members(WEB);
      for (const pod of WEB) expect(reasonOf(pod)).to.equal(reason);
    });
    it(`all pods: ${what} lasts in all of them`, () => {
      expect(look(days, STEADY_PODS, change).lasting).to.have.members(STEADY_PODS);
    });
  }

  const notReported: readonly (readonly [what: string, change: Change])[] = [
    ['a single restart', onceRestarted],
    ['a quarter less CPU', cpu(0.75)],
    ['memory that was given back', memory(0.3)],
  ];
  for (const [what, change] of notReported) {
    it(`not reported: ${what}`, () => {
      expect(look(days, ['web-1'], change).lasting).to.deep.equal([]);
      expect(look(days, WEB, change).lasting).to.deep.equal([]);
    });
  }

  it('falls of CPU need an hour of the past: without any, not even a hang is flagged', () => {
    const nothing = steadyModel(0);
    for (const pods of [['web-1'], WEB, STEADY_PODS]) {
      expect(look(nothing, pods, cpu(0.01)).flagged).to.deep.equal([]);
    }
    expect(look(nothing, ['web-1'], crashLoop).lasting).to.deep.equal(['web-1']);
    expect(look(steadyModel(1 / 24), ['web-1'], cpu(0.01)).lasting).to.include('web-1');
  });

  it('what has just begun is flagged at once; a fall only if CPU and memory fall together', () => {
    const began = (change: Change) => look(days, ['web-1'], change, 60);
    expect(began(cpu(6))).to.deep.include({ flagged: ['web-1'], lasting: [] });
    expect(began(memory(2.5))).to.deep.include({ flagged: ['web-1'], lasting: [] });
    for (const change of [cpu(0.01), memory(0.01)]) expect(began(change).flagged).to.deep.equal([]);
    const gone: Change = ([cores, bytes, restarts]) => [0.01 * cores, 0.1 * bytes, restarts];
    expect(began(gone)).to.deep.include({ flagged: ['web-1'], lasting: [] });
  });
});
