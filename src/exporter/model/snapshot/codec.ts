/** A model as bytes: the same for the file and for the way from the thread that trains to the one that serves. */

import { z } from 'zod';
import { finish, finishInTurns } from '../../../lib/steps.js';
import type { FeatureDefinition } from '../../features/catalog.js';
import { MINIMUM_TRAINING_SAMPLES } from '../fit.js';
import { LARGEST_DEPTH } from '../forest.js';
import { patternCells } from '../hourly-pattern.js';

import type { AcceptedLevel, Model } from '../model.js';
import { RECENT_SAMPLES } from '../recent.js';
import { COLUMNS, type Column, type Columns, type Dimension, nameOfKey, type Sizes } from '../rows.js';
import { SEASON_SLOTS } from '../season.js';
import { VIEWS } from '../view-list.js';
import { decodeText, readTensors, type Tensor, type TensorFile, writeTensors } from './safetensors.js';
import { check, SnapshotError } from './snapshot-error.js';

const Feature = z.strictObject({
  name: z.string().min(1),
  unit: z.string(),
  help: z.string(),
  query: z.string(),
  podLabel: z.string().min(1),
  type: z.enum(['gauge', 'counter']),
  direction: z.enum(['both', 'up', 'brief_falls']),
  spreadFloor: z.number().positive(),
  relativeSpreadFloor: z.number().nonnegative(),
  required: z.boolean(),
}) satisfies z.ZodType<FeatureDefinition>;

const AcceptedLevelSchema = z.strictObject({
  workload: z.string(),
  feature: z.string(),
  factor: z.number().positive(),
  beganSeconds: z.number(),
  acceptedSeconds: z.number(),
  withRelease: z.boolean(),
}) satisfies z.ZodType<AcceptedLevel>;

/** What is not a column: the plain values of a model in their order, then what stands elsewhere in it. */
const Description = z.strictObject({
  fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
  features: z
    .array(Feature)
    .min(1)
    .max(2 ** 16),
  remembers: z.boolean(),
  knownHours: z.int().min(0),
  alertBudgetPerDay: z.number().positive(),
  acceptedLevels: z.array(AcceptedLevelSchema).max(1000),
  threshold: z.number(),
  sensitivity: z.number().positive(),
  windowStartSeconds: z.number(),
  windowEndSeconds: z.number(),
  samples: z.int().min(MINIMUM_TRAINING_SAMPLES),
  pods: z.int().min(0),
  baseline: z.enum(['pod', 'workload', 'cluster']),
  /** `null`: any input may do. */
  minimumInput: z.number().nullable(),
  averagePathLength: z.number().positive(),
  /** `null`: not known. */
  expectedMessagesPerDay: z.number().min(0).nullable(),
  recentExceedingPerDay: z.number().min(0).nullable(),
});

type Description = z.infer<typeof Description>;

/** Names of all pods, of their workloads, and of the workloads with limits: `namespace/name`, UTF-8, with line ends (U+000A) between them. */
const POD_KEYS = 'pods.keys';
const WORKLOAD_KEYS = 'workloads.keys';
const LIMIT_KEYS = 'limits.keys';
const KEY_LISTS = 3;

/** Where the description stands, as JSON. */
const DESCRIPTION = 'model';

/** Keys that become rows at a stretch: a few milliseconds of work. */
const KEYS_PER_TURN = 16_384;

/** Writes a model, after other texts, to an array that owns its buffer: it can be transferred to another thread. */
export function encodeModel(model: Model, metadata: Readonly<Record<string, string>> = {}): Uint8Array<ArrayBuffer> {
  const { baseline, forest, limits, fleet, minimumInput, expectedMessagesPerDay, recentExceedingPerDay, ...values } =
    model;
  const orNull = (value: number) => (Number.isNaN(value) ? null : value);
  const description: Description = {
    ...values,
    features: [...model.features],
    acceptedLevels: [...model.acceptedLevels],
    baseline: baseline.kind,
    minimumInput: minimumInput === Number.NEGATIVE_INFINITY ? null : minimumInput,
    averagePathLength: forest.averagePathLength,
    expectedMessagesPerDay: orNull(expectedMessagesPerDay),
    recentExceedingPerDay: orNull(recentExceedingPerDay),
  };
  const leaves = 2 ** forest.depth;
  const sizes: Sizes = {
    pods: baseline.pods.keys.length,
    workloads: baseline.workloads.keys.length,
    patterns: baseline.patterns.cell.length,
    limits: limits.keys.length,
    samples: RECENT_SAMPLES,
    slots: SEASON_SLOTS,
    sides: 2,
    views: VIEWS.length,
    features: model.features.length,
    trees: forest.estimators,
    nodes: leaves - 1,
    leaves,
  };
  const tables: AllColumns = { ...baseline, forest, limits, fleet };
  const tensors = new Map<string, Tensor>();
  for (const { name, table, field, dtype, shape } of COLUMN_LIST) {
    const data = (tables[table] as Record<string, Tensor['data']>)[field] as Tensor['data'];
    tensors.set(name, { dtype, shape: shape.map((dimension) => sizes[dimension]), data });
  }
  tensors.set(POD_KEYS, textTensor(baseline.pods.keys));
  tensors.set(WORKLOAD_KEYS, textTensor(baseline.workloads.keys));
  tensors.set(LIMIT_KEYS, textTensor(limits.keys));
  return writeTensors({ metadata: { ...metadata, [DESCRIPTION]: JSON.stringify(description) }, tensors });
}

