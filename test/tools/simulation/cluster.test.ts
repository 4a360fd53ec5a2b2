import { expect } from 'chai';
import { createWorld, type World } from '../../../src/tools/simulation/cluster.js';
import { type IncidentKind, SCRIPT } from '../../../src/tools/simulation/incidents.js';
import type { PodState } from '../../../src/tools/simulation/pod-state.js';
import { BACKUP, DAILY_JOB, DATABASE, WORKLOADS } from '../../../src/tools/simulation/workloads.js';

const START = Date.UTC(2026, 0, 15, 9, 7) / 1000;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const scripted = createWorld({ seed: 1, startSeconds: START });
const healthy = createWorld({ seed: 1, startSeconds: START, incidents: [] });

const find = (world: World, name: string, time: number): PodState => {
  const found = world.pods(time).find(({ pod }) => pod === name);
  return found ?? expect.fail(`no pod ${name} at ${time - START} s`);
};
const newestRun = (pod: PodState) => pod.containers[0]?.cgroups[0] ?? expect.fail(`${pod.pod} does not run`);
const memory = (world: World, name: string, time: number) => newestRun(find(world, name, time)).memoryBytes;
const restarts = (world: World, name: string, time: number) =>
  find(world, name, time).containers[0]?.restarts ?? Number.NaN;

/** A memory leak that ends in a kill. */
const leaking = (() => {
  const [leak = expect.fail()] = SCRIPT.filter(({ kind }) => kind === 'memory-leak');
  const incidents = [{ ...leak, startOffsetSeconds: 0, endOffsetSeconds: 8 * HOUR }];
  const world = createWorld({ seed: 1, startSeconds: START, incidents });
  return { world, pod: world.incidents[0]?.pod ?? '' };
})();

/** Cores over an interval in which the container was not started again. */
function cores(world: World, name: string, from: number, to: number): number {
  const [before, after] = [newestRun(find(world, name, from)), newestRun(find(world, name, to))];
  expect(after.attempt).to.equal(before.attempt);
  return (after.cpuSeconds - before.cpuSeconds) / (to - from);
}

