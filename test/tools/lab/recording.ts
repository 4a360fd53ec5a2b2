/** Short ways to write cases, files and faults. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Case } from '../../../src/tools/lab/case.js';
import { CaseBuilder } from '../../../src/tools/lab/case-builder.js';
import type { Fault } from '../../../src/tools/lab/labels.js';
import { chooseLayout } from '../../../src/tools/lab/layout.js';

/** A whole hour, so that minutes of a case are minutes of the clock. */
export const START = 1_700_000_400 - (1_700_000_400 % 3600);

/** A pod's CPU and memory by minute; `undefined` where it has no sample. */
export interface WrittenPod {
  readonly pod: string;
  readonly at: (minute: number) => readonly [cpu: number, memory: number] | undefined;
}

/** A case with one sample a minute, namespace `ns`, cores and bytes. */
export function recordingOf(minutes: number, pods: readonly WrittenPod[], name = 'case'): Case {
  const header = ['timestamp', 'namespace', 'pod', 'cpu_cores', 'memory_bytes'];
  const builder = new CaseBuilder(chooseLayout(header, { file: name, additional: [], empty: new Set() }));
  for (let minute = 0; minute < minutes; minute++) {
    for (const { pod, at } of pods) {
      const values = at(minute);
      if (values !== undefined) builder.addLine([START + 60 * minute, 'ns', pod, ...values].join(','));
    }
  }
  return builder.build({ name, emptyColumns: [], learningMinutes: 60, workloads: new Map() });
}

/** A fault on a pod of namespace `ns`, by minutes of the case. */
export function faultOn(pod: string, startMinute: number, endMinute: number, changes: Partial<Fault> = {}): Fault {
  return {
    case: 'case',
    namespace: 'ns',
    pod,
    type: 'cpu_load',
    id: undefined,
    startSeconds: START + 60 * startMinute,
    endSeconds: START + 60 * endMinute,
    visible: true,
    mustTouch: true,
    ...changes,
  };
}

/** Runs `work` with a new directory of these files, then removes it. Names that end in `.gz` are compressed. */
export async function withFiles<Result>(
  files: Readonly<Record<string, string | Buffer>>,
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'evaluation-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      const isText = typeof content === 'string';
      await writeFile(join(directory, name), isText && name.endsWith('.gz') ? gzipSync(content) : content);
    }
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}
