/** A history of workloads as bytes: the content of its file. */

import { finishInTurns } from '../../../lib/steps.js';
import type { FeatureDefinition } from '../../features/catalog.js';
import { HOURS_PER_DAY } from '../../history/grid.js';
import {
  COLUMN_NAMES,
  cellsPerRow,
  HISTORY_COLUMNS,
  type HistoryColumnName,
  type HistoryColumns,
  type HistoryState,
} from '../../history/workload-history.js';
import { type Dtype, decodeText, type Tensor, type TensorFile, writeTensorsInSteps } from './safetensors.js';
import { readSealed, type Seal, sealOf, withChecksumInTurns } from './seal.js';
import { check } from './snapshot-error.js';

/** What a history is made from. One that was made from anything else is another history. */
export interface HistoryConfiguration {
  readonly features: readonly FeatureDefinition[];
  /** What distinguishes the data's source from others, without secrets: its URL. */
  readonly source: readonly string[];
}

/** Raise it whenever the columns, or the meaning of anything in them, change. */
const FORMAT_VERSION = 2;

const dtypeOf = (name: HistoryColumnName): Dtype => (name === 'levels' ? 'U16' : 'U8');

/** Keys of the workloads (`namespace/name`), UTF-8, with line ends (U+000A) between them. */
const WORKLOADS = 'workloads';

/** The most days that a history is read with: far more than may be set. */
const MOST_DAYS = 366;

/** An unknown hour among `U32`: -1 in two's complement. */
const asUnsigned = ({ buffer, byteOffset, length }: Int32Array) => new Uint32Array(buffer, byteOffset, length);

/** Writes a history; `pause` is awaited every few milliseconds, so that other work has its turn. */
export async function encodeHistory(
  state: HistoryState,
  configuration: HistoryConfiguration,
  pause: () => Promise<unknown>,
): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = new Map<string, Tensor>();
  const add = (name: string, dtype: Dtype, data: Tensor['data']) =>
    tensors.set(name, { dtype, shape: [data.length], data });
  for (const name of COLUMN_NAMES) add(name, dtypeOf(name), state.columns[name]);
  add('hours', 'U32', asUnsigned(state.hours));
  add('pods', 'U32', state.pods);
  add('groups', 'U32', state.groups);
  add(WORKLOADS, 'U8', new TextEncoder().encode(state.workloads.join('\n')));
  const metadata = { ...sealOf(sealFor(configuration)), days: String(state.days) };
  return withChecksumInTurns(await finishInTurns(writeTensorsInSteps({ metadata, tensors }), pause), pause);
}

/**
 * Reads a history. Whatever the bytes are, the result is a history that can be gone on with, or an error, and nothing
 * is allocated that is far larger than the bytes. The arrays share memory with them.
 *
 * @throws {SnapshotError} with the reason why it is not to be used; there is no other error.
 */
export function decodeHistory(bytes: Uint8Array, configuration: HistoryConfiguration): HistoryState {
  const { metadata, tensors } = readSealed(
    bytes,
    sealFor(configuration),
    'it was made with other settings (features, queries, or the address of Prometheus)',
  );
  const days = Number(metadata.days);
  check(Number.isInteger(days) && days >= 1 && days <= MOST_DAYS, `it is of "${metadata.days}" days`);
  const axes = { days, ...featureNames(configuration) };
  const workloads = readWorkloads(tensors);
  const hours = days * HOURS_PER_DAY;
  const groups = readArray(tensors, 'groups', 'U32', undefined) as Uint32Array;
  // Ascending, so that none comes twice.
  groups.forEach((row, group) => {
    check(row < workloads.length && row > (groups[group - 1] ?? -1), `its groups[${group}] is ${row}`);
  });
  const cells = cellsPerRow(axes);
  const rows = { workloads, groups };
  const columns = COLUMN_NAMES.map((name) => {
    return [name, readArray(tensors, name, dtypeOf(name), rows[HISTORY_COLUMNS[name].rows].length * cells[name])];
  });
  const unsigned = readArray(tensors, 'hours', 'U32', hours) as Uint32Array;
  const known = new Int32Array(unsigned.buffer, unsigned.byteOffset, unsigned.length);
  known.forEach((hour, slot) => {
    check(hour === -1 || (hour >= 0 && hour % hours === slot), `its hours[${slot}] is ${hour}`);
  });
  const pods = readArray(tensors, 'pods', 'U32', hours) as Uint32Array;
  check(tensors.size === COLUMN_NAMES.length + 4, `it has ${tensors.size} arrays`);
  return {
    ...axes,
    workloads,
    groups,
    hours: known,
    pods,
    columns: Object.fromEntries(columns) as unknown as HistoryColumns,
  };
}

/** Only what a history depends on: a text that describes a feature may change. */
function sealFor({ features, source }: HistoryConfiguration): Seal {
  const read = features.map(({ name, query, podLabel, type, spreadFloor, required }) => [
    ...[name, query, podLabel],
    ...[type, spreadFloor, required],
  ]);
  return {
    version: FORMAT_VERSION,
    configuration: { content: 'history', features: read, source, columns: HISTORY_COLUMNS },
  };
}

/** The names of the features of a history, as summaries have them. */
export function featureNames({ features }: Pick<HistoryConfiguration, 'features'>) {
  const namesOf = (type: FeatureDefinition['type']) =>
    features.filter((one) => one.type === type).map(({ name }) => name);
  return { gauges: namesOf('gauge'), counters: namesOf('counter') };
}

/** @param length any if unset. */
function readArray(
  tensors: TensorFile['tensors'],
  name: string,
  dtype: Dtype,
  length: number | undefined,
): Tensor['data'] {
  const tensor = tensors.get(name);
  check(tensor !== undefined, `it has no ${name}`);
  const found = `${tensor.dtype} [${tensor.data.length}]`;
  check(
    tensor.dtype === dtype && tensor.data.length === (length ?? tensor.data.length),
    `its ${name} are ${found} where ${dtype} [${length}] is expected`,
  );
  return tensor.data;
}

function readWorkloads(tensors: TensorFile['tensors']): string[] {
  const data = tensors.get(WORKLOADS)?.data;
  check(data instanceof Uint8Array, `it has no ${WORKLOADS}`);
  let text = '';
  try {
    text = decodeText(data);
  } catch {
    check(false, `its ${WORKLOADS} are not UTF-8`);
  }
  const workloads = text === '' ? [] : text.split('\n');
  check(new Set(workloads).size === workloads.length, `its ${WORKLOADS} have a line twice`);
  return workloads;
}