describe('the simulated cluster', () => {
  it('is the same for the same seed, in any order of asking, and another for another seed', () => {
    const again = createWorld({ seed: 1, startSeconds: START });
    again.pods(START + HOUR);
    expect(again.pods(START - 100)).to.deep.equal(scripted.pods(START - 100));
    const other = createWorld({ seed: 2, startSeconds: START });
    expect(other.pods(START)[0]?.pod).not.to.equal(scripted.pods(START)[0]?.pod);
  });

  it('has about forty pods in a dozen workloads of every kind, with names that differ', () => {
    const pods = scripted.pods(START);
    expect(pods.length).to.be.within(38, 48);
    expect(new Set(pods.map(({ namespace, pod }) => `${namespace}/${pod}`)).size).to.equal(pods.length);
    expect(WORKLOADS.length).to.be.within(12, 16);
    const kinds = pods.map(({ owner, ownersOwner }) => ownersOwner?.kind ?? owner.kind);
    expect([...new Set(kinds)].sort()).to.deep.equal(['CronJob', 'DaemonSet', 'Deployment', 'Job', 'StatefulSet']);
  });

  it('grows with its scale', () => {
    const large = createWorld({ seed: 1, startSeconds: START, scale: 10 });
    expect(large.pods(START).length).to.be.greaterThan(8 * scripted.pods(START).length);
  });

  it('names pods by the rules of Kubernetes', () => {
    const random = '[bcdfghjklmnpqrstvwxz2456789]';
    const rules: Record<string, string> = {
      ReplicaSet: `-${random}{6,10}-${random}{5}`,
      StatefulSet: '-\\d+',
      DaemonSet: `-${random}{5}`,
      Job: `-${random}{5}`,
    };
    for (const { pod, owner, ownersOwner } of scripted.pods(START)) {
      const top = ownersOwner ?? owner;
      const rule = top.kind === 'CronJob' ? `-\\d{8}-${random}{5}` : rules[owner.kind];
      expect(pod).to.match(new RegExp(`^${top.name}${rule}$`));
    }
  });

  it('never lets a counter fall within one run of a container', () => {
    const last = new Map<string, number>();
    for (let time = START - 20 * MINUTE; time < START + 20 * MINUTE; time += 5) {
      for (const { uid, containers } of scripted.pods(time)) {
        for (const { name, cgroups } of containers) {
          for (const { attempt, cpuSeconds } of cgroups) {
            const key = `${uid}/${name}/${attempt}`;
            expect(cpuSeconds, key).to.be.at.least(last.get(key) ?? 0);
            last.set(key, cpuSeconds);
          }
        }
      }
    }
  });

  it('keeps the database large and steady', () => {
    for (let time = START - HOUR; time < START + HOUR; time += MINUTE) {
      expect(cores(scripted, DATABASE.pod, time, time + MINUTE)).to.be.within(5, 7.4);
      expect(memory(scripted, DATABASE.pod, time) / 2 ** 30).to.be.within(44, 52);
    }
  });

  it('completes the runs of a CronJob and keeps them for a while, without CPU and memory', () => {
    const runs = (time: number) => healthy.pods(time).filter(({ ownersOwner }) => ownersOwner?.kind === 'CronJob');
    const completed = runs(START).filter(({ containers }) => containers[0]?.cgroups.length === 0);
    expect(completed).to.have.lengthOf.within(2, 4);
    const names = new Set(completed.map(({ pod }) => pod));
    expect(runs(START + HOUR).some(({ pod }) => names.has(pod))).to.equal(false);
  });

  it('has had rollouts and restarts within the last week', () => {
    const namesAt = (time: number) => new Set(healthy.pods(time).map(({ pod }) => pod));
    const now = namesAt(START);
    const gone = [...namesAt(START - 7 * DAY)].filter((pod) => !now.has(pod) && !pod.startsWith('invoice-export-'));
    expect(gone).to.have.lengthOf.within(8, 20);
    const added = healthy.pods(START - 7 * DAY).reduce((sum, { pod, containers }) => {
      const later = now.has(pod) ? restarts(healthy, pod, START) : 0;
      return sum + Math.max(0, later - (containers[0]?.restarts ?? 0));
    }, 0);
    expect(added).to.be.within(3, 20);
  });

  it('runs a daily job at the same time on all days, the same however it is asked, and only where it was placed', () => {
    const busy = createWorld({ seed: 1, startSeconds: START, incidents: [], dailyJob: DAILY_JOB });
    const begin = START + DAILY_JOB.startOffsetSeconds;
    for (let day = 0; day <= 8; day++) {
      const on = (offset: number) =>
        cores(busy, BACKUP.pod, begin - day * DAY + offset, begin - day * DAY + offset + 60);
      expect(on(-HOUR), `day ${day}`).to.be.below(0.1);
      expect(on(5 * MINUTE)).to.be.within(1.4, 1.7);
      expect(on(60 * MINUTE)).to.be.within(1.4, 1.7);
      expect(on(80 * MINUTE)).to.be.below(0.1);
      const bytes = (offset: number) => memory(busy, BACKUP.pod, begin - day * DAY + offset);
      expect(bytes(5 * MINUTE) - bytes(-HOUR)).to.be.closeTo(DAILY_JOB.memoryBytes, 30 * 2 ** 20);
    }
    const others = (world: World) => world.pods(START).filter(({ pod }) => pod !== BACKUP.pod);
    expect(others(busy)).to.deep.equal(others(healthy));
  });

  it('rolls a new version out: another ReplicaSet, other pods, as many as before', () => {
    const frontends = (time: number) =>
      scripted.pods(time).filter(({ ownersOwner }) => ownersOwner?.name === 'frontend');
    const [before, during, after] = [100, 175, 300].map((offset) => frontends(START + offset));
    const replicaSets = (pods: PodState[] = []) => new Set(pods.map(({ owner }) => owner.name));
    expect(replicaSets(before).size).to.equal(1);
    expect(replicaSets(during).size).to.equal(2);
    expect(replicaSets(after).size).to.equal(1);
    expect(after).to.have.lengthOf(before?.length ?? 0);
    expect([...replicaSets(after)]).not.to.deep.equal([...replicaSets(before)]);
  });

  it('reports the run before a restart for half a minute, frozen', () => {
    const { world, pod } = leaking;
    const killed = START + 6 * HOUR;
    const runsAt = (time: number) => find(world, pod, time).containers[0]?.cgroups ?? [];
    expect(runsAt(killed - 1)).to.have.lengthOf(1);
    expect(runsAt(killed + 5)).to.have.lengthOf(2);
    expect(runsAt(killed + 5)[1]).to.deep.equal(runsAt(killed + 25)[1]);
    expect(runsAt(killed + 5)[1]?.memoryBytes).to.be.greaterThan(3 * memory(healthy, pod, killed));
    expect(runsAt(killed + 31)).to.have.lengthOf(1);
  });
});

