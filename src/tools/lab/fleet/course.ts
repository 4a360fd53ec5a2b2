/** The load of a workload over days: working hours, evenings and weekends where its users live, and autoscaling. */

import { type Draw, redNoise } from './draw.js';

const HOUR_MINUTES = 60;
const DAY_MINUTES = 1440;

/** Where users and developers live. The offsets change with the clocks of the place. */
export const ZONES = [
  'Europe/Berlin',
  'Europe/London',
  'America/New_York',
  'America/Los_Angeles',
  'Asia/Kolkata',
  'Asia/Tokyo',
];

/** How the load of a workload goes over the day and the week, as a share of a usual peak. */
export type Course = ReturnType<typeof drawCourse>;

/** The time of day and week at a place. */
export class LocalTime {
  readonly #offsets: readonly number[];
  readonly #startMinutes: number;

  /** @param startSeconds Unix time of minute 0, a whole hour. */
  constructor(zone: string, startSeconds: number, minutes: number) {
    const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
    this.#startMinutes = startSeconds / 60;
    this.#offsets = Array.from({ length: Math.ceil(minutes / HOUR_MINUTES) + 1 }, (_, hour) =>
      offsetMinutes(format, (startSeconds + hour * 3600) * 1000),
    );
  }

  /** Minutes since the epoch, as a clock on the wall shows them. */
  #wall(minute: number): number {
    const hour = Math.min(this.#offsets.length - 1, Math.max(0, Math.floor(minute / HOUR_MINUTES)));
    return this.#startMinutes + minute + (this.#offsets[hour] as number);
  }

  /** Hour of the day, with fractions. */
  hour(minute: number): number {
    return (this.#wall(minute) % DAY_MINUTES) / HOUR_MINUTES;
  }

  /** Days since the epoch. */
  day(minute: number): number {
    return Math.floor(this.#wall(minute) / DAY_MINUTES);
  }

  isWeekend(minute: number): boolean {
    // Day 0 was a Thursday.
    return [2, 3].includes(this.day(minute) % 7);
  }

  isWorkingTime(minute: number): boolean {
    const hour = this.hour(minute);
    return 9 <= hour && hour < 17.5 && !this.isWeekend(minute);
  }
}

/** `GMT+05:30` is 330. */
function offsetMinutes(format: Intl.DateTimeFormat, milliseconds: number): number {
  const name = format.formatToParts(milliseconds).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  return (sign === '-' ? -1 : 1) * (60 * Number(hours ?? 0) + Number(minutes ?? 0));
}

const step = (distance: number) => 1 / (1 + Math.exp(-distance));
const bump = (hour: number, center: number, width: number) => {
  const distance = ((hour - center + 36) % 24) - 12;
  return Math.exp(-0.5 * (distance / width) ** 2);
};

/** Share of the peak at an hour of the day. */
function shapeAt({ shape, rampHours }: Course, hour: number): number {
  if (shape === 'consumer') return Math.min(1, 0.65 * bump(hour, 12.5, 3.2) + bump(hour, 20.3, 2.4));
  const present = step((hour - 8.6) / (0.22 * rampHours)) * step((17.6 - hour) / 0.45);
  return present * (1 - 0.18 * bump(hour, 12.6, 0.6)) + 0.12 * bump(hour, 19.5, 1.6);
}

/** Load minute by minute: about 1 at a usual peak, never 0. */
export function courseMinutes(
  course: Course,
  key: number,
  clocks: ReadonlyMap<string, LocalTime>,
  minutes: number,
): Float32Array {
  const { zones, floor, weekend, wander } = course;
  const load = new Float32Array(minutes);
  for (const zone of zones) {
    const clock = clocks.get(zone) as LocalTime;
    for (let minute = 0; minute < minutes; minute++) {
      const share = shapeAt(course, clock.hour(minute)) * (clock.isWeekend(minute) ? weekend : 1);
      load[minute] = (load[minute] as number) + (floor + (1 - floor) * share) / zones.length;
    }
  }
  return load.map((value, minute) => {
    const day = redNoise(key + 1, minute / 20);
    return value * Math.exp(wander * (0.7 * day + redNoise(key, minute / 2)));
  });
}

/** A HorizontalPodAutoscaler. */
export interface Autoscaler {
  readonly minReplicas: number;
  readonly maxReplicas: number;
}

/** Target of the autoscaler: load of a pod as a share of its usual peak; and the deviation that it tolerates. */
const TARGET = 0.7;
const TOLERANCE = 0.1;
/** A scale-down waits until the higher number was not needed for this time. */
const STABILIZATION_MINUTES = 5;

/** Load of all pods together, in pods at their usual peak. */
export const demandOf = (load: number, maxReplicas: number) => 0.9 * TARGET * load * maxReplicas;

/** Replicas minute by minute, for a load that takes nearly all replicas at a usual peak. */
export function replicasMinutes(load: Float32Array, { minReplicas, maxReplicas }: Autoscaler): Uint16Array {
  const replicas = new Uint16Array(load.length);
  const wanted: number[] = [];
  let current = minReplicas;
  load.forEach((value, minute) => {
    const ratio = demandOf(value, maxReplicas) / current / TARGET;
    const desired = Math.abs(ratio - 1) <= TOLERANCE ? current : Math.ceil(current * ratio);
    wanted.push(Math.min(maxReplicas, Math.max(minReplicas, desired)));
    if (wanted.length > STABILIZATION_MINUTES) wanted.shift();
    current = Math.min(2 * current, Math.max(...wanted));
    replicas[minute] = current;
  });
  return replicas;
}

/** A course as it is drawn for a workload: of one place, or now and then of two. */
export function drawCourse(draw: Draw, shape: 'office' | 'consumer') {
  const office = shape === 'office';
  const first = draw.pick(ZONES);
  return {
    /** One place, or two whose users come together. */
    zones: draw.chance(0.2) ? [first, draw.pick(ZONES)] : [first],
    /** People at work, or at home in the evening. */
    shape,
    /** Load at night. */
    floor: draw.log(office ? 0.05 : 0.12, 0.45),
    /** Load of a weekend's day, as a share of a weekday's. */
    weekend: office ? draw.log(0.08, 0.6) : draw.between(0.85, 1.35),
    /** How long the morning's ramp takes, in hours. */
    rampHours: draw.between(0.5, 2.5),
    /** How far days differ, and hours beyond what is usual: standard deviation of the logarithm. */
    wander: draw.log(0.03, 0.12),
  };
}