/** All columns of a model, by table. */
type AllColumns = { readonly [Table in keyof typeof COLUMNS]: Columns<(typeof COLUMNS)[Table]> };

/** Columns with their names in the file. */
const COLUMN_LIST = Object.entries(COLUMNS).flatMap(([table, columns]) =>
  Object.entries(columns as Readonly<Record<string, Column>>).map(([field, column]) => ({
    name: `${table}.${field}`,
    table: table as keyof typeof COLUMNS,
    field,
    ...column,
  })),
);

function textTensor(lines: readonly string[]): Tensor {
  const data = new TextEncoder().encode(lines.join('\n'));
  return { dtype: 'U8', shape: [data.length], data };
}

/**
 * Reads a model. Whatever the bytes are, the result is a model that scoring can work with, or an error, and nothing is
 * allocated that is far larger than the bytes. The arrays of the model share memory with them.
 *
 * @throws {SnapshotError} the only error there is.
 */
export function decodeModel(bytes: Uint8Array): Model {
  return finish(decodeInSteps(readTensors(bytes)));
}

/** Does the same; `pause` is awaited every few milliseconds, so that other work has its turn. */
export async function decodeModelInTurns(bytes: Uint8Array, pause: () => Promise<unknown>): Promise<Model> {
  return finishInTurns(decodeInSteps(readTensors(bytes)), pause);
}

function* decodeInSteps({ metadata, tensors }: TensorFile): Generator<undefined, Model> {
  const description = readDescription(metadata[DESCRIPTION]);
  const {
    baseline: kind,
    minimumInput,
    averagePathLength,
    expectedMessagesPerDay,
    recentExceedingPerDay,
    ...values
  } = description;
  const { features } = values;
  const sizes = new Map<Dimension, number>([
    ['features', features.length],
    ['samples', RECENT_SAMPLES],
    ['slots', SEASON_SLOTS],
    ['sides', 2],
    ['views', VIEWS.length],
  ]);
  const tables = Object.fromEntries(Object.keys(COLUMNS).map((table) => [table, {}]));
  for (const column of COLUMN_LIST) {
    (tables[column.table] as Record<string, unknown>)[column.field] = readColumn(tensors, column, sizes);
    yield;
  }
  check(
    tensors.size === COLUMN_LIST.length + KEY_LISTS,
    `it has ${tensors.size} arrays where ${COLUMN_LIST.length + KEY_LISTS} are expected`,
  );
  const { pods, workloads, patterns, global, forest, limits, fleet } = tables as unknown as AllColumns;
  const sizeOf = (dimension: Dimension) => sizes.get(dimension) ?? 0;
  checkRows({ pods, workloads, patterns }, description, sizeOf('workloads'));
  yield;
  const podRows = yield* readKeys(tensors.get(POD_KEYS), POD_KEYS, sizeOf('pods'));
  const workloadRows = yield* readKeys(tensors.get(WORKLOAD_KEYS), WORKLOAD_KEYS, sizeOf('workloads'));
  const limitRows = yield* readKeys(tensors.get(LIMIT_KEYS), LIMIT_KEYS, sizeOf('limits'));
  const depth = Math.log2(sizeOf('leaves'));
  check(Number.isInteger(depth) && depth >= 1 && depth <= LARGEST_DEPTH, 'its forest has a wrong depth');
  check(sizeOf('nodes') === sizeOf('leaves') - 1 && sizeOf('trees') >= 1, 'its forest has no whole trees');
  checkAll('forest.splitFeatures', forest.splitFeatures, (column) => column < features.length);
  return {
    ...values,
    baseline: {
      kind,
      pods: { ...pods, ...podRows },
      workloads: { ...workloads, ...workloadRows, names: workloadRows.keys.map(nameOfKey) },
      patterns,
      global,
    },
    // Walks of `depth` steps end at a leaf by the layout alone.
    forest: { ...forest, estimators: sizeOf('trees'), features: features.length, depth, averagePathLength },
    limits: { ...limits, ...limitRows },
    fleet,
    expectedMessagesPerDay: expectedMessagesPerDay ?? Number.NaN,
    recentExceedingPerDay: recentExceedingPerDay ?? Number.NaN,
    minimumInput: minimumInput ?? Number.NEGATIVE_INFINITY,
  };
}