describe('the incidents', () => {
  const placed = (kind: IncidentKind) => scripted.incidents.find((incident) => incident.kind === kind) ?? expect.fail();
  const usualCores = (name: string, time: number) => cores(healthy, name, time - MINUTE, time);

  it('have begun or begin within a minute, one of each kind, on pods that run', () => {
    expect(SCRIPT.map(({ kind }) => kind)).to.have.members(['runaway-cpu', 'memory-leak', 'crash-loop', 'bad-replica']);
    for (const { pod, startSeconds } of scripted.incidents) {
      expect(startSeconds - START).to.be.below(60);
      newestRun(find(scripted, pod, startSeconds));
    }
    // What lasts is judged after some minutes: a demo is watched for fewer.
    expect(scripted.incidents.filter(({ startSeconds }) => startSeconds < START - 10 * MINUTE)).to.have.lengthOf(2);
    expect(scripted.incidents.some(({ endSeconds }) => endSeconds < START + 3 * MINUTE)).to.equal(true);
  });

  it('change nothing before they begin and nothing else', () => {
    const [first] = scripted.incidents;
    const before = (first?.startSeconds ?? 0) - 1;
    expect(scripted.pods(before)).to.deep.equal(healthy.pods(before));
    const hit = new Set(scripted.incidents.map(({ pod }) => pod));
    const spared = (world: World) => world.pods(START + 5 * MINUTE).filter(({ pod }) => !hit.has(pod));
    expect(spared(scripted)).to.deep.equal(spared(healthy));
  });

  it('runaway CPU: more than a core on top, until the end', () => {
    const { pod, startSeconds, endSeconds } = placed('runaway-cpu');
    const usual = usualCores(pod, startSeconds);
    expect(cores(scripted, pod, startSeconds, startSeconds + MINUTE)).to.be.greaterThan(usual + 1);
    expect(cores(scripted, pod, endSeconds, endSeconds + MINUTE)).to.be.within(0.5 * usual, 2 * usual);
  });

  it('memory leak: doubles within two hours, is killed and begins again', () => {
    const { world, pod } = leaking;
    const ratio = (hours: number) =>
      memory(world, pod, START + hours * HOUR) / memory(healthy, pod, START + hours * HOUR);
    expect(ratio(2)).to.be.closeTo(2, 1e-6);
    expect(ratio(5.9)).to.be.greaterThan(3.9);
    expect(ratio(6.1)).to.be.lessThan(1.1);
    expect(restarts(world, pod, START + 6.1 * HOUR)).to.equal(restarts(world, pod, START) + 1);
  });

  it('crash loop: restarts come at the pace of the kubelet', () => {
    const { pod, startSeconds } = placed('crash-loop');
    const usual = restarts(healthy, pod, startSeconds);
    const added = [-1, 1, 21, 51, 101, 191].map((offset) => restarts(scripted, pod, startSeconds + offset) - usual);
    expect(added).to.deep.equal([0, 1, 2, 3, 4, 5]);
    expect(cores(scripted, pod, startSeconds + 1, startSeconds + 9)).to.be.greaterThan(1);
    expect(cores(scripted, pod, startSeconds + 11, startSeconds + 19)).to.equal(0);
  });

  it('one bad replica: unlike its siblings', () => {
    const { pod, startSeconds } = placed('bad-replica');
    const now = startSeconds + 90;
    const siblings = scripted
      .pods(now)
      .filter(({ ownersOwner }) => ownersOwner?.name === 'catalog')
      .map((sibling) => ({
        bad: sibling.pod === pod,
        cores: cores(scripted, sibling.pod, now - MINUTE, now),
      }));
    const good = siblings.filter(({ bad }) => !bad).map(({ cores }) => cores);
    expect(good).to.have.lengthOf(3);
    expect(siblings.find(({ bad }) => bad)?.cores).to.be.greaterThan(1.5 * Math.max(...good));
  });

  it('come and develop faster at a higher speed, to the same extent', () => {
    const fast = createWorld({ seed: 1, startSeconds: START, speed: 10 });
    scripted.incidents.forEach(({ startSeconds, endSeconds }, index) => {
      expect(fast.incidents[index]?.startSeconds).to.be.closeTo(START + (startSeconds - START) / 10, 1e-3);
      expect(fast.incidents[index]?.endSeconds).to.be.closeTo(START + (endSeconds - START) / 10, 1e-3);
    });
    const leak = fast.incidents.find(({ kind }) => kind === 'memory-leak') ?? expect.fail();
    const now = leak.startSeconds + 12 * MINUTE;
    expect(memory(fast, leak.pod, now) / memory(healthy, leak.pod, now)).to.be.closeTo(2, 1e-3);
    const runaway = fast.incidents.find(({ kind }) => kind === 'runaway-cpu') ?? expect.fail();
    const extra = cores(fast, runaway.pod, runaway.startSeconds, runaway.startSeconds + 6);
    expect(extra).to.be.within(1.5, 3);
  });

  it('cannot be placed on a replica that is not there', () => {
    const [scriptedOne] = SCRIPT;
    const nowhere = { ...(scriptedOne ?? expect.fail()), replica: 99 };
    expect(() => createWorld({ seed: 1, startSeconds: START, incidents: [nowhere] })).to.throw(
      'Expected an incident to name a replica that runs when it begins, got payments/ledger, replica 99.',
    );
  });
});
