import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { FeatureDefinition } from '../../../src/exporter/features/catalog.js';
import { fetchHours } from '../../../src/exporter/history/fetch-hours.js';
import { HOUR_SECONDS } from '../../../src/exporter/history/grid.js';
import type { HourSummary } from '../../../src/exporter/history/hour-summary.js';
import type { Stretch } from '../../../src/exporter/history/plan-hours.js';
import { HistoryFile } from '../../../src/exporter/keeper/history-file.js';
import { HistoryKeeper, inDays, type KeeperOptions } from '../../../src/exporter/keeper/keeper.js';
import { ModelStore } from '../../../src/exporter/model/snapshot/store.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { fakeApi } from '../../support/fake-api.js';
import { SUMMARY_FEATURES, summaryOf } from '../../support/hour-summaries.js';
import { recordingLogger } from '../../support/recording-logger.js';
import { type FakePod, FEATURES, namedPods, OWNER_QUERIES, SmallCluster } from '../../support/small-cluster.js';
import { eventually, gate, within } from '../../support/waiting.js';

const HOUR = 490_908;
/** A little after the hour has ended. */
const START_SECONDS = (HOUR + 1) * HOUR_SECONDS + 200;
const AWAY = new PrometheusError('refused', 'Got no answer from http://h.');