function readDescription(text: string | undefined): Description {
  let json: unknown;
  try {
    json = JSON.parse(text ?? '');
  } catch {
    throw new SnapshotError('its description is not JSON');
  }
  const parsed = Description.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new SnapshotError(`its description is wrong at "${issue?.path.join('.')}": ${issue?.message}`);
  }
  const { features, windowStartSeconds, windowEndSeconds } = parsed.data;
  check(new Set(features.map(({ name }) => name)).size === features.length, 'it has a feature twice');
  check(windowStartSeconds <= windowEndSeconds, 'its training window ends before it begins');
  return parsed.data;
}

/**
 * A column whose numbers are valid, each by itself.
 *
 * @param sizes is added to: of several columns with a dimension in common, the first says how long it is.
 */
function readColumn(
  tensors: TensorFile['tensors'],
  { name, isValid, ...column }: (typeof COLUMN_LIST)[number],
  sizes: Map<Dimension, number>,
): Tensor['data'] {
  const tensor = tensors.get(name);
  check(tensor !== undefined, `it has no ${name}`);
  const { dtype, shape, data } = tensor;
  const expected = column.shape.map((dimension, axis) => {
    const size = sizes.get(dimension) ?? shape[axis] ?? 0;
    sizes.set(dimension, size);
    return size;
  });
  check(
    dtype === column.dtype && shape.join() === expected.join(),
    `its ${name} are ${dtype} [${shape}] where ${column.dtype} [${expected}] is expected`,
  );
  checkAll(name, data, isValid);
  return data;
}

/** What must hold between columns. */
function checkRows(
  { pods, workloads, patterns }: Pick<AllColumns, 'pods' | 'workloads' | 'patterns'>,
  { features, baseline }: Description,
  workloadCount: number,
): void {
  checkAll('pods.workload', pods.workload, (row) => row < workloadCount);
  let end = 0;
  pods.patternEnd.forEach((next, pod) => {
    check(next >= end, `its pods.patternEnd[${pod}] is ${next}, which is before ${end}`);
    check(next === end || pods.flags[pod] !== 0, `its pod ${pod} has an hourly pattern without a baseline`);
    end = next;
  });
  check(end === patterns.cell.length, `its hourly patterns end at ${end} of ${patterns.cell.length}`);
  const cells = patternCells(features.length);
  checkAll('patterns.cell', patterns.cell, (cell) => cell < cells);
  check(
    baseline !== 'cluster' || !(pods.flags.some(Boolean) || workloads.members.some(Boolean)),
    'it has baselines of pods, which its kind does not know',
  );
}

function* readKeys(
  tensor: Tensor | undefined,
  name: string,
  count: number,
): Generator<undefined, { keys: string[]; rows: Map<string, number> }> {
  check(tensor?.data instanceof Uint8Array, `it has no ${name}`);
  let text: string;
  try {
    text = decodeText(tensor.data);
  } catch {
    throw new SnapshotError(`its ${name} are not UTF-8`);
  }
  yield;
  // The limit keeps many line ends from becoming a long list.
  const keys = count === 0 && text === '' ? [] : text.split('\n', count + 1);
  check(keys.length === count, `its ${name} are not ${count} lines`);
  yield;
  const rows = new Map<string, number>();
  for (let row = 0; row < count; row++) {
    if (row % KEYS_PER_TURN === KEYS_PER_TURN - 1) yield;
    rows.set(keys[row] as string, row);
  }
  check(rows.size === count, `its ${name} have a line twice`);
  return { keys, rows };
}

function checkAll(name: string, values: Tensor['data'], isValid: (value: number) => boolean): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    if (!isValid(value)) throw new SnapshotError(`its ${name}[${index}] is ${value}`);
  }
}
