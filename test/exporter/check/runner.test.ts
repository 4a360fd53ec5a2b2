import { expect } from 'chai';
import { CHECKS } from '../../../src/exporter/check/checks.js';
import type { Facts } from '../../../src/exporter/check/facts.js';
import { CheckRunner } from '../../../src/exporter/check/runner.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { CONDITIONS, FINE, featuresWith, known, unknown } from '../../support/check-facts.js';
import { recordingLogger } from '../../support/recording-logger.js';
import { gate } from '../../support/waiting.js';

const LATE: Facts = { ...FINE, clock: known({ skewSeconds: 90, uncertaintySeconds: 0 }) };

describe('CheckRunner: the findings of a running service', () => {
  const runnerOf = () => {
    const logger = recordingLogger();
    const now = { milliseconds: 1_000_000 };
    const gathering = { gather: async (_: AbortSignal): Promise<Facts> => FINE };
    const runner = new CheckRunner({
      inspect: async (signal) => ({ facts: await gathering.gather(signal), conditions: CONDITIONS }),
      logger,
      now: () => now.milliseconds,
    });
    const later = async (seconds = 3600) => {
      now.milliseconds += 1000 * seconds;
      await runner.afterTraining(true);
    };
    const severityOf = (check: string) =>
      runner.state().findings.find(({ finding }) => finding.check === check)?.finding.severity;
    return { runner, logger, now, gathering, later, severityOf };
  };

  it('are none before the first time, then all of them, with their time', async () => {
    const { runner } = runnerOf();
    expect(runner.state()).to.deep.equal({
      findings: [],
      lastSuccessSeconds: undefined,
      lastError: undefined,
    });
    await runner.afterTraining(true);
    const { findings, lastSuccessSeconds } = runner.state();
    expect(findings.map(({ finding }) => finding.check)).to.deep.equal(CHECKS.map(({ id }) => id));
    expect(new Set(findings.map(({ timeSeconds }) => timeSeconds))).to.deep.equal(new Set([1000]));
    expect(lastSuccessSeconds).to.equal(1000);
  });

  it('stay as they are, with their age, while Prometheus is away', async () => {
    const { runner, gathering, later, severityOf, logger } = runnerOf();
    gathering.gather = async () => LATE;
    await runner.afterTraining(true);
    gathering.gather = async () => {
      throw new PrometheusError('refused', 'Nobody there.');
    };
    await later();
    expect(severityOf('clock')).to.equal('error');
    expect(runner.state().lastSuccessSeconds).to.equal(1000);
    expect(runner.state().lastError).to.deep.equal({ message: 'Nobody there.', timeSeconds: 4600 });
    expect(logger.lines.filter(({ level }) => level === 'error')).to.deep.equal([]);
  });

  it('stay as they are when Prometheus goes away in the middle', async () => {
    const { runner, gathering, later, severityOf } = runnerOf();
    await runner.afterTraining(true);
    const error = new PrometheusError('unavailable', 'Prometheus is shutting down.');
    const away = { ...unknown(error.message), error };
    gathering.gather = async () => ({ ...LATE, features: featuresWith({ memory: away }) });
    await later();
    expect(severityOf('queries')).to.equal('ok');
    expect(severityOf('clock')).to.equal('ok');
    expect(runner.state().lastError?.message).to.equal('Prometheus is shutting down.');
  });

  it('change where the query is to blame', async () => {
    const { runner, gathering, later, severityOf } = runnerOf();
    await runner.afterTraining(true);
    const error = new PrometheusError('unprocessable', 'Too many samples.');
    const refused = { ...unknown(error.message), error };
    gathering.gather = async () => ({ ...FINE, features: featuresWith({ memory: refused }) });
    await later();
    expect(severityOf('queries')).to.equal('error');
  });

  it('keep what cannot be judged this time', async () => {
    const { runner, gathering, later } = runnerOf();
    await runner.afterTraining(true);
    gathering.gather = async () => ({ ...FINE, clock: unknown() });
    await later();
    const times = runner.state().findings.map(({ finding, timeSeconds }) => [finding.check, timeSeconds]);
    expect(times).to.deep.include(['clock', 1000]).and.to.deep.include(['history', 4600]);
  });

  it('are logged when they change, and only then', async () => {
    const { runner, gathering, later, logger } = runnerOf();
    await runner.afterTraining(true);
    expect(logger.lines).to.deep.equal([]);
    gathering.gather = async () => LATE;
    await later();
    await later();
    gathering.gather = async () => FINE;
    await later();
    const lines = logger.lines.map(({ level, message }) => [level, message.slice(0, 20)]);
    expect(lines).to.deep.equal([
      ['warn', 'The clock of Prometh'],
      ['info', 'Resolved: clock. Our'],
    ]);
  });

  it('are gathered once at a time, and not more than once a minute', async () => {
    const { runner, gathering, now } = runnerOf();
    const held = gate();
    let gathered = 0;
    gathering.gather = async () => {
      gathered++;
      await held.opened;
      return LATE;
    };
    const both = Promise.all([runner.afterTraining(true), runner.afterTraining(true)]);
    held.open();
    await both;
    now.milliseconds += 59_000;
    await runner.afterTraining(false);
    expect(gathered).to.equal(1);
    now.milliseconds += 2_000;
    await runner.afterTraining(true);
    expect(gathered).to.equal(2);
  });

  describe('cost Prometheus as much as a training', () => {
    const countingRunner = () => {
      const made = runnerOf();
      const counts = { gathered: 0 };
      const found = { facts: FINE };
      made.gathering.gather = async () => {
        counts.gathered++;
        return found.facts;
      };
      return { ...made, counts, found };
    };

    it('so they are gathered once an hour while there is no error', async () => {
      const { later, counts } = countingRunner();
      for (let quarter = 0; quarter < 9; quarter++) await later(900);
      expect(counts.gathered).to.equal(3);
    });

    it('after each training while one is an error', async () => {
      const { later, counts, found } = countingRunner();
      found.facts = LATE;
      for (let quarter = 0; quarter < 4; quarter++) await later(900);
      expect(counts.gathered).to.equal(4);
    });

    it('after each training that failed, and after a check that failed', async () => {
      const { runner, gathering, later, now, counts } = countingRunner();
      await later(900);
      now.milliseconds += 900_000;
      await runner.afterTraining(false);
      expect(counts.gathered).to.equal(2);
      const { gather } = gathering;
      gathering.gather = () => Promise.reject(new PrometheusError('refused', 'Nobody there.'));
      await later(3600);
      gathering.gather = gather;
      await later(900);
      expect(counts.gathered).to.equal(3);
      await later(900);
      expect(counts.gathered).to.equal(3);
    });

    it('and after the clock was set back', async () => {
      const { later, counts } = countingRunner();
      await later(900);
      await later(-7200);
      expect(counts.gathered).to.equal(2);
    });
  });

  it('end with the service, without a word', async () => {
    const { runner, gathering, logger } = runnerOf();
    gathering.gather = (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new PrometheusError('aborted', 'Stopped.')));
      });
    const refreshing = runner.afterTraining(true);
    await runner.stop();
    await refreshing;
    expect(runner.state().lastError).to.equal(undefined);
    expect(logger.lines).to.deep.equal([]);
    gathering.gather = async () => FINE;
    await runner.afterTraining(true);
    expect(runner.state().findings).to.deep.equal([]);
  });

  it('report an error of the program', async () => {
    const { runner, gathering, logger } = runnerOf();
    gathering.gather = async () => {
      throw new TypeError('x is not a function');
    };
    await runner.afterTraining(true);
    expect(logger.lines.map(({ level }) => level)).to.deep.equal(['error']);
  });
});
