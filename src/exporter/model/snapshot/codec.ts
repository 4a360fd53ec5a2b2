/**
 * A model as bytes. Numbers go as raw little-endian arrays, names as lines, and the little that has a structure as
 * JSON. Not `node:v8`'s format, which belongs to a version of the engine; and not compressed: most of it is numbers
 * that do not shrink, and what is not inflated cannot explode.
 */

import { z } from 'zod';
import type { FeatureDefinition } from '../../features/catalog.js';
import type { Baseline, GroupStatistics } from '../baseline.js';
import { MINIMUM_TRAINING_SAMPLES } from '../fit.js';
import { type Forest, LARGEST_DEPTH } from '../forest.js';
import type { Model } from '../model.js';
import { LARGEST_EXCUSE_SPREADS, type Schedule, scheduleCells } from '../schedule.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { SnapshotError } from './snapshot-error.js';

/** Raise it whenever the layout of the bytes, or the meaning of anything in them, changes. */
export const MODEL_FORMAT_VERSION = 1;

/** A feature file of 1 MiB, its placeholders filled, fits several times. */
const LONGEST_DESCRIPTION_BYTES = 8 * 2 ** 20;

/** Timetables are unpacked into 60 minutes each; more than this would not fit beside the rest of the process. */
const LARGEST_TIMETABLES_BYTES = 512 * 2 ** 20;

const Feature = z.strictObject({
  name: z.string().min(1),
  unit: z.string(),
  help: z.string(),
  query: z.string(),
  podLabel: z.string().min(1),
  type: z.enum(['gauge', 'counter']),
  direction: z.enum(['both', 'up']),
  spreadFloor: z.number().positive(),
  relativeSpreadFloor: z.number().nonnegative(),
  required: z.boolean(),
}) satisfies z.ZodType<FeatureDefinition>;

const count = (smallest = 0) =>
  z
    .int()
    .min(smallest)
    .max(2 ** 32 - 1);

/** What is not an array of numbers or of names, and how long those arrays are. */
const Description = z.strictObject({
  fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
  features: z
    .array(Feature)
    .min(1)
    .max(2 ** 16),
  baseline: z.enum(['pod', 'workload', 'cluster']),
  samples: count(MINIMUM_TRAINING_SAMPLES),
  /** Pods of the training window, and the different workloads that they belong to. */
  pods: count(),
  podWorkloads: count(),
  /** Pods with statistics of their own, those of them that are established, and those that have a timetable. */
  ownPods: count(),
  establishedPods: count(),
  scheduledPods: count(),
  /** What the timetables expect, all together. */
  excuses: count(),
  /** Workloads with statistics. */
  workloads: count(),
  estimators: count(1),
  depth: z.int().min(1).max(LARGEST_DEPTH),
});

type Description = z.infer<typeof Description>;

type Values = Float64Array | Float32Array | Uint32Array | Uint16Array;

/**
 * Writes a model.
 *
 * @returns an array that owns its buffer, so that it can be transferred to another thread.
 * @throws {SnapshotError} when parts of the model do not belong together.
 */
export function encodeModel(model: Model): Uint8Array<ArrayBuffer> {
  const { baseline, forest } = model;
  const podKeys = [...model.workloads.keys()];
  const positions = new Map(podKeys.map((key, position) => [key, position]));
  const positionOf = (key: string) => {
    const position = positions.get(key);
    if (position === undefined) throw new SnapshotError(`its training window does not have the pod ${key}`);
    return position;
  };
  const podWorkloads = [...new Set(model.workloads.values())];
  const workloadPositions = new Map(podWorkloads.map((name, position) => [name, position]));
  const excuses = [...baseline.schedules.values()].map(excusesOf);
  const description: Description = {
    fingerprint: model.fingerprint,
    features: [...model.features],
    baseline: baseline.kind,
    samples: model.samples,
    pods: podKeys.length,
    podWorkloads: podWorkloads.length,
    ownPods: baseline.pods.rows.size,
    establishedPods: baseline.established.size,
    scheduledPods: baseline.schedules.size,
    excuses: excuses.reduce((sum, { cells }) => sum + cells.length, 0),
    workloads: baseline.workloads.rows.size,
    estimators: forest.estimators,
    depth: forest.depth,
  };
  const writer = new ByteWriter();
  writer.text(JSON.stringify(description));
  writer.lines(podKeys);
  writer.lines(podWorkloads);
  writer.lines(keysByRow(baseline.workloads));
  writer.numbers(
    Float64Array.of(
      model.threshold,
      model.minimumInput,
      model.windowStartSeconds,
      model.windowEndSeconds,
      forest.averagePathLength,
    ),
  );
  writer.numbers(
    Uint32Array.from(podKeys, (key) => workloadPositions.get(model.workloads.get(key) as string) as number),
  );
  if (baseline.kind !== 'cluster') {
    writer.numbers(Float64Array.from(podKeys, (key) => baseline.seenSeconds.get(key) ?? Number.NaN));
  }
  writer.numbers(Float64Array.from(baseline.fleet, ({ location }) => location));
  writer.numbers(Float64Array.from(baseline.fleet, ({ scale }) => scale));
  writer.numbers(Uint32Array.from(keysByRow(baseline.pods), positionOf));
  writer.numbers(Uint32Array.from(baseline.established, positionOf));
  for (const group of [baseline.pods, baseline.workloads]) {
    writer.numbers(group.location);
    writer.numbers(group.scale);
  }
  writer.numbers(Uint32Array.from(baseline.schedules.keys(), positionOf));
  writer.numbers(Uint32Array.from(excuses, ({ cells }) => cells.length));
  for (const { cells } of excuses) writer.numbers(cells);
  for (const { spreads } of excuses) writer.numbers(spreads);
  writer.numbers(forest.splitFeatures);
  writer.numbers(forest.splitValues);
  writer.numbers(forest.pathLengths);
  return writer.finish();
}

