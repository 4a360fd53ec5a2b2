import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import type { Settings } from '../../../src/exporter/config/settings.js';
import { type DemoOptions, runDemo } from '../../../src/tools/demo/command.js';
import { listen } from '../../../src/tools/demo/listen.js';
import { rejection } from '../../support/rejection.js';

/** Runs the demo with the real exporter until its output matches, then as Ctrl-C would end it. */
async function runUntil(pattern: RegExp, options: Partial<DemoOptions>, terminal: object = {}): Promise<string> {
  const stop = new AbortController();
  const stdout = Object.assign(new PassThrough({ encoding: 'utf8' }), terminal);
  let written = '';
  stdout.on('data', (text: string) => {
    written += text;
    if (pattern.test(written)) stop.abort();
  });
  const environment = { PATH: process.env.PATH, NAMESPACE_REGEX: 'nowhere' };
  await runDemo({ port: 0, speed: 8, prometheus: false, ...options }, { stdout, signal: stop.signal, environment });
  stdout.end();
  await once(stdout, 'end');
  return written;
}

describe('the demo', () => {
  it('detects every incident, and never the database nor the daily job, as lines where there is no terminal', async () => {
    const output = await runUntil(/(DETECTED[\s\S]*){4}/, {});
    for (const title of ['runaway CPU', 'memory leak', 'crash loop', 'one bad replica']) {
      expect(output).to.contain(`DETECTED ${title} on `);
    }
    expect(output).to.match(/http:\/\/127\.0\.0\.1:\d+\/detect/);
    expect(output, output).to.match(
      /4 of 4 incidents detected.*postgres-0.*never flagged\..*backup-0.*never flagged\.\n$/,
    );
    expect(output).to.match(/^Under way: memory leak on payments\/ledger-1, for /m);
    expect(output).to.match(/ History: [\d.]+ days?\b/);
    // Passes come once a minute.
  }).timeout(180_000);

  it('paints a screen on a terminal, within its width', async () => {
    const output = await runUntil(/Flagged now: \d/, {}, { isTTY: true, columns: 60, rows: 40 });
    const [, ...screens] = output.split('\x1b[H');
    expect(screens).not.to.have.lengthOf(0);
    for (const line of screens[0]?.split('\n') ?? []) {
      const [first = '', ...sequences] = line.split('\x1b');
      const visible = [first, ...sequences.map((sequence) => sequence.replace(/^\[[0-9;]*[A-Za-z]/, ''))].join('');
      expect(visible.length).to.be.below(60);
    }
  });

  it('says which program is missing for a real Prometheus', async () => {
    const surroundings = { stdout: new PassThrough(), signal: new AbortController().signal, environment: {} };
    const run = runDemo({ port: 0, speed: 1, prometheus: true }, surroundings);
    expect((await rejection(run, Error)).message)
      .to.contain('`prometheus` on the PATH')
      .and.to.contain('Install');
  });

  it('tells of its option where its port is taken', async () => {
    const other = await listen(() => undefined);
    const port = Number(new URL(other.url).port);
    try {
      const surroundings = {
        stdout: new PassThrough(),
        signal: new AbortController().signal,
        environment: {},
      };
      const error = await rejection(runDemo({ port, speed: 1, prometheus: false }, surroundings), Error);
      expect(error.message).to.equal(
        `Port ${port} is taken by another program. Stop it, or choose another one with --port (0 takes a free one).`,
      );
    } finally {
      await other.close();
    }
  });

  it('stops what it had started when the exporter cannot start', async () => {
    const surroundings = { stdout: new PassThrough(), signal: new AbortController().signal, environment: {} };
    let prometheusUrl = '';
    const run = runDemo({ port: 0, speed: 1, prometheus: false }, surroundings, async (settings: Settings) => {
      prometheusUrl = settings.prometheusUrl;
      throw new Error('The port is taken.');
    });
    expect((await rejection(run, Error)).message).to.equal('The port is taken.');
    await rejection(fetch(prometheusUrl), Error);
  });
});
