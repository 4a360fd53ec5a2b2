import { expect } from 'chai';
import { workloadFromName } from '../../../../src/exporter/features/workload.js';
import { podColumns } from '../../../../src/tools/lab/fleet/columns.js';
import { LocalTime } from '../../../../src/tools/lab/fleet/course.js';
import type { FAULTS, FleetFault } from '../../../../src/tools/lab/fleet/faults.js';
import { createFleet, type Fleet, type FleetOptions } from '../../../../src/tools/lab/fleet/fleet.js';
import { KINDS, type KindName } from '../../../../src/tools/lab/fleet/kinds.js';
import type { FleetPod } from '../../../../src/tools/lab/fleet/lives.js';

const DAY = 1440;
const fleetOf = (options: Partial<FleetOptions> = {}) =>
  createFleet({ seed: 1, days: 9, pods: 240, incident: false, ...options });

const known = (values: Float64Array) => [...values].filter((value) => !Number.isNaN(value));
function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN;
}
const median = (values: readonly number[]) => quantile(values, 0.5);

/** What Prometheus has of a pod from a minute to another. */
function valuesOf(fleet: Fleet, pod: FleetPod, from = 0, to = fleet.learningMinutes) {
  const { cpuCores, memoryBytes, restarts } = podColumns(fleet, pod, Math.floor(from), Math.floor(to));
  return { cpu: known(cpuCores), memory: known(memoryBytes), restarts: known(restarts) };
}