/**
 * Reads a model. Whatever the bytes are, the result is a model that scoring can work with, or an error, and nothing is
 * allocated that is far larger than the bytes.
 *
 * @throws {SnapshotError} the only error there is.
 */
export function decodeModel(bytes: Uint8Array): Model {
  const reader = new ByteReader(bytes);
  const description = readDescription(reader);
  const podKeys = distinct(reader.lines(description.pods), 'pod');
  const podWorkloads = reader.lines(description.podWorkloads);
  const workloadKeys = distinct(reader.lines(description.workloads), 'workload');
  const numbers = reader.float64s(5) as unknown as [number, number, number, number, number];
  const [threshold, minimumInput, windowStartSeconds, windowEndSeconds, averagePathLength] = numbers;
  check(Number.isFinite(threshold), 'its threshold is not a number');
  check(Number.isFinite(minimumInput) || minimumInput === -Infinity, 'its smallest input is not a number');
  check(Number.isFinite(windowEndSeconds - windowStartSeconds), 'its training window has no ends');
  check(windowStartSeconds <= windowEndSeconds, 'its training window ends before it begins');
  const workloadOf = reader.uint32s(description.pods);
  checkAll(workloadOf, (position) => position < podWorkloads.length, 'workloads of pods');
  const baseline = readBaseline(reader, description, podKeys, workloadKeys);
  const forest = readForest(reader, description, averagePathLength);
  reader.end();
  return {
    fingerprint: description.fingerprint,
    features: description.features,
    baseline,
    forest,
    threshold,
    minimumInput,
    windowStartSeconds,
    windowEndSeconds,
    workloads: new Map(podKeys.map((key, pod) => [key, podWorkloads[workloadOf[pod] as number] as string])),
    samples: description.samples,
    pods: description.pods,
  };
}

function readDescription(reader: ByteReader): Description {
  const text = reader.text(LONGEST_DESCRIPTION_BYTES);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new SnapshotError('its description is not JSON');
  }
  const parsed = Description.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new SnapshotError(`its description is wrong at "${issue?.path.join('.')}": ${issue?.message}`);
  }
  const { features, baseline, pods, ownPods, establishedPods, scheduledPods } = parsed.data;
  distinct(
    features.map(({ name }) => name),
    'feature',
  );
  check(ownPods <= pods, 'it has more baselines than pods');
  check(establishedPods <= ownPods && scheduledPods <= ownPods, 'it has pods without a baseline');
  check(
    baseline !== 'cluster' || (ownPods === 0 && parsed.data.workloads === 0),
    'it has baselines of pods, which its kind does not know',
  );
  check(
    scheduledPods * scheduleCells(features.length) * Float32Array.BYTES_PER_ELEMENT <=
      LARGEST_TIMETABLES_BYTES,
    'it has more timetables than fit into memory',
  );
  return parsed.data;
}

