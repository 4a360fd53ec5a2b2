import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { tuningAt, UNTUNED } from '../../../src/exporter/tuning/tuning.js';
import { loadTuningFile, openTuningFile, parseTuningFile } from '../../../src/exporter/tuning/tuning-file.js';
import { MistakesError } from '../../../src/lib/usage-error.js';
import { type RecordingLogger, recordingLogger } from '../../support/recording-logger.js';
import { rejection } from '../../support/rejection.js';
import { eventually } from '../../support/waiting.js';

// This file runs as dist/test/exporter/tuning/tuning-file.test.js.
const example = new URL('../../../../deploy/examples/tuning.yaml', import.meta.url);

const parse = (text: string) => parseTuningFile(text, 'tuning.yaml');

/** Unix seconds of an instant. */
const at = (instant: string) => Date.parse(instant) / 1000;

/** The mistakes of a text, without the name of the file. */
function mistakesOf(text: string): readonly string[] {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error;
    for (const mistake of error.mistakes) expect(mistake).to.match(/^tuning\.yaml:\d+:\d+: /);
    return error.mistakes.map((mistake) => mistake.slice('tuning.yaml:'.length));
  }
  return expect.fail('expected the text to be refused');
}

describe('the tuning file', () => {
  it('says for each pod what counts, and which line says so', () => {
    const { layersOf } = parse(
      [
        'rules:',
        '  - match: { namespace: "ci-.*" }',
        '    ignore: true',
        '  - match: { namespace: ci-keep }',
        '    ignore: false',
        '    sensitivity: 8',
        '  - match: { pod: ".*-0" }',
        '    mute:',
        '      - {}',
      ].join('\n'),
    );
    const tuned = (namespace: string, pod: string) => tuningAt(layersOf({ namespace, pod, workload: 'w' }), 0);
    expect(tuned('shop', 'a-1')).to.equal(UNTUNED);
    expect(tuned('ci-1', 'a-1')).to.deep.equal({ ...UNTUNED, ignoredBy: 'tuning.yaml:2:5' });
    expect(tuned('ci-keep', 'a-1')).to.deep.equal({ ...UNTUNED, sensitivity: 8 });
    expect(tuned('ci-keep', 'a-0')).to.deep.equal({ ...UNTUNED, sensitivity: 8, mutedBy: 'tuning.yaml:7:5' });
  });

  it('may have no rules', () => {
    expect(parse('rules: []').rules).to.deep.equal([]);
  });

  it('names the place of every mistake, all at once', () => {
    const text = [
      'rules:',
      '  - match: { namespace: "shop(" }',
      '    ignore: yes please',
      '  - match: {}',
      '    sensitivity: 41',
      '  - match: { workloads: cart }',
      '    mut: []',
      '  - sensitivity: 8',
      '  - match: { namespace: shop }',
      '  - match: { pod: 7 }',
      '    mute:',
      '      - { weekdays: [sunday, someday], location: Berlin }',
      '      - { times: [{ start_time: "22:00", end_time: "02:00" }] }',
      '      - { until: tomorrow, day: 1 }',
      '      - always',
      '  - text',
      'rule: 1',
    ].join('\n');
    const keys = '`weekdays`, `times`, `days_of_month`, `months`, `years`, `location`, `from`, `until`';
    expect(mistakesOf(text)).to.deep.equal([
      '2:25: namespace: expected a regular expression in RE2 syntax that matches the whole name, got `(` without `)`. Example: namespace: shop-.*',
      '3:13: ignore: expected `true` or `false`, got "yes please". Example: ignore: true',
      '4:12: match: expected a mapping with `namespace`, `workload`, `pod` or several of them, got a mapping. Example: match: { namespace: shop, workload: cart }',
      '5:18: sensitivity: expected a number of usual spreads from 1 to 40, got 41. Example: sensitivity: 8',
      '6:14: expected one of the keys `namespace`, `workload`, `pod`, got `workloads`. Did you mean `workload`?',
      '7:5: expected one of the keys `match`, `ignore`, `sensitivity`, `mute`, got `mut`. Did you mean `mute`?',
      '8:5: match: expected a mapping with `namespace`, `workload`, `pod` or several of them, got nothing. Example: match: { namespace: shop, workload: cart }',
      '9:5: expected a rule that sets `ignore`, `sensitivity`, `mute`, or several of them, got one that sets nothing.',
      '10:19: pod: expected a regular expression as text, got 7. Example: pod: shop-.*',
      `12:30: weekdays: expected a list of weekdays or ranges of them, got "someday". Example: weekdays: ['monday:friday', sunday]`,
      '12:50: location: expected the name of a time zone, got "Berlin". Example: location: Europe/Berlin',
      '13:19: times: expected a list of times of the day, the start before the end, got a mapping. Example: times: [{ start_time: "22:00", end_time: "24:00" }]',
      '14:18: until: expected a time with its zone, or Unix seconds, later than `from`, got "tomorrow". Example: until: 2026-11-30T02:00:00Z',
      `14:28: expected one of the keys ${keys}, got \`day\`.`,
      `15:9: mute: expected a mapping with the keys ${keys}, got "always".`,
      '16:5: expected a mapping with the keys `match`, `ignore`, `sensitivity`, `mute`, got "text".',
      '17:1: expected one of the keys `rules`, got `rule`. Did you mean `rules`?',
    ]);
  });

  for (const [what, text, mistake] of [
    ['nothing', '', '1:1: expected a mapping with the key `rules`, got nothing.'],
    ['a list', '- x', '1:1: expected a mapping with the key `rules`, got a list.'],
    ['a mapping of rules', 'rules: {}', '1:8: expected `rules` to be a list of rules, got a mapping.'],
    ['no rules', 'rules:', '1:7: expected `rules` to be a list of rules, got nothing.'],
    [
      'too many rules',
      `rules:\n${'- { match: { pod: a }, ignore: true }\n'.repeat(1001)}`,
      '1002:3: expected at most 1000 rules, got 1001.',
    ],
    ['too deep a nesting', '['.repeat(9999), '1:101: expected at most 100 levels of nesting, got more.'],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(mistakesOf(text)).to.deep.equal([mistake]);
    });
  }

  it('names a file that cannot be read', async () => {
    const { mistakes } = await rejection(loadTuningFile('/nowhere/tuning.yaml'), MistakesError);
    expect(mistakes).to.deep.equal([
      'TUNING_FILE: cannot read /nowhere/tuning.yaml: no such file. Example: TUNING_FILE="/etc/detector/tuning.yaml"',
    ]);
  });

  it('works as the example says', () => {
    const { layersOf } = parse(readFileSync(example, 'utf8'));
    const tuned = (namespace: string, workload: string, instant: string, pod = `${workload}-0`) =>
      tuningAt(layersOf({ namespace, workload, pod }), at(instant));
    const NOON = '2026-11-24T12:00:00Z';
    expect(tuned('ci-7', 'runner', NOON).ignoredBy).to.match(/^tuning\.yaml:\d+:5$/);
    expect(tuned('shop', 'search-indexer', NOON)).to.deep.equal({ ...UNTUNED, sensitivity: 8 });
    expect(tuned('shop', 'cart', NOON)).to.equal(UNTUNED);
    // 00:30 in Berlin, until 01:30.
    expect(tuned('shop', 'database', '2026-11-24T23:30:00Z').mutedUntilSeconds).to.equal(at('2026-11-25T00:30:00Z'));
    // 23:45, over midnight.
    expect(tuned('shop', 'database', '2026-11-24T22:45:00Z').mutedUntilSeconds).to.equal(at('2026-11-25T00:30:00Z'));
    expect(tuned('shop', 'database', NOON).mutedBy).to.equal(undefined);
    expect(tuned('shop', 'database', '2026-11-30T17:30:00Z').mutedUntilSeconds).to.equal(at('2026-11-30T21:00:00Z'));
    expect(tuned('shop', 'database', '2026-11-30T01:00:00Z').mutedUntilSeconds).to.equal(at('2026-11-30T02:00:00Z'));
    expect(tuned('any', 'x', '2026-11-28T12:00:00Z', 'load-test-1').mutedUntilSeconds).to.equal(
      at('2026-11-30T00:00:00Z'),
    );
  });

  describe('while the process runs', () => {
    let folder: string;
    let logger: RecordingLogger;
    let nowMilliseconds: number;
    const file = () => join(folder, 'tuning.yaml');
    const write = (text: string) => writeFileSync(file(), text);
    const open = async (path = file()) => {
      const live = await openTuningFile(path, { logger, now: () => nowMilliseconds });
      return live ?? expect.fail('expected a file');
    };
    const ruleOf = (namespace: string) => `rules: [{ match: { namespace: ${namespace} }, ignore: true }]`;
    const isIgnored = (live: Awaited<ReturnType<typeof open>>, namespace: string) =>
      live.current.layersOf({ namespace, workload: 'w', pod: 'p' }).length > 0;

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-tuning-'));
      logger = recordingLogger();
      nowMilliseconds = 1_000_000;
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it('is nothing without a path', async () => {
      expect(await openTuningFile('', { logger, now: () => 0 })).to.equal(undefined);
    });

    it('does not begin with a file that is wrong', async () => {
      write('rules: 1');
      await rejection(open(), MistakesError);
    });

    it('takes over what changes, and keeps what counted while the file is wrong', async () => {
      write(ruleOf('shop'));
      const live = await open();
      expect([isIgnored(live, 'shop'), isIgnored(live, 'pay')]).to.deep.equal([true, false]);
      nowMilliseconds = 2_000_000;
      write('rules: [{ match: { namespace: pay } }]');
      await live.refresh();
      expect(isIgnored(live, 'shop')).to.equal(true);
      expect(live.state).to.deep.equal({ successful: false, lastSuccessSeconds: 1_000 });
      expect(live.failure).to.include('tuning.yaml:1:9: expected a rule that sets');
      expect(logger.lines.map(({ level, message }) => [level, message.split('\n')[0]])).to.deep.equal([
        [
          'warn',
          `Reloading the tuning file failed; the previous one stays active. 1 mistake in the tuning file ${file()}:`,
        ],
      ]);
      nowMilliseconds = 3_000_000;
      write(ruleOf('pay'));
      await live.refresh();
      expect([isIgnored(live, 'shop'), isIgnored(live, 'pay')]).to.deep.equal([false, true]);
      expect(live.state).to.deep.equal({ successful: true, lastSuccessSeconds: 3_000 });
      expect(logger.lines.at(-1)?.message).to.equal('Reloaded the tuning file.');
      live.close();
    });

    it('finds a change by itself, as Kubernetes makes it in a ConfigMap', async () => {
      // The file is a link to a link of a folder, and the folder is replaced.
      const version = (name: string, text: string) => {
        mkdirSync(join(folder, name));
        writeFileSync(join(folder, name, 'tuning.yaml'), text);
        symlinkSync(name, join(folder, '..data_tmp'));
        renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
      };
      version('..one', ruleOf('shop'));
      symlinkSync(join('..data', 'tuning.yaml'), file());
      const live = await open();
      version('..two', ruleOf('pays'));
      rmSync(join(folder, '..one'), { recursive: true });
      await eventually(async () => expect(isIgnored(live, 'pays')).to.equal(true));
      expect(isIgnored(live, 'shop')).to.equal(false);
      live.close();
    });
  });
});