/** A keeper with its clock and Prometheus in the hands of the test. */
class Workshop {
  readonly logger = recordingLogger();
  readonly keeper: HistoryKeeper;
  nowSeconds = START_SECONDS;
  readonly stretches: Stretch[] = [];
  /** In the order in which the keeper asked for them; each lets the clock go on. */
  readonly delays: number[] = [];
  retrainings = 0;
  /** Seconds that each reading takes. */
  seconds = 2;
  /** Replace it at will. */
  summaries: (stretch: Stretch, signal: AbortSignal) => HourSummary[] | Promise<HourSummary[]> = ({
    firstHour,
    lastHour,
  }) => {
    const hours = Array.from({ length: lastHour - firstHour + 1 }, (_, index) => firstHour + index);
    return hours.map((hour) => (hour < this.firstHourWithPods ? summaryOf(hour, {}) : summaryOf(hour, this.workloads)));
  };
  /** Whether an hour comes with a warning. */
  isIncomplete: (hour: number) => boolean = () => false;
  workloads: Readonly<Record<string, number>> = { 'shop/cart': 1, 'shop/web': 2 };
  firstHourWithPods = 0;
  constructor(options: Partial<KeeperOptions> = {}) {
    this.keeper = new HistoryKeeper({
      ...SUMMARY_FEATURES,
      days: 2,
      loadPercent: 10,
      queryOffsetSeconds: 0,
      read: async (stretch, signal) => {
        this.stretches.push(stretch);
        const summaries = await this.summaries(stretch, signal);
        this.nowSeconds += this.seconds;
        const warning = summaries.some(({ hour }) => this.isIncomplete(hour)) ? 'store 7 is down' : undefined;
        return { summaries, seconds: this.seconds, warning };
      },
      retrain: async () => {
        this.retrainings++;
        (await this.keeper.hold())();
      },
      logger: this.logger,
      now: () => 1000 * this.nowSeconds,
      delay: async (milliseconds, signal) => {
        // As a real delay, it lets others work, and ends with the signal.
        await new Promise((resolve) => setImmediate(resolve));
        const isAtEnd = () => (this.endSeconds === 0 ? this.isFilled : this.nowSeconds >= this.endSeconds);
        while (isAtEnd() && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
        this.delays.push(milliseconds / 1000);
        this.nowSeconds += milliseconds / 1000;
      },
      ...options,
    });
  }

  /** The clock stops then; 0: once the past is read. */
  endSeconds = 0;

  get isFilled(): boolean {
    return this.said('info').some((message) => message.startsWith('Read the past'));
  }

  async filled(): Promise<this> {
    this.keeper.start();
    await eventually(() => expect(this.isFilled).to.equal(true));
    await eventually(() => expect(this.keeper.state().missingHours).to.equal(0));
    return this;
  }

  said(level: string): string[] {
    return this.logger.lines.filter((line) => line.level === level).map(({ message }) => message);
  }
}

describe('history keeper', () => {
  let open: HistoryKeeper[] = [];
  let folder: string;
  const workshopWith = (options?: Partial<KeeperOptions>) => {
    const workshop = new Workshop(options);
    open.push(workshop.keeper);
    return workshop;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-history-'));
  });
  afterEach(async () => {
    await within(60_000, 'the keepers to stop', Promise.all(open.map((keeper) => keeper.stop())));
    open = [];
    rmSync(folder, { recursive: true });
  });

  const fileWith = (features: readonly FeatureDefinition[]) => {
    const now = () => 1000 * START_SECONDS;
    const store = new ModelStore(join(folder, 'model.history'), now);
    const configuration = { features, source: ['http://h'] };
    return new HistoryFile({ store, configuration, days: 2, logger: recordingLogger(), now });
  };

  it('reads the missing hours, the newest first, one and then some at a time, until all are known', async () => {
    const workshop = await workshopWith().filled();
    const { stretches, keeper } = workshop;
    expect(stretches[0]).to.deep.equal({ firstHour: HOUR, lastHour: HOUR });
    expect(stretches.slice(1, 3)).to.deep.equal([
      { firstHour: HOUR - 6, lastHour: HOUR - 1 },
      { firstHour: HOUR - 12, lastHour: HOUR - 7 },
    ]);
    expect(stretches).to.have.lengthOf(9);
    expect(keeper.state()).to.include({
      days: 2,
      knownHours: 48,
      missingHours: 0,
      workloads: 2,
      reads: 9,
      failures: 0,
    });
    const [begin, end] = workshop.said('info');
    expect(begin).to.equal('Reading what workloads did in the last 2 days, the newest hours first.');
    expect(end).to.match(
      /^Read the past of the workloads: 2 of 2 days are known, of 2 workloads, in \d+ KiB\. It took 3 min\.$/,
    );
  });

  it('asks for at most the given share of the time', async () => {
    const workshop = await workshopWith({ loadPercent: 25 }).filled();
    expect(workshop.delays.slice(0, 8)).to.deep.equal(new Array(8).fill(6));
    const greedy = await workshopWith({ loadPercent: 100 }).filled();
    expect(greedy.delays.slice(0, 8)).to.deep.equal(new Array(8).fill(0));
  });

  it('trains again when the first day is known and when all is known, and not for each further hour', async () => {
    const workshop = await workshopWith().filled();
    expect(workshop.retrainings).to.equal(2);
    const again = workshopWith();
    again.endSeconds = START_SECONDS + 10 * HOUR_SECONDS;
    await again.filled();
    await eventually(() => expect(again.keeper.state().reads).to.equal(9 + 10));
    expect(again.retrainings).to.equal(2);
  });

  it('reads each further hour once it has settled, and looks at the clock in between', async () => {
    const workshop = workshopWith();
    workshop.endSeconds = START_SECONDS + 3 * HOUR_SECONDS;
    await workshop.filled();
    await eventually(() => expect(workshop.stretches.at(-1)?.lastHour).to.equal(HOUR + 3));
    const next = workshop.stretches.filter(({ firstHour }) => firstHour > HOUR);
    expect(next).to.deep.equal([1, 2, 3].map((more) => ({ firstHour: HOUR + more, lastHour: HOUR + more })));
    expect(Math.max(...workshop.delays)).to.equal(300);
    await workshop.keeper.stop();
    expect(workshop.said('info')).to.have.lengthOf(2);
  });

  it('asks for nothing before a whole day without pods', async () => {
    const workshop = workshopWith({ days: 7 });
    workshop.firstHourWithPods = HOUR - 9;
    await workshop.filled();
    expect(workshop.keeper.state()).to.include({ knownHours: 10, missingHours: 0 });
    expect(workshop.stretches.at(-1)?.firstHour).to.be.within(HOUR - 9 - 24 - 5, HOUR - 9 - 24);
    expect(workshop.retrainings).to.equal(1);
    expect(inDays(10)).to.equal('0.4');
  });

  it('tries again after failures, later each time, with fewer hours, and says so once', async () => {
    const workshop = workshopWith();
    workshop.seconds = 1;
    let failures = 5;
    const { summaries } = workshop;
    workshop.summaries = (stretch, signal) => {
      if (workshop.stretches.length > 2 && failures-- > 0) {
        workshop.nowSeconds += 0.1;
        throw failures === 0 ? new PrometheusError('rate_limited', 'Wait.', { retryAfterSeconds: 77 }) : AWAY;
      }
      return summaries(stretch, signal);
    };
    await workshop.filled();
    const lengths = workshop.stretches.map(({ firstHour, lastHour }) => lastHour - firstHour + 1);
    expect(lengths.slice(0, 12)).to.deep.equal([1, 6, 6, 3, 1, 1, 1, 1, 2, 4, 6, 6]);
    expect(workshop.delays.slice(2, 7)).to.deep.equal([1, 2, 4, 8, 77]);
    expect(workshop.said('warn')).to.deep.equal([
      `The past of the workloads cannot be read; it is tried again until it can. ${AWAY.message}`,
    ]);
    expect(workshop.said('info')[1]).to.equal('The past of the workloads can be read again.');
    expect(workshop.keeper.state()).to.deep.include({ failures: 5, isFailing: false, knownHours: 48 });
    expect(workshop.keeper.state().lastError?.message).to.equal('Wait.');
  });

  it('does not keep hours that came with a warning, and asks for each of them again', async () => {
    const workshop = workshopWith();
    const incomplete = [HOUR, HOUR - 3, HOUR - 4];
    workshop.isIncomplete = (hour) => incomplete.includes(hour);
    workshop.endSeconds = START_SECONDS + 1500;
    workshop.keeper.start();
    await eventually(() => expect(workshop.nowSeconds).to.be.at.least(workshop.endSeconds));
    expect(workshop.keeper.state()).to.include({ knownHours: 45, missingHours: 3, failures: 0 });
    expect(workshop.keeper.state().lastError?.message).to.equal(
      'Prometheus warns that hours of the past are incomplete: store 7 is down',
    );
    const lengthsOf = (hour: number) =>
      workshop.stretches
        .filter(({ firstHour, lastHour }) => firstHour <= hour && hour <= lastHour)
        .map(({ firstHour, lastHour }) => lastHour - firstHour + 1);
    expect(lengthsOf(HOUR), 'left alone for half an hour').to.deep.equal([1]);
    expect(lengthsOf(HOUR - 3).at(-1), 'alone at last').to.equal(1);
    expect(workshop.said('warn')).to.deep.equal([
      'Prometheus warns that hours of the past are incomplete: store 7 is down They are asked for again, each for six ' +
        'hours at most.',
    ]);
    expect(workshop.isFilled).to.equal(false);

    workshop.isIncomplete = () => false;
    workshop.endSeconds = 0;
    await workshop.filled();
    expect(workshop.keeper.state()).to.include({ knownHours: 48, missingHours: 0 });
  });

  it('takes an hour as it comes after six hours of warnings', async () => {
    const workshop = workshopWith();
    workshop.isIncomplete = (hour) => hour === HOUR - 2;
    workshop.endSeconds = START_SECONDS + 5.9 * HOUR_SECONDS;
    workshop.keeper.start();
    await eventually(() => expect(workshop.nowSeconds).to.be.at.least(workshop.endSeconds));
    expect(workshop.keeper.state()).to.include({ missingHours: 1 });
    workshop.endSeconds = 0;
    await eventually(() => expect(workshop.keeper.state().missingHours).to.equal(0));
    expect(workshop.nowSeconds - START_SECONDS).to.be.within(6 * HOUR_SECONDS, 7 * HOUR_SECONDS);
  });

  it('rests after a slow failure as after a slow success', async () => {
    const workshop = workshopWith();
    workshop.summaries = () => {
      workshop.nowSeconds += 20;
      throw AWAY;
    };
    workshop.keeper.start();
    await eventually(() => expect(workshop.delays.length).to.be.above(9));
    expect(workshop.delays.slice(0, 3)).to.deep.equal([180, 180, 180]);
    expect(workshop.keeper.state()).to.include({ isFailing: true, missingHours: 48 });
  });

  it('reads nothing while it is held, and a hold waits for what is read', async () => {
    const workshop = workshopWith();
    const reading = gate();
    const { summaries } = workshop;
    workshop.summaries = async (stretch, signal) => {
      await reading.opened;
      return summaries(stretch, signal);
    };
    workshop.keeper.start();
    await eventually(() => expect(workshop.stretches).to.have.lengthOf(1));
    let release: (() => void) | undefined;
    const held = workshop.keeper.hold().then((given) => {
      release = given;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(release).to.equal(undefined);
    reading.open();
    await held;
    expect(workshop.keeper.state().knownHours).to.equal(1);
    const delays = workshop.delays.length;
    await eventually(() => expect(workshop.delays.length).to.be.above(delays + 3));
    expect(workshop.stretches).to.have.lengthOf(1);
    release?.();
    await eventually(() => expect(workshop.keeper.state().missingHours).to.equal(0));
  });

  it('ends a reading that takes long when it is held, and reads less at a time from then on', async () => {
    const workshop = workshopWith();
    const { summaries } = workshop;
    let hangs = true;
    workshop.summaries = (stretch, signal) =>
      hangs && stretch.lastHour !== stretch.firstHour
        ? new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('Ended.'))))
        : summaries(stretch, signal);
    workshop.keeper.start();
    await eventually(() => expect(workshop.stretches).to.have.lengthOf(2));
    const release = await within(60_000, 'the hold', workshop.keeper.hold(20));
    hangs = false;
    release();
    await workshop.filled();
    const lengths = workshop.stretches.map(({ firstHour, lastHour }) => lastHour - firstHour + 1);
    expect(lengths.slice(0, 4)).to.deep.equal([1, 6, 3, 6]);
    expect(workshop.keeper.state()).to.include({ failures: 0, isFailing: false, knownHours: 48 });
    expect(workshop.said('warn')).to.deep.equal([]);
  });