function readBaseline(
  reader: ByteReader,
  description: Description,
  podKeys: readonly string[],
  workloadKeys: readonly string[],
): Baseline {
  const width = description.features.length;
  const seenSeconds = reader.float64s(description.baseline === 'cluster' ? 0 : podKeys.length);
  checkAll(seenSeconds, (seconds) => seconds >= 0 && seconds < Infinity, 'times for which pods were seen');
  const fleetLocation = finite(reader.float64s(width), 'usual values of the fleet');
  const fleetScale = spreads(reader.float64s(width));
  const own = readPositions(reader, description.ownPods, podKeys.length);
  const established = readPositions(reader, description.establishedPods, podKeys.length);
  const keysOf = (positions: Uint32Array) => Array.from(positions, (position) => podKeys[position] as string);
  const pods = readGroup(reader, keysOf(own), width);
  const workloads = readGroup(reader, workloadKeys, width);
  const scheduled = readPositions(reader, description.scheduledPods, podKeys.length);
  const hasBaseline = new Set(own);
  for (const positions of [established, scheduled]) {
    checkAll(positions, (position) => hasBaseline.has(position), 'pods with a baseline');
  }
  return {
    kind: description.baseline,
    seenSeconds: new Map(Array.from(seenSeconds, (seconds, pod) => [podKeys[pod] as string, seconds])),
    pods,
    established: new Set(keysOf(established)),
    workloads,
    schedules: readSchedules(reader, description, keysOf(scheduled)),
    fleet: Array.from(fleetLocation, (location, column) => ({
      location,
      scale: fleetScale[column] as number,
    })),
  };
}

/** Positions of different pods. */
function readPositions(reader: ByteReader, length: number, pods: number): Uint32Array {
  const positions = reader.uint32s(length);
  const isFree = new Uint8Array(pods).fill(1);
  const take = (position: number) => {
    const free = isFree[position] === 1;
    isFree[position] = 0;
    return free;
  };
  checkAll(positions, take, 'positions of different pods');
  return positions;
}

function readGroup(reader: ByteReader, keys: readonly string[], width: number): GroupStatistics {
  return {
    location: finite(reader.float64s(keys.length * width), 'usual values'),
    scale: spreads(reader.float64s(keys.length * width)),
    rows: new Map(keys.map((key, row) => [key, row])),
  };
}

function readSchedules(
  reader: ByteReader,
  { features, excuses }: Description,
  keys: readonly string[],
): Map<string, Schedule> {
  const size = scheduleCells(features.length);
  const counts = reader.uint32s(keys.length);
  check(
    counts.reduce((sum, length) => sum + length, 0) === excuses,
    'the lengths of its timetables do not add up',
  );
  const cells = reader.uint32s(excuses);
  const values = reader.float32s(excuses);
  checkAll(cells, (cell) => cell < size, 'minutes of timetables');
  checkAll(values, (value) => value > 0 && value <= LARGEST_EXCUSE_SPREADS, 'expectations of timetables');
  let next = 0;
  return new Map(
    keys.map((key, pod) => {
      const expected = new Float32Array(size);
      for (const end = next + (counts[pod] as number); next < end; next++) {
        expected[cells[next] as number] = values[next] as number;
      }
      return [key, { expected }];
    }),
  );
}

/** Every column that a node compares is there, and walks of `depth` steps end at a leaf by the layout alone. */
function readForest(
  reader: ByteReader,
  { features, estimators, depth }: Description,
  averagePathLength: number,
): Forest {
  const leaves = 2 ** depth;
  const splitFeatures = reader.uint16s(estimators * (leaves - 1));
  checkAll(splitFeatures, (column) => column < features.length, 'features of its forest');
  const splitValues = finite(reader.float64s(estimators * (leaves - 1)), 'splits of its forest');
  const pathLengths = reader.float64s(estimators * leaves);
  checkAll(pathLengths, (length) => length >= 0 && length < Infinity, 'path lengths of its forest');
  check(averagePathLength > 0 && averagePathLength < Infinity, 'its forest has no average path length');
  return {
    estimators,
    features: features.length,
    depth,
    splitFeatures,
    splitValues,
    pathLengths,
    averagePathLength,
  };
}

/** What a timetable expects anything at: most of it is empty. */
function excusesOf({ expected }: Schedule): { readonly cells: Uint32Array; readonly spreads: Float32Array } {
  const cells = Uint32Array.from(expected.keys()).filter((cell) => expected[cell] !== 0);
  return { cells, spreads: Float32Array.from(cells, (cell) => expected[cell] as number) };
}

/** The keys of groups in the order of their rows. */
function keysByRow({ rows }: GroupStatistics): string[] {
  const keys: string[] = [];
  for (const [key, row] of rows) keys[row] = key;
  return keys;
}

function check(holds: boolean, reason: string): void {
  if (!holds) throw new SnapshotError(reason);
}

function checkAll(values: Values, holds: (value: number) => boolean, what: string): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    if (!holds(value)) throw new SnapshotError(`of its ${what}, number ${index} is ${value}`);
  }
}

function finite(values: Float64Array, what: string): Float64Array {
  checkAll(values, Number.isFinite, what);
  return values;
}

/** What is divided by. */
function spreads(values: Float64Array): Float64Array {
  checkAll(values, (value) => value > 0 && value < Infinity, 'spreads');
  return values;
}

function distinct(names: readonly string[], of: string): readonly string[] {
  if (new Set(names).size === names.length) return names;
  throw new SnapshotError(`it has a ${of} twice`);
}
