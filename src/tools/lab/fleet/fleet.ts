/** A fleet: hundreds of pods over days, with what goes wrong in it. Nothing here knows how anything is detected. */

import { Draw } from './draw.js';
import { planFaults } from './faults.js';
import { planLevels } from './levels.js';
import { FEWEST_DAYS, FEWEST_PODS } from './limits.js';
import { podsOf } from './lives.js';
import { drawWorkloads, type Span } from './workload.js';

export interface FleetOptions {
  /** The same seed gives the same fleet; the faults are not part of what is usual in it. */
  readonly seed: number;
  /** At least 3. */
  readonly days: number;
  /** Approximate number of pods at a time, at least 60. */
  readonly pods: number;
  /** Some faults happen in the days to learn from as well. */
  readonly incident: boolean;
  /** Some levels change for good, and some faults last for more than a day. Default: false. */
  readonly lasting?: boolean | undefined;
  /** All workloads do nearly nothing at once, for half an hour or more. Default: false. */
  readonly outage?: boolean | undefined;
  /** A job runs inside the pods of some workloads once a day. Default: false. */
  readonly jobs?: boolean | undefined;
  /** Unix time of its start, a midnight in UTC. Default: a day of the week that depends on the seed. */
  readonly startSeconds?: number | undefined;
}

/** Times in minutes from its start. */
export type Fleet = ReturnType<typeof createFleet>;

const PODS_PER_NODE = 20;
const FAULT_DAYS = 2;
const DAY_MINUTES = 1440;
const DAY_SECONDS = 86_400;
const FIRST_MONDAY = Date.UTC(2026, 0, 12) / 1000;

/**
 * Plans a fleet. Its values come from `podColumns`.
 *
 * @throws {RangeError} if days or pods are too few, or the start is no midnight.
 */
export function createFleet(options: FleetOptions) {
  const { seed, days, pods, lasting = false, outage = false, jobs = false } = options;
  const weekday = new Draw(`${seed}/start`).whole(0, 6);
  const startSeconds = options.startSeconds ?? FIRST_MONDAY + weekday * DAY_SECONDS;
  if (!(days >= FEWEST_DAYS)) throw new RangeError(`Expected at least ${FEWEST_DAYS} days, got ${days}.`);
  if (!(pods >= FEWEST_PODS)) throw new RangeError(`Expected at least ${FEWEST_PODS} pods, got ${pods}.`);
  if (startSeconds % DAY_SECONDS !== 0) {
    throw new RangeError(`Expected a start at midnight UTC, got ${startSeconds}.`);
  }
  const minutes = Math.floor(days * DAY_MINUTES);
  const learningMinutes = minutes - FAULT_DAYS * DAY_MINUTES;
  const span = { seed, startSeconds, minutes, nodes: Math.max(3, Math.round(pods / PODS_PER_NODE)) };
  const workloads = drawWorkloads(span, pods, jobs);
  const faults = planFaults(workloads, span, learningMinutes, { ...options, lasting, outage });
  // A mass outage hits all workloads, those with a change as well.
  const others = faults.filter(({ type }) => type !== 'mass_outage');
  const levels = lasting ? planLevels(workloads, span, learningMinutes, { pods, faults: others }) : [];
  const { drains, outages } = drawNodeEvents(span);
  return {
    ...span,
    /** Faults of these first minutes have `isLearned`; the others come after. */
    learningMinutes,
    workloads,
    faults,
    levels,
    drains,
    /** From and to: nothing is scraped on a node, or at all. */
    outages,
    /** By workload, then replica, then birth. Pods of a StatefulSet come again under the same name. */
    pods: workloads.flatMap((workload) =>
      podsOf(
        workload,
        faults.filter((fault) => fault.workload === workload),
        levels.filter((level) => level.workload === workload),
        drains,
        span,
      ),
    ),
  };
}

const DRAINS_PER_DAY = 0.3;
const NODE_OUTAGES_PER_DAY = 0.6;
const OUTAGES_PER_DAY = 0.15;

function drawNodeEvents({ seed, minutes, nodes }: Span) {
  const draw = new Draw(`${seed}/nodes`);
  const node = () => draw.whole(0, nodes - 1);
  const times = (perDay: number) => draw.times(perDay / DAY_MINUTES, 0, minutes);
  const drains = times(DRAINS_PER_DAY).map((minute) => ({ minute, node: node() }));
  const outages = [
    ...times(NODE_OUTAGES_PER_DAY).map((from) => ({ from, to: from + draw.log(1, 6), node: node() })),
    ...times(OUTAGES_PER_DAY).map((from) => ({ from, to: from + draw.log(1.5, 5), node: undefined })),
  ];
  return { drains, outages };
}
