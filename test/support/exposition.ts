/** Reads Prometheus' text format, strictly. */

/** One sample line. */
export interface ExposedSample {
  /** Of the line, which for a histogram or a summary is longer than the family's. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with its comments. */
export interface ExposedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: ExposedSample[];
}

/**
 * The families by name.
 *
 * @throws {Error} on a line that the format does not have, a family without HELP and TYPE or with two, a sample that
 *   is not below its family, a series that is there twice, and a value that is no number.
 */
export function parseExposition(text: string): Map<string, ExposedFamily> {
  if (text !== '' && !text.endsWith('\n')) throw new Error('The text does not end with a line feed.');
  const families = new Map<string, ExposedFamily>();
  const seen = new Set<string>();
  let help: { name: string; text: string } | undefined;
  let family: ExposedFamily | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment;
      if (kind === 'HELP') help = { name, text: rest };
      else {
        if (help?.name !== name) throw new Error(`${name} has a TYPE without a HELP before it.`);
        if (families.has(name)) throw new Error(`${name} is there twice.`);
        family = { name, help: help.text, type: rest, samples: [] };
        families.set(name, family);
      }
      continue;
    }
    const sample = parseSample(line);
    if (family === undefined || !belongsTo(sample.name, family)) {
      throw new Error(`The sample is not below its family: ${line}`);
    }
    const series = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(series)) throw new Error(`The series is there twice: ${line}`);
    seen.add(series);
    family.samples.push(sample);
  }
  return families;
}

function belongsTo(sample: string, { name, type }: ExposedFamily): boolean {
  if (sample === name) return true;
  const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : type === 'summary' ? ['_sum', '_count'] : [];
  return suffixes.some((suffix) => sample === name + suffix);
}

function parseSample(line: string): ExposedSample {
  // `s`: a dot is any character of a line, U+2028 too.
  const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s.exec(line);
  const [, name = '', labelText = '', valueText = ''] = match ?? [];
  const value = valueText === '+Inf' ? Infinity : valueText === '-Inf' ? -Infinity : Number(valueText);
  if (match === null || Number.isNaN(value)) throw new Error(`This is no sample: ${line}`);
  const labels: Record<string, string> = {};
  const pair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
  while (pair.lastIndex < labelText.length) {
    const position = pair.lastIndex;
    const [, label, escaped] = pair.exec(labelText) ?? [];
    if (label === undefined || escaped === undefined) {
      throw new Error(`Expected a label at ${position} of ${labelText}`);
    }
    labels[label] = escaped.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));
  }
  return { name, labels, value };
}

/** The value of a metric's only series with these labels; fails without one. */
export function exposedValue(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const samples = samplesOf(text, name).filter((sample) =>
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (samples.length !== 1) {
    throw new Error(`Expected one series ${name} ${JSON.stringify(labels)}, got ${samples.length} in\n${text}`);
  }
  return (samples[0] as ExposedSample).value;
}

/** The last text that was asked about: tests ask a text many things, one after the other. */
let parsed: { readonly text: string; readonly families: ReadonlyMap<string, ExposedFamily> } | undefined;

/** All series of a metric; none when the metric is not there. */
export function samplesOf(text: string, name: string): readonly ExposedSample[] {
  if (parsed?.text !== text) parsed = { text, families: parseExposition(text) };
  return parsed.families.get(name)?.samples ?? [];
}
