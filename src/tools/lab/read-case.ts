/** Reads the files of a directory, one at a time, as streams. */

import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError, UsageError } from '../../lib/usage-error.js';
import type { Case } from './case.js';
import { CaseBuilder, type CaseDetails } from './case-builder.js';
import { parseHeader, splitLines } from './csv.js';
import { chooseLayout } from './layout.js';

export interface CaseFile {
  /** Name of the file without its endings: the name of the case. */
  readonly name: string;
  readonly path: string;
  /** Size on disk, for estimates of the time left. */
  readonly bytes: number;
}

const CASE_FILE = /\.csv(\.gz)?$/i;

/**
 * The files of a directory that hold cases, by name.
 *
 * @throws {UsageError} when the directory cannot be read.
 * @throws {DataError} when it holds none, or two of the same name.
 */
export async function listCases(directory: string): Promise<readonly CaseFile[]> {
  const entries = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `Expected a readable directory in --data, got ${error.code ?? 'unknown error'} for ${directory}. ` +
        'Name one with CSV files and a labels.json.',
      { cause: error },
    );
  });
  const names = entries.filter((name) => CASE_FILE.test(name)).sort();
  if (names.length === 0) {
    throw new DataError(
      `Expected files that end in .csv or .csv.gz in ${directory}, got none. Name another directory with --data.`,
    );
  }
  const files: CaseFile[] = [];
  for (const fileName of names) {
    const name = fileName.replace(CASE_FILE, '');
    if (files.some((file) => file.name === name)) {
      throw new DataError(
        `Expected one file for the case ${name} in ${directory}, got two. Remove ${fileName} or the other one.`,
      );
    }
    const path = join(directory, fileName);
    files.push({ name, path, bytes: (await stat(path)).size });
  }
  return files;
}

export interface ReadOptions extends Pick<CaseDetails, 'learningMinutes' | 'workloads'> {
  /** Columns to use as features besides the built-in ones. */
  readonly additional: readonly string[];
  /** Receives the share of the file that has been read, in [0, 1]. */
  readonly onProgress: (share: number) => void;
  /** Ends the reading early. */
  readonly signal: AbortSignal;
}

/**
 * Reads a file into a case. A column without any value is as good as not there: the file is then read again without
 * it, so that another column for the same feature is found.
 *
 * @throws {DataError} when the file has no header, or lacks a column that is needed.
 * @throws {UsageError} when it lacks an additional column.
 */
export async function readCase(file: CaseFile, options: ReadOptions): Promise<Case> {
  const empty = new Set<string>();
  for (;;) {
    const builder = await readLines(file, options, empty);
    const newlyEmpty = builder.emptyColumns();
    if (newlyEmpty.length === 0) return builder.build({ ...options, name: file.name, emptyColumns: [...empty] });
    for (const name of newlyEmpty) empty.add(name);
  }
}

async function readLines(
  file: CaseFile,
  { additional, onProgress, signal }: ReadOptions,
  empty: ReadonlySet<string>,
): Promise<CaseBuilder> {
  let builder: CaseBuilder | undefined;
  let overlongLines = 0;
  let isWhole = true;
  const pieces = readPieces(file, onProgress, () => {
    isWhole = false;
  });
  for await (const lines of splitLines(pieces, () => overlongLines++)) {
    signal.throwIfAborted();
    for (const line of lines) {
      if (builder !== undefined) builder.addLine(line);
      else if (line.trim() !== '') {
        builder = new CaseBuilder(chooseLayout(parseHeader(line), { file: file.path, additional, empty }));
      }
    }
  }
  if (builder === undefined) {
    throw new DataError(
      `Expected a header line in ${file.path}, got ${isWhole ? 'an empty file' : 'no readable line'}. Remove it.`,
    );
  }
  for (let line = 0; line < overlongLines; line++) builder.defect('overlong_line');
  if (!isWhole) builder.defect('unreadable_rest');
  return builder;
}

/** First bytes of every gzip file (RFC 1952). */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/** The text of a file, decompressed by what it is, not by what it is called. */
async function* readPieces(
  { path, bytes }: CaseFile,
  onProgress: (share: number) => void,
  onDamage: () => void,
): AsyncGenerator<string> {
  const compressed = await startsWith(path, GZIP_MAGIC);
  const file = createReadStream(path);
  const text: Readable = compressed ? file.pipe(createGunzip()) : file;
  text.setEncoding('utf8');
  file.on('error', (error) => text.destroy(error));
  try {
    for await (const piece of text) {
      yield piece as string;
      onProgress(bytes > 0 ? file.bytesRead / bytes : 1);
    }
  } catch (error) {
    if (!(error as NodeJS.ErrnoException).code?.startsWith('Z_')) throw error;
    onDamage();
  } finally {
    file.destroy();
  }
}

async function startsWith(path: string, magic: Buffer): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(magic.length), 0, magic.length, 0);
    return buffer.equals(magic);
  } finally {
    await file.close();
  }
}
