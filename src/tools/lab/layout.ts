/** Which columns of a file are read, and what features they become. */

import { buildCatalog, type FeatureDefinition } from '../../exporter/features/catalog.js';
import { DataError, UsageError } from '../../lib/usage-error.js';

/** How the samples of one minute become one value. */
export type Reduction = 'mean' | 'last';

export interface Column {
  readonly source: string;
  readonly position: number;
  readonly feature: FeatureDefinition;
  readonly reduction: Reduction;
  /** The feature's floor is still to be derived from the data of the first hour. */
  readonly floorFromData: boolean;
}

/** Where everything stands in a row. */
export interface Layout {
  readonly fields: number;
  readonly timestamp: number;
  readonly namespace: number;
  readonly pod: number;
  readonly columns: readonly Column[];
}

/** A row needs these. */
const KEY_COLUMNS = ['timestamp', 'namespace', 'pod'] as const;

/** Smallest spread of a share of a limit, in percentage points: many sources round to whole ones. */
const PERCENT_SPREAD_FLOOR = 1;

/** Columns of the built-in features; of several for one feature, the first that is there. */
const SOURCES = [
  { name: 'cpu_cores', of: 'cpu', reduction: 'mean', percent: false },
  { name: 'cpu_pct_of_limit', of: 'cpu', reduction: 'mean', percent: true },
  { name: 'cpu_usage_pct_of_limit', of: 'cpu', reduction: 'mean', percent: true },
  { name: 'memory_bytes', of: 'memory', reduction: 'last', percent: false },
  { name: 'memory_pct_of_limit', of: 'memory', reduction: 'last', percent: true },
  { name: 'memory_usage_pct_of_limit', of: 'memory', reduction: 'last', percent: true },
  { name: 'restarts', of: 'restarts', reduction: 'last', percent: false },
] as const;

/** The features that serve scrapes. Their queries are not asked here, so the options of the queries do not matter. */
const CATALOG = buildCatalog({ namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' });

/** What to read of a file besides what its header offers. */
export interface LayoutRequest {
  /** The file, for messages. */
  readonly file: string;
  /** Columns to use as features besides the built-in ones. */
  readonly additional: readonly string[];
  /** Columns that are known to hold no value in this file: as if they were not there. */
  readonly empty: ReadonlySet<string>;
}

/**
 * Finds the columns to read.
 *
 * @param header the fields of the file's first line.
 * @throws {DataError} when a row could not be placed, or nothing could be judged.
 * @throws {UsageError} when an additional column is not there, or is used anyway.
 */
export function chooseLayout(header: readonly string[], request: LayoutRequest): Layout {
  const missing = KEY_COLUMNS.filter((name) => !header.includes(name));
  if (missing.length > 0) {
    throw new DataError(
      `Expected the columns ${KEY_COLUMNS.join(', ')} in ${request.file}, got no ${missing.join(', no ')} in the ` +
        `header "${quoteHeader(header)}". Write a header line, and one row for each pod and time.`,
    );
  }
  const [timestamp = -1, namespace = -1, pod = -1] = KEY_COLUMNS.map((name) => header.indexOf(name));
  const columns = [...builtInColumns(header, request), ...additionalColumns(header, request)];
  return { fields: header.length, timestamp, namespace, pod, columns };
}

function builtInColumns(header: readonly string[], { file, empty }: LayoutRequest): Column[] {
  const columns = CATALOG.flatMap((feature): Column[] => {
    const source = SOURCES.find(({ name, of }) => of === feature.name && header.includes(name) && !empty.has(name));
    if (source === undefined) return [];
    const { name, reduction, percent } = source;
    const ofLimit = percent && { unit: 'percent', spreadFloor: PERCENT_SPREAD_FLOOR };
    const position = header.indexOf(name);
    return [{ source: name, position, feature: { ...feature, ...ofLimit }, reduction, floorFromData: false }];
  });
  if (!columns.some(({ feature }) => feature.required)) {
    const without = empty.size > 0 ? ` (no value in any row: ${[...empty].join(', ')})` : '';
    throw new DataError(
      `Expected cpu_cores or cpu_pct_of_limit, and memory_bytes or memory_pct_of_limit, in ${file}, got the header ` +
        `"${quoteHeader(header)}"${without}. Name the columns so.`,
    );
  }
  return columns;
}

function additionalColumns(header: readonly string[], { file, additional, empty }: LayoutRequest): Column[] {
  return additional.flatMap((name) => {
    const position = header.indexOf(name);
    if (position < 0) {
      throw new UsageError(
        `Expected the column ${name} (--columns) in ${file}, got the header "${quoteHeader(header)}". ` +
          'Name columns that every file has.',
      );
    }
    if (empty.has(name)) return [];
    const feature: FeatureDefinition = {
      name,
      unit: 'units',
      help: `Column ${name}`,
      query: name,
      podLabel: 'pod',
      type: 'gauge',
      direction: 'both',
      spreadFloor: 1,
      relativeSpreadFloor: 0.1,
      required: false,
    };
    return [{ source: name, position, feature, reduction: 'mean', floorFromData: true } as const];
  });
}

/**
 * The names in `--columns`.
 *
 * @param text names with commas between them; `undefined` or empty for none.
 * @throws {UsageError} for a name that comes twice or is taken.
 */
export function parseAdditionalColumns(text: string | undefined): readonly string[] {
  const names = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const taken = new Set<string>([...KEY_COLUMNS, ...CATALOG.map(({ name }) => name)]);
  for (const { name, percent } of SOURCES) if (!percent) taken.add(name);
  for (const name of names) {
    if (taken.has(name)) {
      throw new UsageError(
        `Expected names of further columns in --columns, each once, got "${name}", which is used already. Leave it out.`,
      );
    }
    taken.add(name);
  }
  return names;
}

function quoteHeader(header: readonly string[]): string {
  const text = header.join(',');
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
