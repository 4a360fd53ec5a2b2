/** The faults that were injected: `labels.json`. */

import { join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../../lib/usage-error.js';
import { type Counts, count } from './counts.js';
import { readJson } from './read-json.js';

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

export interface Labels {
  readonly faults: readonly Fault[];
  /** Entries that say too little, by reason. */
  readonly malformed: Counts;
}

/** Types of fault that act on CPU or memory itself, so that a detector has no excuse. */
const MUST_TOUCH_TYPE = /^(?:cpu_contention|cpu_consumed|cpu_load|mem_load)$/;

/** Columns by whose change a fault is visible to this detector. */
const VISIBLE_COLUMN = /^(cpu|memory|restarts)/;

/**
 * Reads the labels of a directory.
 *
 * @throws {DataError} when there is no such file, or it is no list of faults.
 */
export async function readLabels(directory: string): Promise<Labels> {
  const path = join(directory, 'labels.json');
  const content = await readJson(directory, 'labels.json', { advice: 'Write [] into it for data without faults.' });
  try {
    return parseLabels(content);
  } catch (error) {
    throw new DataError(`Expected a JSON list of faults in ${path}, got: ${(error as Error).message} Fix the file.`, {
      cause: error,
    });
  }
}

/** A text; anything else is as good as absent. */
const TEXT = z.string().min(1).optional().catch(undefined);

/** An entry of the list. The message of a rule is the reason for which an entry is malformed. */
const ENTRY = z
  .object(
    {
      case: z.string('no_case').min(1, 'no_case'),
      namespace: TEXT,
      pod: TEXT,
      fault_type: TEXT,
      fault: TEXT,
      start: z.number('no_time'),
      end: z.number('no_time'),
      visible: z.unknown().optional(),
    },
    'not_an_object',
  )
  .refine(({ start, end }) => end > start, 'ends_before_start');

/**
 * Understands the content of a labels file: a list, or an object with a list under `faults`. Entries without a case
 * or a time are counted and left out.
 *
 * @throws {TypeError} when there is no list.
 */
export function parseLabels(content: unknown): Labels {
  const entries = isObject(content) ? content.faults : content;
  if (!Array.isArray(entries)) throw new TypeError(`a ${typeof entries} where the list should be.`);
  const malformed = new Map<string, number>();
  const faults = entries.flatMap((entry) => {
    const { data, error } = ENTRY.safeParse(entry);
    if (data !== undefined) return [faultOf(data)];
    count(malformed, error.issues[0]?.message ?? 'malformed');
    return [];
  });
  return { faults, malformed };
}

function faultOf({ fault_type: type = 'unknown', fault: id, start, end, ...entry }: z.infer<typeof ENTRY>): Fault {
  const visible = says(entry.visible);
  return {
    case: entry.case.replace(/\.csv(\.gz)?$/i, ''),
    namespace: entry.namespace,
    pod: entry.pod,
    type,
    id,
    startSeconds: start,
    endSeconds: end,
    visible,
    mustTouch: visible && MUST_TOUCH_TYPE.test(type),
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
