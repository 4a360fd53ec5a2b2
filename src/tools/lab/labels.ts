/** The faults that were injected: `labels.json`. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../lib/usage-error.js';
import { type Counts, count } from './counts.js';

/** A fault on a pod. */
export interface Fault {
  /** Name of the case, as of its file. */
  readonly case: string;
  /** `undefined`: the pod's name alone tells. */
  readonly namespace: string | undefined;
  /** `undefined`: no pod is named; the time is ignored all the same. */
  readonly pod: string | undefined;
  readonly type: string;
  /** The same for all labels of one fault that hits several pods; `undefined`: a fault of its own. */
  readonly id: string | undefined;
  /** Unix time in seconds; the end is not part of the fault. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** The pod's CPU or memory (or restarts) visibly left its usual range. */
  readonly visible: boolean;
  /** Visible, and of a type that acts on CPU or memory itself. */
  readonly mustTouch: boolean;
}

/** What a labels file says. */
export interface Labels {
  readonly faults: readonly Fault[];
  /** Entries that say too little, by reason. */
  readonly malformed: Counts;
}

/** Types of fault that act on CPU or memory itself, so that a detector has no excuse. */
const MUST_TOUCH_TYPES: ReadonlySet<string> = new Set([
  'cpu_contention',
  'cpu_consumed',
  'cpu_load',
  'mem_load',
]);

/** Columns by whose change a fault is visible to this detector. */
const VISIBLE_COLUMN = /^(cpu|memory|restarts)/;

/**
 * Reads the labels of a directory.
 *
 * @throws {DataError} when there is no such file, or it is no list of faults.
 */
export async function readLabels(directory: string): Promise<Labels> {
  const path = join(directory, 'labels.json');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new DataError(
      `Expected a list of the injected faults in ${path}, got ${error.code}. Write [] into it for data without faults.`,
      { cause: error },
    );
  });
  try {
    return parseLabels(JSON.parse(text));
  } catch (error) {
    throw new DataError(
      `Expected a JSON list of faults in ${path}, got: ${(error as Error).message} Fix the file.`,
      { cause: error },
    );
  }
}

/**
 * Understands the content of a labels file: a list, or an object with a list under `faults`. Entries without a case
 * or a time are counted and left out.
 *
 * @throws {TypeError} when there is no list.
 */
export function parseLabels(content: unknown): Labels {
  const entries = isObject(content) ? content.faults : content;
  if (!Array.isArray(entries)) throw new TypeError(`a ${typeof entries} where the list should be.`);
  const faults: Fault[] = [];
  const malformed = new Map<string, number>();
  for (const entry of entries as readonly unknown[]) {
    const parsed = parseFault(entry);
    if (typeof parsed === 'string') count(malformed, parsed);
    else faults.push(parsed);
  }
  return { faults, malformed };
}

/** A fault, or why the entry is invalid. */
function parseFault(entry: unknown): Fault | string {
  if (!isObject(entry)) return 'not_an_object';
  const { case: caseName, namespace, pod, fault_type: type, fault: id, start, end, visible } = entry;
  if (typeof caseName !== 'string' || caseName === '') return 'no_case';
  if (!isFiniteNumber(start) || !isFiniteNumber(end)) return 'no_time';
  if (end <= start) return 'ends_before_start';
  const isVisible = says(visible);
  return {
    case: caseName.replace(/\.csv(\.gz)?$/i, ''),
    namespace: textOrNothing(namespace),
    pod: textOrNothing(pod),
    type: textOrNothing(type) ?? 'unknown',
    id: textOrNothing(id),
    startSeconds: start,
    endSeconds: end,
    visible: isVisible,
    mustTouch: isVisible && MUST_TOUCH_TYPES.has(String(type)),
  };
}

/** `visible` maps columns to whether they show the fault; `null` is not known, which is not `true`. */
function says(visible: unknown): boolean {
  if (!isObject(visible)) return visible === true;
  return Object.entries(visible).some(([column, shows]) => shows === true && VISIBLE_COLUMN.test(column));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
