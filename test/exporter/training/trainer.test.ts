import { expect } from 'chai';
import type { Model } from '../../../src/exporter/model/model.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import type { TrainingResult } from '../../../src/exporter/training/job.js';
import { Trainer, type TrainerOptions } from '../../../src/exporter/training/trainer.js';
import { type RecordingLogger, recordingLogger } from '../../support/recording-logger.js';
import { eventually, gate, within } from '../../support/waiting.js';

/** Of a model the trainer reads what it logs. */
const modelNamed = (fingerprint: string) => ({ fingerprint, samples: 100, pods: 5 }) as unknown as Model;

const resultNamed = (fingerprint: string, ...warnings: string[]): TrainingResult => ({
  model: modelNamed(fingerprint),
  plan: 'Every sample is used.',
  warnings,
});

const NEXT_RUN = new Date('2026-01-01T12:15:00Z');
const INTERVAL_SECONDS = 600;

/** What every training brings besides its result. */
const SNAPSHOT = Uint8Array.of(1);

/** A trainer with everything around it in the hands of the test. */
class Workshop {
  readonly logger: RecordingLogger = recordingLogger();
  readonly delays: number[] = [];
  readonly trainer: Trainer;
  /** Unix time in milliseconds. */
  now = 1_000_000;
  /** What the schedule calls, once it is started. */
  tick: (dueSeconds?: number) => Promise<unknown> = () => Promise.reject(new Error('The schedule was not started.'));
  scheduled = false;
  /** What the schedule tells. */
  intervalSeconds: number | undefined = INTERVAL_SECONDS;
  /** What each training was told of the time until the next. */
  readonly untilNextSeconds: number[] = [];
  /** What each training was told of when it was due, Unix time in seconds. */
  readonly dueSeconds: number[] = [];
  /** What was saved, in the order of the trainings. */
  readonly saved: { readonly snapshot: Uint8Array; readonly trainedSeconds: number }[] = [];
  save: NonNullable<TrainerOptions['save']> = async (snapshot, trainedSeconds) => {
    this.saved.push({ snapshot, trainedSeconds });
  };
  /** Trainings that run at this moment, the most at once, and all so far. */
  running = 0;
  mostAtOnce = 0;
  started = 0;
  delay: TrainerOptions['delay'] = async (milliseconds) => {
    this.delays.push(milliseconds);
    // Lets others work in between, as a real delay does.
    await new Promise((resolve) => setImmediate(resolve));
  };

  constructor(train: (...parameters: Parameters<TrainerOptions['train']>) => Promise<TrainingResult>) {
    this.trainer = new Trainer({
      logger: this.logger,
      now: () => this.now,
      delay: (milliseconds, signal) => this.delay(milliseconds, signal),
      startSchedule: (work) => {
        this.tick = (dueSeconds = this.now / 1000) => work(dueSeconds);
        this.scheduled = true;
        return {
          nextRun: () => NEXT_RUN,
          intervalSeconds: () => this.intervalSeconds,
          dueSince: (seconds) => Math.round((this.now / 1000 - seconds) / 100),
          stop: () => {
            this.scheduled = false;
          },
        };
      },
      save: (snapshot, trainedSeconds) => this.save(snapshot, trainedSeconds),
      train: async (signal, occasion) => {
        this.started++;
        this.untilNextSeconds.push(occasion.untilNextTrainingSeconds);
        this.dueSeconds.push(occasion.dueSeconds);
        this.mostAtOnce = Math.max(this.mostAtOnce, ++this.running);
        try {
          const result = await train(signal, occasion);
          return { ...result, trainedSeconds: this.now / 1000, snapshot: SNAPSHOT };
        } finally {
          this.running--;
        }
      },
    });
  }
}

