/**
 * A model on its way from the thread that trained it. Structured cloning would write every name five times, and read
 * all of it back in one go, for which a thread that serves scrapes has no time.
 */

import type { Baseline } from './baseline.js';
import type { Model } from './model.js';
import type { Schedule } from './schedule.js';

/** Names by their positions in a list, with a number each. */
interface Numbered {
  readonly positions: Uint32Array;
  readonly numbers: Float64Array;
}

/** Names of workloads by the positions of their pods. */
interface Named {
  readonly positions: Uint32Array;
  /** Positions in a list of names. */
  readonly names: Uint32Array;
}

/** What can be posted: names as two texts, one name a line, and numbers as arrays to transfer. */
export interface ModelParcel {
  readonly model: Omit<Model, 'baseline' | 'workloads'>;
  readonly baseline: Pick<Baseline, 'kind' | 'fleet'>;
  /** Pods of the training window by their keys, and workloads by theirs. */
  readonly keys: string;
  /** Workloads without their namespaces. */
  readonly names: string;
  readonly seenSeconds: Numbered;
  readonly pods: Statistics;
  readonly established: Uint32Array;
  readonly workloads: Statistics;
  readonly scheduled: Uint32Array;
  readonly schedules: readonly Schedule[];
  readonly workloadOf: Named;
}

interface Statistics {
  readonly rows: Numbered;
  readonly location: Float64Array;
  readonly scale: Float64Array;
}

const SEPARATOR = '\n';

/**
 * Packs a model. Its arrays are part of the parcel: whoever transfers `buffers` has no model any more.
 *
 * @returns the parcel, and all that is in it to transfer.
 */
export function packModel(model: Model): { parcel: ModelParcel; buffers: ArrayBuffer[] } {
  const { baseline, workloads, ...rest } = model;
  const keys = new Positions();
  const names = new Positions();
  const parcel: ModelParcel = {
    model: rest,
    baseline: { kind: baseline.kind, fleet: baseline.fleet },
    workloadOf: {
      positions: keys.ofAll(workloads.keys(), workloads.size),
      names: names.ofAll(workloads.values(), workloads.size),
    },
    seenSeconds: numbered(baseline.seenSeconds, keys),
    pods: { ...baseline.pods, rows: numbered(baseline.pods.rows, keys) },
    established: keys.ofAll(baseline.established, baseline.established.size),
    workloads: { ...baseline.workloads, rows: numbered(baseline.workloads.rows, keys) },
    scheduled: keys.ofAll(baseline.schedules.keys(), baseline.schedules.size),
    schedules: [...baseline.schedules.values()],
    keys: keys.toText(),
    names: names.toText(),
  };
  return { parcel, buffers: buffersIn(parcel) };
}

/**
 * Unpacks a model part by part.
 *
 * @param pause is awaited between the parts, so that other work has its turn.
 */
export async function unpackModel(parcel: ModelParcel, pause: () => Promise<unknown>): Promise<Model> {
  const keys = parcel.keys.split(SEPARATOR);
  const names = parcel.names.split(SEPARATOR);
  await pause();
  const seenSeconds = readNumbered(parcel.seenSeconds, keys);
  await pause();
  const pods = { ...parcel.pods, rows: readNumbered(parcel.pods.rows, keys) };
  await pause();
  const established = new Set<string>();
  for (const position of parcel.established) established.add(keys[position] as string);
  await pause();
  const workloads = { ...parcel.workloads, rows: readNumbered(parcel.workloads.rows, keys) };
  const schedules = new Map<string, Schedule>();
  for (const [index, schedule] of parcel.schedules.entries()) {
    schedules.set(keys[parcel.scheduled[index] as number] as string, schedule);
  }
  await pause();
  const workloadOf = new Map<string, string>();
  for (const [index, position] of parcel.workloadOf.positions.entries()) {
    workloadOf.set(keys[position] as string, names[parcel.workloadOf.names[index] as number] as string);
  }
  return {
    ...parcel.model,
    baseline: { ...parcel.baseline, seenSeconds, pods, established, workloads, schedules },
    workloads: workloadOf,
  };
}

/** Different texts, numbered as they come. */
class Positions {
  readonly #positions = new Map<string, number>();

  ofAll(texts: Iterable<string>, count: number): Uint32Array {
    const positions = new Uint32Array(count);
    let index = 0;
    for (const text of texts) {
      const known = this.#positions.get(text);
      positions[index++] = known ?? this.#positions.size;
      if (known === undefined) this.#positions.set(text, this.#positions.size);
    }
    return positions;
  }

  toText(): string {
    return [...this.#positions.keys()].join(SEPARATOR);
  }
}

function numbered(map: ReadonlyMap<string, number>, keys: Positions): Numbered {
  return {
    positions: keys.ofAll(map.keys(), map.size),
    numbers: Float64Array.from(map.values()),
  };
}

function readNumbered({ positions, numbers }: Numbered, keys: readonly string[]): Map<string, number> {
  const map = new Map<string, number>();
  for (let index = 0; index < positions.length; index++) {
    map.set(keys[positions[index] as number] as string, numbers[index] as number);
  }
  return map;
}

/** The buffers of all arrays within a value, each once. */
function buffersIn(value: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) buffersIn(part, found);
  }
  return [...found];
}
