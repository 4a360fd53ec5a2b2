/** The file of every score: `case,timestamp,namespace,pod,score,flag`. */

import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { UsageError } from '../../lib/usage-error.js';
import { BIN_SECONDS, type Case } from './case.js';
import { quoteField } from './csv.js';
import type { CaseScores } from './scores.js';

const HEADER = 'case,timestamp,namespace,pod,score,flag\n';

/** Enough to tell any two scores apart that matter; a score that is not 0 stays so, with its sign. */
const SCORE_DIGITS = 7;

/** A file that grows while the evaluation runs. */
export type ScoresFile = Awaited<ReturnType<typeof openScoresFile>>;

/** @throws {UsageError} when the file of an option cannot be written. */
export function openForWriting(path: string, option: string): Promise<FileHandle> {
  return open(path, 'w').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `Expected a file that can be written in ${option}, got ${error.code} for ${path}. ` +
        'Name one in a directory that exists.',
      { cause: error },
    );
  });
}

/**
 * Begins a file of scores, compressed when its name ends in `.gz`.
 *
 * @throws {UsageError} when it cannot be written.
 */
export async function openScoresFile(path: string) {
  const file = (await openForWriting(path, '--scores')).createWriteStream();
  const rows = new PassThrough();
  const done = path.endsWith('.gz') ? pipeline(rows, createGzip(), file) : pipeline(rows, file);
  // The next write or close rejects with it; until then it must not count as an unhandled rejection.
  done.catch(() => undefined);
  rows.write(HEADER);
  return {
    /** Appends rows; resolves when the file can take more. Rejects when it cannot be written. */
    async write(text: string) {
      if (!rows.write(text)) await Promise.race([once(rows, 'drain'), done]);
    },
    async close() {
      rows.end();
      await done;
    },
  };
}

/** The rows of the scores of the minutes from `from` to before `to`, by time, then in the order of the pods. */
export function scoreRowsText(recording: Case, { detector }: CaseScores, from: number, to: number): string {
  const name = quoteField(recording.name);
  const rows: string[] = [];
  for (let minute = from; minute < to; minute++) {
    const timestamp = recording.startSeconds + minute * BIN_SECONDS;
    recording.pods.forEach(({ identity, firstMinute }, index) => {
      const score = detector[index]?.[minute - firstMinute] ?? Number.NaN;
      if (Number.isNaN(score)) return;
      const { namespace, pod } = identity;
      const rounded = Number(score.toPrecision(SCORE_DIGITS));
      rows.push(`${name},${timestamp},${namespace},${pod},${rounded},${score > 0 ? 1 : 0}\n`);
    });
  }
  return rows.join('');
}