describe('a fleet', () => {
  // Some tests look at every minute of many pods.
  const fleets = [fleetOf(), fleetOf({ seed: 2 })];
  const [fleet] = fleets as [Fleet, Fleet];
  /** Pods of a kind, in both fleets, that live through at least four of the days to learn from. */
  const lastingOf = (kind: KindName) =>
    fleets.flatMap((one) =>
      one.pods
        .filter(
          ({ workload, born, end }) =>
            workload.kind === kind && Math.min(end, one.learningMinutes) - Math.max(born, 0) > 4 * DAY,
        )
        .map((pod) => ({ fleet: one, pod })),
    );

  it('has each kind of workload, and about as many pods at a time as it is asked for', () => {
    for (const one of fleets) {
      expect(new Set(one.workloads.map(({ kind }) => kind)).size).to.equal(Object.keys(KINDS).length);
      const names = one.workloads.map(({ namespace, name }) => `${namespace}/${name}`);
      expect(new Set(names).size).to.equal(names.length);
      const running = one.pods.filter(({ born, end }) => born <= 4 * DAY + 720 && end > 4 * DAY + 720);
      expect(running.length).to.be.within(215, 285);
    }
  });

  it('is the same for a seed; an incident in the days before changes nothing else', () => {
    const withIncident = fleetOf({ incident: true });
    const counted = withIncident.faults.filter(({ isLearned }) => !isLearned);
    expect(counted.map(({ id, start, size }) => [id, start, size])).to.deep.equal(
      fleet.faults.map(({ id, start, size }) => [id, start, size]),
    );
    const untouched = withIncident.workloads.filter((workload) =>
      withIncident.faults.every((fault) => fault.workload !== workload),
    );
    for (const { path } of untouched) {
      const [before, after] = [fleet, withIncident].map((one) =>
        one.pods
          .filter(({ workload }) => workload.path === path)
          .map((pod) => [pod.pod, pod.born, ...podColumns(one, pod, 1000, 1010).memoryBytes]),
      );
      expect(after).to.deep.equal(before);
    }
    expect(untouched.length).to.be.above(20);
  });

  it('has levels that change for good and faults of days if that is asked for, and is otherwise the same', () => {
    const lasting = fleetOf({ lasting: true });
    const added = lasting.faults.slice(fleet.faults.length);
    expect(lasting.faults.slice(0, fleet.faults.length).map(({ id, start }) => [id, start])).to.deep.equal(
      fleet.faults.map(({ id, start }) => [id, start]),
    );
    expect(added.map(({ type }) => type)).to.deep.equal([
      'cpu_doubled_for_days',
      'memory_step_for_days',
      'level_for_days',
    ]);
    for (const { start, end } of added) {
      expect(end - start).to.be.within(1560, 2400);
      expect(end).to.be.below(lasting.minutes);
    }
    const changed = new Set([...lasting.levels, ...added].map(({ workload }) => workload.path));
    expect(changed.size).to.equal(lasting.levels.length + 3);
    const valuesIn = (one: Fleet) =>
      one.pods
        .filter(({ workload: { path } }) => !changed.has(path))
        .map((pod) => [pod.pod, pod.born, ...podColumns(one, pod, 12_000, 12_003).cpuCores]);
    expect(valuesIn(lasting)).to.deep.equal(valuesIn(fleet));
    expect(changed.size).to.be.below(lasting.workloads.length / 2);
  });

  it('has jobs inside pods if that is asked for, once a day at any minute, and is otherwise the same', () => {
    const withJobs = fleetOf({ jobs: true });
    const own = withJobs.workloads.filter(({ hasDailyJob }) => hasDailyJob);
    expect(own.length).to.be.within(8, 30);
    expect(fleet.workloads.some(({ hasDailyJob }) => hasDailyJob)).to.equal(false);
    const valuesIn = (one: Fleet) =>
      one.pods
        .filter(({ workload: { path } }) => own.every((workload) => workload.path !== path))
        .map((pod) => [pod.pod, pod.born, ...podColumns(one, pod, 12_000, 12_003).cpuCores]);
    expect(valuesIn(withJobs)).to.deep.equal(valuesIn(fleet));
    expect(withJobs.faults.map(({ id, start }) => [id, start])).to.deep.equal(
      fleet.faults.map(({ id, start }) => [id, start]),
    );
    const minutes = new Set<number>();
    for (const { profile, path } of own) {
      const job = profile.rhythms.at(-1);
      const phase = job?.phase ?? expect.fail(path);
      minutes.add(Math.floor(phase % 60));
      const shares = [...withJobs.pods, ...fleet.pods].filter(({ workload }) => workload.path === path);
      const [running, usual] = [withJobs, fleet].map((one) =>
        median(
          shares
            .filter(({ workload }) => one.workloads.includes(workload))
            .flatMap((pod) =>
              [2, 3, 4, 5].flatMap((day) => valuesOf(one, pod, day * DAY + phase + 6, day * DAY + phase + 9).cpu),
            ),
        ),
      ) as [number, number];
      expect(running / usual, path).to.be.above(1.5);
    }
    expect(minutes.size).to.be.above(own.length / 2);
  });

  it('shows a new level in all pods of a workload: with a release in the new ones', () => {
    const lasting = fleetOf({ lasting: true });
    const sorts = new Set<string>();
    for (const { workload, change, start, until, onset, cpu, memory } of lasting.levels) {
      sorts.add(`${change} ${cpu === 1 ? 'memory' : 'cpu'}${until === undefined ? '' : ' rolled back'}`);
      if (!['web', 'autoscaled', 'idle', 'daemon', 'store'].includes(workload.kind)) continue;
      const ofWorkload = lasting.pods.filter((pod) => pod.workload === workload);
      const levelOf = (from: number, to: number, of: 'cpu' | 'memory') =>
        median(
          ofWorkload
            .filter(({ born, end }) => born < from - 30 && end > to)
            .flatMap((pod) => valuesOf(lasting, pod, from, to)[of]),
        );
      // The same hour of the day before.
      const at = start + onset + 60;
      for (const [of, factor] of [['cpu', cpu] as const, ['memory', memory] as const]) {
        const ratio = levelOf(at, at + 60, of) / levelOf(at - DAY, at - DAY + 60, of);
        if (factor !== 1) expect(Math.log(ratio) / Math.log(factor), `${workload.path} ${of}`).to.be.within(0.4, 1.6);
      }
      const born = ofWorkload.filter(({ cause, born: at }) => cause === 'rollout' && at >= start && at < start + 30);
      expect(born.length > 0, workload.path).to.equal(change === 'release');
      const back = ofWorkload.some(({ born: minute }) => until !== undefined && minute >= until && minute < until + 30);
      expect(back).to.equal(until !== undefined);
    }
    expect([...sorts].sort()).to.deep.equal([
      'release cpu',
      'release cpu rolled back',
      'release memory',
      'shift cpu',
      'shift memory',
    ]);
  });

  it('does nearly nothing in an outage, all of it', () => {
    const one = fleetOf({ outage: true });
    const outages = one.faults.filter(({ type }) => type === 'mass_outage');
    expect(new Set(outages.map(({ workload }) => workload)).size).to.equal(one.workloads.length);
    expect(new Set(outages.map(({ id }) => id)).size).to.equal(1);
    const [{ start, end }] = outages as [FleetFault];
    expect(end - start).to.be.within(30, 90);
    const shares = one.pods
      .filter(({ born, end: last, faults }) => born < start - 60 && last > end && faults.length === 1)
      .map((pod) => {
        const before = median(valuesOf(one, pod, start - 30, start).cpu);
        return median(valuesOf(one, pod, start + 4, end).cpu) / before;
      });
    expect(shares.length).to.be.above(100);
    expect(median(shares)).to.be.within(0.015, 0.025);
    expect(one.faults.filter(({ type }) => type !== 'mass_outage').map(({ id }) => id)).to.deep.equal(
      fleet.faults.map(({ id }) => id),
    );
  });

  it('gives the same values in any order and in pieces of any size', () => {
    for (const pod of fleet.pods.filter((_, i) => i % 97 === 0)) {
      const whole = podColumns(fleet, pod, 0, fleet.minutes);
      for (const from of [9000, 0, 12_955, 11_111]) {
        const piece = podColumns(fleet, pod, from, from + 5);
        for (const column of ['cpuCores', 'memoryBytes', 'restarts'] as const) {
          expect([...piece[column]]).to.deep.equal([
            ...whole[column].slice(from, from + 5),
            ...Array(Math.max(0, from + 5 - fleet.minutes)).fill(Number.NaN),
          ]);
        }
      }
    }
  });

  it('is refused when it is too small, or begins at no midnight', () => {
    expect(() => fleetOf({ days: 2 })).to.throw(RangeError, 'Expected at least 3 days, got 2.');
    expect(() => fleetOf({ pods: 10 })).to.throw(RangeError, 'Expected at least 60 pods, got 10.');
    expect(() => fleetOf({ startSeconds: 1 })).to.throw(RangeError, 'Expected a start at midnight UTC, got 1.');
  });

  it('begins on different days of the week', () => {
    const days = [1, 2, 3, 4, 5, 6].map(
      (seed) => (createFleet({ seed, days: 3, pods: 60, incident: false }).startSeconds / 86_400) % 7,
    );
    expect(new Set(days).size).to.be.above(3);
  });

  describe('pods', () => {
    it('have names from which the workload can be told', () => {
      for (const { pod, workload } of fleets.flatMap(({ pods }) => pods)) {
        expect(workloadFromName(pod)).to.equal(workload.name);
      }
    });

    it('have a name of their own; those of a StatefulSet come again under the same', () => {
      const ofSets = fleet.pods.filter(({ workload }) => workload.controller === 'StatefulSet');
      for (const { pod, replica, workload } of ofSets) expect(pod).to.equal(`${workload.name}-${replica}`);
      const others = fleet.pods.filter(({ workload }) => workload.controller !== 'StatefulSet');
      expect(new Set(others.map(({ pod, workload }) => `${workload.namespace}/${pod}`)).size).to.equal(others.length);
      expect(new Set(ofSets.map(({ pod }) => pod)).size).to.be.below(ofSets.length);
    });

    it('of a replica follow each other; a new pod of a Deployment begins before the old one ends', () => {
      for (const [index, pod] of fleet.pods.entries()) {
        const next = fleet.pods[index + 1];
        if (next?.workload !== pod.workload || next.replica !== pod.replica || next.cause === 'scale-up') continue;
        if (pod.workload.controller === 'Deployment') expect(next.born).to.be.within(pod.end - 1, pod.end);
        else if (next.cause !== 'run') expect(next.born).to.be.within(pod.end, pod.end + 1);
      }
    });

    it('are replaced by releases in working hours, one after the other, with one new hash', () => {
      const rollouts = fleets
        .flatMap(({ pods }) => pods)
        .filter(({ cause, faults }) => cause === 'rollout' && faults.length === 0);
      const planned = rollouts.filter(({ workload, born, replica }) =>
        workload.isWorkingTime(born - 1.5 * replica - 1),
      );
      expect(planned.length / rollouts.length).to.be.above(0.6);
      const workload = rollouts.find(({ workload: one }) => one.replicas >= 4)?.workload;
      const births = rollouts.filter((pod) => pod.workload === workload);
      const hashOf = ({ pod }: FleetPod) => pod.split('-').at(-2);
      const first = births.filter((pod) => hashOf(pod) === hashOf(births[0] as FleetPod));
      expect(first.length).to.be.at.least(4);
      expect(Math.max(...first.map(({ born }) => born)) - Math.min(...first.map(({ born }) => born))).to.be.within(
        0.9,
        15,
      );
    });

    it('of a node are all replaced when it is drained, except those of DaemonSets', () => {
      const drain = fleets
        .flatMap((one) => one.drains.map((of) => ({ ...of, fleet: one })))
        .find(({ minute }) => minute < 8 * DAY);
      const on = (drain?.fleet.pods ?? []).filter(
        ({ node, born, end, workload }) =>
          drain !== undefined &&
          node === drain.node &&
          born < drain.minute &&
          end > drain.minute &&
          workload.kind !== 'cronjob' &&
          workload.kind !== 'job',
      );
      const [daemons, others] = [true, false].map((is) =>
        on.filter(({ workload }) => (workload.controller === 'DaemonSet') === is),
      );
      expect(others?.length).to.be.above(3);
      const survivors = others?.filter(({ end }) => end > (drain?.minute as number) + 5) ?? [];
      expect(survivors.length).to.be.at.most(0.2 * (others?.length as number));
      expect(daemons?.every(({ end }) => end > (drain?.minute as number) + 5)).to.equal(true);
    });

    it('are restarted singly now and then, and some have counted hundreds before', () => {
      const restarts = fleets
        .flatMap(({ pods }) => pods)
        .flatMap(({ downs }) => downs.filter(({ isFault }) => !isFault));
      expect(restarts.length).to.be.within(20, 250);
      const high = lastingOf('web').concat(lastingOf('daemon'), lastingOf('queue'), lastingOf('heap'));
      expect(Math.max(...high.map(({ pod }) => pod.restarts))).to.be.above(50);
    });

    it('lack a sample now and then, and all of a node lack some together', () => {
      const pods = lastingOf('web').filter(({ fleet: one }) => one === fleet);
      const missing = pods.map(({ pod }) => {
        const { cpuCores, restarts } = podColumns(fleet, pod, 0, fleet.learningMinutes);
        return known(restarts).length - known(cpuCores).length;
      });
      expect(Math.max(...missing)).to.be.within(2, 60);
      const outage = fleet.outages.find(({ node }) => node !== undefined);
      const hit = fleet.pods.filter(
        ({ node, born, end }) =>
          node === outage?.node && born < (outage?.from as number) && end > (outage?.to as number),
      );
      for (const pod of hit) {
        expect(
          valuesOf(fleet, pod, Math.ceil(outage?.from as number), Math.ceil(outage?.to as number)).cpu,
        ).to.deep.equal([]);
      }
      expect(hit.length).to.be.above(5);
    });
  });

  describe('kinds', () => {
    const each = (kind: KindName, of: (values: ReturnType<typeof valuesOf>, pod: FleetPod, one: Fleet) => number) => {
      const found = lastingOf(kind).map(({ fleet: one, pod }) => of(valuesOf(one, pod), pod, one));
      expect(found, kind).not.to.have.lengthOf(0);
      return found;
    };
    const hours = (one: Fleet, pod: FleetPod, isIn: (minute: number) => boolean) => {
      const { cpuCores } = podColumns(one, pod, 0, one.learningMinutes);
      return [...cpuCores].filter((value, minute) => !Number.isNaN(value) && isIn(minute));
    };

    it('web: a course of the day, and another one on weekends of people at work', () => {
      const ratios = lastingOf('web').flatMap(({ fleet: one, pod }) => {
        const { shape, zones = [] } = pod.workload.profile.course ?? {};
        if (shape !== 'office' || zones.length > 1) return [];
        const clock = new LocalTime(zones[0] as string, one.startSeconds, one.minutes);
        const at = (from: number, to: number, isWeekend: boolean) =>
          median(
            hours(
              one,
              pod,
              (minute) =>
                clock.isWeekend(minute) === isWeekend && from <= clock.hour(minute) && clock.hour(minute) < to,
            ),
          );
        return [[at(10, 12, false) / at(2, 5, false), at(10, 12, false) / at(10, 12, true)]];
      });
      expect(median(ratios.map(([day]) => day as number))).to.be.above(2);
      expect(Math.min(...ratios.map(([, week]) => week as number))).to.be.above(1.2);
    });

    it('autoscaled: pods come and go, and CPU of a pod moves less than the load', () => {
      for (const one of fleets) {
        const workload = one.workloads.find(({ kind }) => kind === 'autoscaled');
        const counts = [...(workload?.replicasMinutes ?? [])];
        expect(Math.max(...counts)).to.be.above(Math.min(...counts) + 1);
        expect(one.pods.filter((pod) => pod.workload === workload && pod.cause === 'scale-up').length).to.be.above(5);
        const load = [...(workload?.load ?? [])];
        const total = load.map((value, minute) => value * (counts[minute] as number));
        expect(quantile(load, 0.95) / quantile(load, 0.05)).to.be.below(quantile(total, 0.95) / quantile(total, 0.05));
      }
    });

    it('irregular: within minutes, CPU is a multiple of what it was', () => {
      expect(median(each('irregular', ({ cpu }) => quantile(cpu, 0.99) / median(cpu)))).to.be.above(3);
    });

    it('queue: on for tens of minutes, off for longer, and memory follows', () => {
      expect(median(each('queue', ({ cpu }) => quantile(cpu, 0.97) / quantile(cpu, 0.3)))).to.be.above(3);
      expect(median(each('queue', ({ memory }) => Math.max(...memory) / median(memory)))).to.be.above(1.3);
    });

    it('periodic: work at the same minute of each period', () => {
      for (const { fleet: one, pod } of lastingOf('periodic')) {
        const every = pod.activities[0]?.rhythm.every ?? Number.NaN;
        const { cpuCores } = podColumns(one, pod, 0, one.learningMinutes);
        const byMinute = Array.from({ length: every }, (_, offset) =>
          median([...cpuCores].filter((value, minute) => minute % every === offset && !Number.isNaN(value))),
        );
        expect(Math.max(...byMinute)).to.be.above(1.5 * median(byMinute));
      }
    });

    it('heap: memory climbs for tens of minutes to hours, and falls within one', () => {
      for (const { fleet: one, pod } of lastingOf('heap')) {
        const { memory } = valuesOf(one, pod);
        const steps = memory.slice(1).map((value, i) => value - (memory[i] as number));
        const level = median(memory);
        const falls = steps.filter((step) => step < -0.1 * level).length;
        const jumps = steps.filter((step) => step > 0.1 * level).length;
        expect(falls).to.be.within(3, 400);
        expect(jumps).to.be.below(0.2 * falls);
      }
    });

    it('ci-runner: cores in working hours', () => {
      for (const { fleet: one, pod } of lastingOf('ci-runner')) {
        const busy = (isIn: (minute: number) => boolean) => {
          const cpu = hours(one, pod, isIn);
          return cpu.filter((value) => value > 0.3).length / cpu.length;
        };
        const { isWorkingTime } = pod.workload;
        expect(busy(isWorkingTime)).to.be.above(2 * busy((minute) => !isWorkingTime(minute)));
      }
    });

    it('log-shipper: rare peaks of minutes', () => {
      const busy = each('log-shipper', ({ cpu }) => {
        const usual = median(cpu);
        return cpu.filter((value) => value > 2 * usual).length / cpu.length;
      });
      expect(median(busy)).to.be.within(0.0002, 0.03);
    });

    it('store: compactions of each replica at its own time', () => {
      expect(median(each('store', ({ cpu }) => quantile(cpu, 0.99) / median(cpu)))).to.be.above(1.4);
      const [first, second] = lastingOf('store').map(({ pod }) => pod.activities[0]?.list[5]?.start);
      expect(first).not.to.equal(second);
    });

    it('internal: nearly nothing for most of the time', () => {
      const ratios = each('internal', ({ cpu }) => quantile(cpu, 0.998) / median(cpu));
      expect(median(ratios)).to.be.above(4);
    });

    it('backup and database: more at night', () => {
      for (const kind of ['backup', 'database'] as const) {
        for (const { fleet: one, pod } of lastingOf(kind)) {
          const rhythm = pod.activities.find((of) => of.rhythm.every === DAY)?.rhythm;
          const begin = Math.ceil(rhythm?.phase as number);
          const during = hours(one, pod, (minute) => minute % DAY > begin + 1 && minute % DAY < begin + 6);
          const before = hours(one, pod, (minute) => minute % DAY < begin - 1 && minute % DAY > begin - 40);
          expect(median(during), pod.pod).to.be.above((kind === 'backup' ? 5 : 1.15) * median(before));
        }
      }
    });

    it('cache: memory is at its level for most of the time, and falls now and then', () => {
      const lows = each('cache', ({ memory }) => Math.min(...memory) / median(memory));
      expect(Math.min(...lows)).to.be.below(0.9);
      expect(median(each('cache', ({ memory }) => quantile(memory, 0.9) / median(memory)))).to.be.below(1.05);
    });

    it('daemon and idle: small, and the same by day and night', () => {
      for (const kind of ['daemon', 'idle'] as const) {
        expect(Math.max(...each(kind, ({ cpu }) => quantile(cpu, 0.9)))).to.be.below(kind === 'idle' ? 0.01 : 0.15);
        expect(Math.max(...each(kind, ({ cpu }) => quantile(cpu, 0.7) / quantile(cpu, 0.3)))).to.be.below(2.2);
      }
    });

    it('cronjob: a pod of its own for each run, of which three are kept', () => {
      const workload = fleet.workloads.find(({ kind, profile }) => kind === 'cronjob' && profile.every >= 30);
      const runs = fleet.pods.filter((pod) => pod.workload === workload);
      const every = workload?.profile.every as number;
      expect(runs.length).to.be.closeTo(fleet.minutes / every, 4);
      for (const { pod, born, end } of runs) {
        const scheduled = Number(pod.split('-').at(-2));
        expect(scheduled % every).to.equal(0);
        expect(fleet.startSeconds / 60 + born - scheduled).to.be.within(0, 1);
        expect(end - born).to.be.below(every);
      }
      const run = runs[5] as FleetPod;
      // The last scrape is read for half a minute.
      expect(valuesOf(fleet, run, run.end + 2, run.gone)).to.deep.include({ cpu: [], memory: [] });
      expect(valuesOf(fleet, run, run.end, run.gone).restarts.length).to.be.within(3 * every - 2, 3 * every + 2);
    });

    it('job: runs at any time', () => {
      const jobs = fleets.flatMap(({ pods }) => pods).filter(({ workload }) => workload.kind === 'job');
      expect(jobs.length).to.be.above(18);
    });

    it('batch: works all the time', () => {
      expect(Math.min(...each('batch', ({ cpu }) => quantile(cpu, 0.02) / median(cpu)))).to.be.above(0.3);
    });

    it('all: the noise is heavy in its tail, and alike from one minute to the next', () => {
      const pods = [...lastingOf('web'), ...lastingOf('store'), ...lastingOf('irregular')];
      const tails = pods.map(({ fleet: one, pod }) => {
        const { cpu } = valuesOf(one, pod);
        return quantile(cpu, 0.999) / median(cpu);
      });
      expect(median(tails)).to.be.within(1.5, 15);
    });

    it('all: pods of a workload are alike, those of different ones are not', () => {
      const levels = new Map<unknown, number[]>();
      for (const { fleet: one, pod } of lastingOf('web')) {
        levels.set(pod.workload, [
          ...(levels.get(pod.workload) ?? []),
          median(valuesOf(one, pod, 3 * DAY, 4 * DAY).memory),
        ]);
      }
      const within = [...levels.values()].filter((of) => of.length > 1).map((of) => Math.max(...of) / Math.min(...of));
      const medians = [...levels.values()].map(median);
      expect(median(within)).to.be.below(1.3);
      expect(Math.max(...medians) / Math.min(...medians)).to.be.above(4);
    });
  });

  describe('faults', () => {
    const faultsOf = (type: keyof typeof FAULTS) => {
      const found = fleets.flatMap((one) =>
        one.faults.filter((fault) => fault.type === type).map((fault) => ({ fleet: one, fault })),
      );
      expect(found, type).to.have.lengthOf(8);
      return found;
    };
    const podsOf = (one: Fleet, fault: FleetFault) => one.pods.filter(({ faults }) => faults.includes(fault));
    /** Of each pod of a fault: values in the middle of it, and of the same pod, or its siblings, before. */
    const compared = (type: keyof typeof FAULTS) =>
      faultsOf(type).flatMap(({ fleet: one, fault }) =>
        podsOf(one, fault).map((pod) => {
          const length = Math.min(60, (fault.end - fault.start) / 2);
          const reference =
            pod.born < fault.start
              ? pod
              : (one.pods.find(
                  ({ workload, born, end }) =>
                    workload === pod.workload && born < fault.start - 60 && end >= fault.start,
                ) as FleetPod);
          return {
            pod,
            fault,
            fleet: one,
            before: valuesOf(one, reference, fault.start - 60, fault.start),
            first: valuesOf(one, pod, fault.start + 12, fault.start + 12 + length),
            all: valuesOf(one, pod, fault.start, fault.end),
            after: valuesOf(one, pod, fault.end + 15, fault.end + 60),
          };
        }),
      );

    it('come in the last two days, for 20 minutes to a day, and not twice at once in a workload', () => {
      for (const one of fleets) {
        for (const { start, end, workload, id } of one.faults) {
          expect(start).to.be.at.least(one.learningMinutes);
          expect(end).to.be.below(one.minutes);
          expect(end - start).to.be.within(20, DAY);
          const others = one.faults.filter((other) => other.workload === workload && other.id !== id);
          for (const other of others) expect(other.end < start || end < other.start).to.equal(true);
        }
      }
    });

    it('have happened before, some of them, if that is asked for', () => {
      const { faults, learningMinutes } = fleetOf({ incident: true });
      const learned = faults.filter(({ isLearned }) => isLearned);
      expect(learned.length).to.be.within(9, 12);
      for (const { start, end, workload, type } of learned) {
        expect(start).to.be.at.least(DAY);
        expect(end).to.be.below(learningMinutes);
        expect(faults.some((one) => !one.isLearned && one.workload === workload && one.type === type)).to.equal(true);
      }
    });

    it('are fewer in a smaller fleet, one of each type at least', () => {
      const { faults } = fleetOf({ pods: 60 });
      expect(new Set(faults.map(({ type }) => type)).size).to.be.above(9);
      expect(faults.length).to.be.at.most(11);
    });

    it('runaway_cpu: half of the limit and more', () => {
      for (const { pod, first } of compared('runaway_cpu')) {
        expect(median(first.cpu)).to.be.above(0.5 * pod.workload.profile.cpuLimit);
      }
    });

    it('cpu_doubled: on one replica, siblings are as before', () => {
      for (const { pod, fault, fleet: one, first } of compared('cpu_doubled')) {
        const siblings = one.pods.filter(
          (other) =>
            other.workload === pod.workload &&
            other.replica !== pod.replica &&
            other.born < fault.start &&
            other.end > fault.start + 80,
        );
        const usual = median(siblings.flatMap((other) => valuesOf(one, other, fault.start + 12, fault.start + 72).cpu));
        expect(median(first.cpu) / usual).to.be.above(1.2);
      }
      const ratios = compared('cpu_doubled').map(({ first, before }) => median(first.cpu) / median(before.cpu));
      expect(median(ratios)).to.be.within(1.6, 2.8);
    });

    it('release_doubles_cpu: all new pods, until the version before comes back', () => {
      for (const { fault, fleet: one } of faultsOf('release_doubles_cpu')) {
        const bad = podsOf(one, fault);
        expect(bad.length).to.be.at.least(fault.workload.replicas);
        const hashOf = ({ pod }: FleetPod) => pod.split('-').at(-2);
        const ofWorkload = one.pods.filter(({ workload }) => workload === fault.workload);
        const before = ofWorkload.find(({ born, end }) => born < fault.start && end >= fault.start) as FleetPod;
        const after = ofWorkload.find(({ born }) => born >= fault.end) as FleetPod;
        expect(hashOf(after)).to.equal(hashOf(before));
        expect(new Set(bad.map(hashOf)).size).to.equal(1);
        expect(hashOf(bad[0] as FleetPod)).not.to.equal(hashOf(before));
      }
      const ratios = compared('release_doubles_cpu').map(({ first, before }) => median(first.cpu) / median(before.cpu));
      expect(median(ratios)).to.be.within(1.6, 3);
    });

    it('memory_step, fast_leak and slow_leak: memory rises at once or little by little, until a restart', () => {
      const grown = (type: 'memory_step' | 'fast_leak' | 'slow_leak') =>
        compared(type).map(({ fault, fleet: one, pod, before, first, after }) => {
          const last = valuesOf(one, pod, fault.end - 8, fault.end);
          expect(after.restarts.at(-1), fault.id).to.equal((before.restarts.at(-1) as number) + 1);
          return [median(first.memory) / median(before.memory), median(last.memory) / median(before.memory)];
        });
      const column = (rows: number[][], index: number) => median(rows.map((row) => row[index] as number));
      expect(column(grown('memory_step'), 0)).to.be.within(1.5, 2.6);
      for (const type of ['fast_leak', 'slow_leak'] as const) {
        expect(column(grown(type), 0)).to.be.below(1.8);
        expect(column(grown(type), 1)).to.be.within(1.8, 3.2);
      }
    });

    it('crash_loop and oom_cycle: lives of minutes, with values, and restarts', () => {
      for (const type of ['crash_loop', 'oom_cycle'] as const) {
        for (const { fault, before, all } of compared(type)) {
          expect(all.memory.length, fault.id).to.be.above(5);
          const gained = (all.restarts.at(-1) as number) - (before.restarts.at(-1) as number);
          const cycle = fault.size + 5.5;
          expect(gained, fault.id).to.be.at.least(Math.floor((0.6 * (fault.end - fault.start)) / cycle));
        }
      }
      for (const { pod, all, fault } of compared('oom_cycle')) {
        // The last sample of a life is some way below the limit.
        expect(Math.max(...all.memory), fault.id).to.be.above(0.75 * pod.workload.profile.memoryLimit);
      }
    });

    it('crash_loop_seconds: nothing lives long enough to be measured, only restarts count', () => {
      for (const { fault, before, first, fleet: one, pod } of compared('crash_loop_seconds')) {
        expect(first.cpu).to.deep.equal([]);
        expect(first.memory).to.deep.equal([]);
        const { restarts } = valuesOf(one, pod, fault.start, fault.end);
        expect((restarts.at(-1) as number) - (before.restarts.at(-1) as number)).to.be.at.least(
          (fault.end - fault.start) / 8,
        );
      }
    });

    it('hang and lost_traffic: CPU falls, of one pod to nearly nothing, of a workload on all pods', () => {
      const falls = compared('hang').map(({ first, before }) => median(first.cpu) / median(before.cpu));
      expect(Math.max(...falls)).to.be.below(0.06);
      for (const { fault, fleet: one } of faultsOf('lost_traffic')) {
        expect(podsOf(one, fault).length).to.be.at.least(fault.workload.replicas);
      }
      const losses = compared('lost_traffic').map(({ first, before }) => median(first.cpu) / median(before.cpu));
      expect(Math.max(...losses)).to.be.below(0.5);
    });
  });
});