  it('ends a reading at once when it is stopped, without calling that a failure', async () => {
    const workshop = workshopWith();
    workshop.summaries = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('Ended.'))));
    workshop.keeper.start();
    await eventually(() => expect(workshop.stretches).to.have.lengthOf(1));
    await within(60_000, 'the keeper to stop', workshop.keeper.stop());
    expect(workshop.keeper.state()).to.include({ failures: 0, knownHours: 0 });
    expect(workshop.said('warn')).to.deep.equal([]);
    workshop.keeper.start();
    expect(workshop.stretches).to.have.lengthOf(1);
  });

  it('goes on after a fault of the program, and asks to report it', async () => {
    let faults = 1;
    const workshop = workshopWith({
      retrain: async () => {
        if (faults-- > 0) throw new TypeError('x is not a function');
      },
    });
    await workshop.filled();
    expect(workshop.said('error')).to.deep.equal(['Reading the past failed unexpectedly. Please report this.']);
    expect(workshop.keeper.state()).to.include({ knownHours: 48, missingHours: 0 });
  });

  it('goes on after a clock that was set forward, and after one that was set back', async () => {
    const workshop = workshopWith();
    // Prometheus knows nothing of the future.
    const { summaries } = workshop;
    workshop.summaries = async (stretch, signal) =>
      (await summaries(stretch, signal)).map((one) => (one.hour > HOUR + 50 ? summaryOf(one.hour, {}) : one));
    await workshop.filled();
    const known = async (nowSeconds: number, knownHours: number) => {
      workshop.nowSeconds = nowSeconds;
      workshop.endSeconds = nowSeconds + 1200;
      await eventually(() => expect(workshop.keeper.state()).to.include({ knownHours, missingHours: 0 }));
    };
    await known(START_SECONDS + 30 * 24 * HOUR_SECONDS, 0);
    await known(START_SECONDS + HOUR_SECONDS, 48);
    await known(START_SECONDS - 3 * HOUR_SECONDS, 48);
    const { hours } = await workshop.keeper.historyState();
    expect(Math.max(...hours)).to.be.below(HOUR + 1);
  });

  it('goes on after a restart from its file, and asks for no hour again', async () => {
    const file = () => fileWith(FEATURES.filter(({ name }) => name !== 'memory'));
    const first = workshopWith({ file: file() });
    const { summaries } = first;
    first.summaries = async (stretch, signal) => {
      if (first.stretches.length > 3) void first.keeper.stop();
      return summaries(stretch, signal);
    };
    first.keeper.start();
    await eventually(() => expect(first.stretches).to.have.lengthOf(4));
    await first.keeper.stop();
    const second = workshopWith({ file: file() });
    await second.keeper.restore();
    expect(second.keeper.state().knownHours).to.be.above(12);
    await second.filled();
    const asked = [...first.stretches, ...second.stretches].flatMap(({ firstHour, lastHour }) =>
      Array.from({ length: lastHour - firstHour + 1 }, (_, index) => firstHour + index),
    );
    expect(asked.length).to.equal(new Set(asked).size);
    expect(second.keeper.state()).to.include({ knownHours: 48 });
  });

  it('saves when it stops what it could not save before', async () => {
    const file = () => fileWith(FEATURES.filter(({ name }) => name !== 'memory'));
    rmSync(folder, { recursive: true });
    const workshop = await workshopWith({ file: file() }).filled();
    await eventually(() => expect(workshop.retrainings).to.equal(2));
    mkdirSync(folder);
    await workshop.keeper.stop();
    const next = workshopWith({ file: file() });
    await next.keeper.restore();
    expect(next.keeper.state().knownHours).to.equal(48);
  });

  it('is the same for two replicas with other starts, interruptions and sizes of their stretches', async () => {
    const to = (HOUR + 1) * HOUR_SECONDS;
    const pods: FakePod[] = [
      ...namedPods(4),
      { namespace: 'data', pod: 'db-0', owner: 'postgres' },
      { namespace: 'shop', pod: 'late-abcde', sinceSeconds: to - 30 * HOUR_SECONDS + 700, restartsAt: [to - 7200] },
    ];
    const api = fakeApi(new SmallCluster(pods).answer);
    const replica = (options: Partial<KeeperOptions>, fails: (stretch: Stretch, attempt: number) => boolean) => {
      let attempt = 0;
      const workshop = workshopWith({
        ...{ gauges: ['cpu', 'memory'], counters: ['restarts'], days: 2 },
        read: async (stretch) => {
          if (fails(stretch, attempt++)) throw AWAY;
          const request = { features: FEATURES, ownerQueries: OWNER_QUERIES, maximumPods: 5, ...stretch };
          return { summaries: await fetchHours(api, request), seconds: 1 };
        },
        ...options,
      });
      return workshop;
    };
    const one = await replica({}, () => false).filled();
    const early = replica({ file: fileWith(FEATURES) }, (_, attempt) => attempt % 3 === 1);
    early.nowSeconds -= 26 * HOUR_SECONDS;
    await early.filled();
    await early.keeper.stop();
    const two = replica({ file: fileWith(FEATURES) }, (_, attempt) => attempt % 4 === 2);
    await two.keeper.restore();
    await two.filled();
    const state = await two.keeper.historyState();
    expect(state).to.deep.equal(await one.keeper.historyState());
    expect(state.workloads).to.include('shop/cart');
  });
});