describe('trainer', () => {
  it('trains at start again and again until there is a model, twice as long apart each time', async () => {
    let failures = 9;
    const workshop = new Workshop(async () => {
      if (failures-- > 0) throw new Error('Not yet.');
      return resultNamed('first');
    });
    workshop.trainer.start();
    await eventually(() => expect(workshop.trainer.model).to.deep.equal(modelNamed('first')));
    expect(workshop.delays).to.deep.equal([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(workshop.trainer.state()).to.include({ runs: 10, failures: 9, lastSucceeded: true });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(workshop.started).to.equal(10);
  });

  it('waits as long as Prometheus asks for, up to a quarter of an hour, and never less than it would', async () => {
    const asked = [7, 0.5, undefined, 86_400];
    const workshop = new Workshop(async () => {
      if (asked.length > 0) {
        throw new PrometheusError('rate_limited', 'Too many requests.', { retryAfterSeconds: asked.shift() });
      }
      return resultNamed('first');
    });
    workshop.trainer.start();
    await eventually(() => expect(workshop.trainer.model).to.deep.equal(modelNamed('first')));
    expect(workshop.delays).to.deep.equal([7_000, 2_000, 4_000, 15 * 60_000]);
  });

  it('keeps the old model when a training fails, and says so', async () => {
    let failing = false;
    const workshop = new Workshop(async () => {
      if (failing) throw new Error('Prometheus is away.');
      return resultNamed('old');
    });
    expect(await workshop.trainer.train()).to.equal(true);
    failing = true;
    expect(await workshop.trainer.train()).to.equal(false);
    expect(workshop.trainer.model).to.deep.equal(modelNamed('old'));
    expect(workshop.logger.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).to.deep.equal([
      'Training failed. Keeping the old model. Prometheus is away.',
    ]);
  });

  it('does not retry by itself after a success: the schedule does', async () => {
    let failing = false;
    const workshop = new Workshop(async () => {
      if (failing) throw new Error('Prometheus is away.');
      return resultNamed('first');
    });
    workshop.trainer.start();
    await eventually(() => expect(workshop.trainer.state().runs).to.equal(1));
    failing = true;
    await workshop.tick();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(workshop).to.include({ started: 2 });
    expect(workshop.delays).to.deep.equal([]);
  });

  it('scores with a restored model at once, and trains at start all the same, until that has succeeded', async () => {
    let failures = 2;
    const workshop = new Workshop(async () => {
      if (failures-- > 0) throw new Error('Not yet.');
      return resultNamed('fresh');
    });
    const patience = gate();
    const { delay } = workshop;
    workshop.delay = async (milliseconds, signal) => {
      await delay(milliseconds, signal);
      await patience.opened;
    };
    workshop.trainer.restore({ model: modelNamed('restored'), trainedSeconds: 500, bytes: Uint8Array.of(1) });
    expect(workshop.trainer.snapshot).to.deep.equal(Uint8Array.of(1));
    expect(workshop.trainer.model).to.deep.equal(modelNamed('restored'));
    expect(workshop.trainer.state()).to.deep.include({
      model: { origin: 'snapshot', trainedSeconds: 500 },
      lastSucceeded: undefined,
      lastSuccessSeconds: undefined,
    });
    workshop.trainer.start();
    await eventually(() => expect(workshop.trainer.state().failures).to.equal(1));
    expect(workshop.trainer.state().model).to.deep.equal({ origin: 'snapshot', trainedSeconds: 500 });
    patience.open();
    await eventually(() => expect(workshop.trainer.model).to.deep.equal(modelNamed('fresh')));
    expect(workshop.trainer.state().model).to.deep.equal({ origin: 'training', trainedSeconds: 1_000 });
    expect(workshop.delays).to.deep.equal([1_000, 2_000]);
    expect(workshop.logger.lines[0]?.message).to.equal('Training failed. Keeping the old model. Not yet.');
  });

  it('saves a model when it already scores, with the time of its training, and is busy until then', async () => {
    const saving = gate();
    const workshop = new Workshop(async () => {
      workshop.now += 2_500;
      return resultNamed('fine');
    });
    const { save } = workshop;
    workshop.save = async (snapshot, trainedSeconds) => {
      await save(snapshot, trainedSeconds);
      await saving.opened;
    };
    const trained = workshop.trainer.train();
    await eventually(() => expect(workshop.saved).to.have.lengthOf(1));
    expect(workshop.trainer.model).to.deep.equal(modelNamed('fine'));
    expect(workshop.trainer.state()).to.include({ running: true, runs: 1, lastSuccessSeconds: 1_002.5 });
    saving.open();
    expect(await trained).to.equal(true);
    expect(workshop.saved).to.deep.equal([{ snapshot: SNAPSHOT, trainedSeconds: 1_002.5 }]);
  });

  it('trains for the time at which the schedule was due, not for the one at which it came to it', async () => {
    const workshop = new Workshop(async () => resultNamed('fine'));
    workshop.trainer.start();
    await eventually(() => expect(workshop.trainer.state().runs).to.equal(1));
    workshop.now = 1_800_350;
    await workshop.tick(1_800);
    expect(workshop.dueSeconds).to.deep.equal([1_000, 1_800]);
  });

  it('trains again for the schedule when that is due during the training at start', async () => {
    const first = gate();
    let count = 0;
    const workshop = new Workshop(async () => {
      const name = `model ${++count}`;
      if (count === 1) await first.opened;
      return resultNamed(name);
    });
    workshop.trainer.start();
    const due = workshop.tick(1_800);
    first.open();
    await due;
    expect(workshop.dueSeconds).to.deep.equal([1_000, 1_800]);
    expect(workshop.trainer.model?.fingerprint).to.equal('model 2');
    expect(workshop).to.include({ started: 2, mostAtOnce: 1 });
  });

  it('puts each new model in the place of the old one', async () => {
    let count = 0;
    const workshop = new Workshop(async () => resultNamed(`model ${++count}`));
    workshop.trainer.start();
    await eventually(() => expect(workshop.trainer.model?.fingerprint).to.equal('model 1'));
    await workshop.tick();
    expect(workshop.trainer.model?.fingerprint).to.equal('model 2');
  });

  it('never trains twice at once, whoever asks', async () => {
    const held = gate();
    const workshop = new Workshop(async () => {
      await held.opened;
      return resultNamed('only');
    });
    workshop.trainer.start();
    const asked = [workshop.trainer.train(), workshop.trainer.train()];
    expect(workshop.trainer.state()).to.include({ running: true, runs: 0 });
    held.open();
    expect(await Promise.all(asked)).to.deep.equal([true, true]);
    expect(workshop).to.include({ started: 1, mostAtOnce: 1 });
    expect(workshop.trainer.state()).to.include({ running: false, runs: 1 });
    await workshop.trainer.train();
    expect(workshop).to.include({ started: 2, mostAtOnce: 1 });
  });

  it('tells each training for how long its model is going to serve', async () => {
    const workshop = new Workshop(async () => resultNamed('fine'));
    workshop.trainer.start();
    await eventually(() => expect(workshop.trainer.state().runs).to.equal(1));
    workshop.intervalSeconds = 60;
    await workshop.tick();
    expect(workshop.untilNextSeconds).to.deep.equal([INTERVAL_SECONDS, 60]);
  });

  it('takes a quarter of an hour where the schedule tells no interval, and without a schedule', async () => {
    const workshop = new Workshop(async () => resultNamed('fine'));
    await workshop.trainer.train();
    workshop.intervalSeconds = undefined;
    workshop.trainer.start();
    await eventually(() => expect(workshop.trainer.state().runs).to.equal(2));
    expect(workshop.untilNextSeconds).to.deep.equal([900, 900]);
  });

  it('keeps account of what happened', async () => {
    let failing = false;
    const workshop = new Workshop(async () => {
      workshop.now += 2_500;
      if (failing) throw new Error('Prometheus is away.');
      return resultNamed('fine');
    });
    expect(workshop.trainer.state()).to.deep.equal({
      running: false,
      runs: 0,
      failures: 0,
      lastSucceeded: undefined,
      lastSuccessSeconds: undefined,
      model: undefined,
      lastError: undefined,
      lastDurationSeconds: undefined,
      nextRun: null,
      missedRuns: undefined,
    });
    workshop.trainer.start();
    await eventually(() => expect(workshop.trainer.state().runs).to.equal(1));
    const afterSuccess = {
      running: false,
      runs: 1,
      failures: 0,
      lastSucceeded: true,
      lastSuccessSeconds: 1_002.5,
      model: { origin: 'training', trainedSeconds: 1_002.5 },
      lastError: undefined,
      lastDurationSeconds: 2.5,
      nextRun: NEXT_RUN,
      missedRuns: 0,
    };
    await eventually(() => expect(workshop.trainer.state()).to.deep.equal(afterSuccess));
    failing = true;
    workshop.now = 2_000_000;
    await workshop.tick();
    const afterFailure = {
      ...afterSuccess,
      runs: 2,
      failures: 1,
      lastSucceeded: false,
      lastError: { message: 'Prometheus is away.', timeSeconds: 2_002.5 },
      missedRuns: 10,
    };
    expect(workshop.trainer.state()).to.deep.equal(afterFailure);
    failing = false;
    await workshop.tick();
    expect(workshop.trainer.state()).to.deep.equal({
      ...afterFailure,
      runs: 3,
      lastSucceeded: true,
      lastSuccessSeconds: 2_005,
      model: { origin: 'training', trainedSeconds: 2_005 },
      missedRuns: 0,
    });
  });

  it('logs every warning of a training', async () => {
    const workshop = new Workshop(async () => resultNamed('fine', 'A store is down.', 'No restarts.'));
    await workshop.trainer.train();
    const warnings = workshop.logger.lines.filter(({ level }) => level === 'warn');
    expect(warnings.map(({ message }) => message)).to.deep.equal(['A store is down.', 'No restarts.']);
  });

  it('ends a training that is under way when it is stopped, without calling that a failure', async () => {
    const workshop = new Workshop(
      (signal) =>
        new Promise((_, reject) => {
          // A thread takes a moment to end.
          signal.addEventListener('abort', () => setTimeout(() => reject(new Error('Ended.')), 30), {
            once: true,
          });
        }),
    );
    workshop.trainer.start();
    expect(workshop.trainer.state().running).to.equal(true);
    await within(60_000, 'the trainer to stop', workshop.trainer.stop());
    expect(workshop).to.include({ scheduled: false, running: 0 });
    expect(workshop.trainer.state()).to.include({ running: false, runs: 0, failures: 0 });
    expect(workshop.trainer.state().lastError).to.equal(undefined);
    expect(workshop.logger.lines.filter(({ level }) => level === 'error')).to.deep.equal([]);
    expect(await workshop.trainer.train()).to.equal(false);
    expect(workshop.started).to.equal(1);
  });

  it('gives up waiting for the next try when it is stopped', async () => {
    const workshop = new Workshop(async () => {
      throw new Error('Not yet.');
    });
    let ended = false;
    workshop.delay = (_milliseconds, signal) =>
      new Promise((resolve) => {
        signal.addEventListener(
          'abort',
          () => {
            ended = true;
            resolve();
          },
          { once: true },
        );
      });
    workshop.trainer.start();
    await eventually(() => expect(workshop.trainer.state().failures).to.equal(1));
    await within(60_000, 'the trainer to stop', workshop.trainer.stop());
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ended).to.equal(true);
    expect(workshop.started).to.equal(1);
  });
});
