/** What the exporter and the plain service make a real server do: scrapes in pairs, trainings, the past. */

import { setTimeout as sleep } from 'node:timers/promises';
import { SETTINGS } from '../../../src/exporter/config/settings.js';
import type { RealServer } from '../../support/real-servers.js';
import { isQuery, type RecordedRequest, samplesRead, startRecordingProxy } from '../../support/recording-proxy.js';
import { Exporter } from '../exporter.js';
import { Account, type Who } from './account.js';
import { NOW_SECONDS, type ServerKind, startDatabase } from './database.js';
import { type Asked, askInTurn, plainScrape, plainTraining } from './plain-service.js';
import { collectGarbage, processorSeconds, untilQuiet } from './server-work.js';

/** How long to measure. */
export interface RealEffort {
  /** Pairs of scrapes after each training, a minute apart for the exporter's clock; at most 13. */
  readonly scrapes: number;
  /** Trainings after the first, a quarter of an hour apart; at most 3. */
  readonly trainings: number;
  /** Hours of the past to read, at most 2; 0 for none. */
  readonly historyHours: number;
}

const MINUTE_SECONDS = 60;
const QUARTER_SECONDS = 900;

/** Into a minute: a scrape is seldom at its beginning. */
const INTO_MINUTE_SECONDS = 25;

/** An hour of the past is read when it has been over for some minutes. */
const HISTORY_NOW_SECONDS = NOW_SECONDS + 300;

/** Between two readings the exporter rests. */
const LONGEST_HISTORY_MILLISECONDS = 600_000;

/** All that is measured of one server and size of cluster. */
export async function measureReal(
  kind: ServerKind,
  pods: number,
  effort: RealEffort,
  log: (line: string) => void,
): Promise<Account> {
  const server = await startDatabase(kind, pods, log);
  const account = new Account(pods);
  try {
    // What the server reads from its files for the first time is no measure of anything.
    await askInTurn(server.url, plainScrape(NOW_SECONDS));
    await measureInTurn(server, effort, account, log);
    log('Counting queries, bytes and samples.');
    await countInTurn(kind, server, effort, account);
    if (effort.historyHours === 0) return account;
    log('Reading the past.');
    await measureHistory(server, effort.historyHours, account);
    return account;
  } finally {
    await server.close();
  }
}

/** Does some work, and waits until the server has done all that follows from it. */
async function worked(
  server: RealServer,
  work: () => Promise<unknown>,
): Promise<{ seconds: number; processor: number }> {
  const before = processorSeconds(server.pid);
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  await untilQuiet(server.pid);
  return { seconds, processor: processorSeconds(server.pid) - before };
}

async function measureInTurn(
  server: RealServer,
  effort: RealEffort,
  account: Account,
  log: (line: string) => void,
): Promise<void> {
  const record = async (what: string, who: Who, work: () => Promise<unknown>) => {
    const { seconds, processor } = await worked(server, work);
    account.add(`server's processor time of ${what}`, who, 'seconds', processor);
    account.add(`${what}, end to end`, who, 'seconds', seconds);
    log(`${who}: ${what} took ${seconds.toFixed(2)} s, the server worked ${processor.toFixed(2)} s.`);
  };
  const plainTrainingAt = async (what: string, timeSeconds: number) => {
    await collectGarbage(server.url);
    await record(what, 'plain service', () => askInTurn(server.url, plainTraining(timeSeconds)));
  };
  await untilQuiet(server.pid);
  await plainTrainingAt('the first training', NOW_SECONDS);
  await collectGarbage(server.url);
  await withExporter({ PROMETHEUS_URL: server.url }, NOW_SECONDS, async (exporter) => {
    const training = async (count: number, what: string) => {
      const before = processorSeconds(server.pid);
      const { seconds } = await exporter.trained(count);
      account.add(`server's processor time of ${what}`, 'exporter', 'seconds', processorSeconds(server.pid) - before);
      account.add(`${what}, end to end`, 'exporter', 'seconds', seconds);
      log(`exporter: ${what} took ${seconds.toFixed(2)} s.`);
      // The exporter checks what it gets from Prometheus after each training.
      const { processor } = await worked(server, () => untilQuiet(server.pid));
      account.add("server's processor time of the check after a training", 'exporter', 'seconds', processor);
    };
    await training(1, 'the first training');
    for (let quarter = 0; quarter <= effort.trainings; quarter++) {
      for (let minute = 1; minute <= effort.scrapes; minute++) {
        const now = NOW_SECONDS + quarter * QUARTER_SECONDS + minute * MINUTE_SECONDS + INTO_MINUTE_SECONDS;
        await exporter.setClock(now);
        const what = quarter === 0 && minute === 1 ? 'the first scrape' : 'a scrape of a new minute';
        const before = await exporter.watch();
        await record(what, 'exporter', () => exporter.scrape());
        const after = await exporter.report();
        account.add(`own processor time of ${what}`, 'exporter', 'seconds', after.cpuSeconds - before.cpuSeconds);
        await record(what, 'plain service', () => askInTurn(server.url, plainScrape(now)));
        await record('a scrape of the same minute', 'exporter', () => exporter.scrape());
      }
      if (quarter === effort.trainings) break;
      const due = NOW_SECONDS + (quarter + 1) * QUARTER_SECONDS;
      // Before the exporter's clock, which goes on, comes near its training.
      await plainTrainingAt('a training 15 minutes later', due);
      // As if there had been scrapes in the minutes that are skipped.
      await exporter.setClock(due - 45);
      await exporter.scrape();
      await collectGarbage(server.url);
      await exporter.setClock(due + 5);
      await training(quarter + 2, 'a training 15 minutes later');
    }
    const memory = exporter.memory();
    if (memory !== undefined) account.add('peak memory of the exporter', 'exporter', 'bytes', memory.peakBytes);
  });
  perHour(account);
}

/** Scrapes in an hour at each interval: the exporter asks for a minute once, however many fall into it. */
function perHour(account: Account): void {
  const processor = (what: string, who: Who) => account.mean(`server's processor time of ${what}`, who);
  for (const interval of [15, 30, 60]) {
    const scrapes = 3600 / interval;
    const what = `server's processor time of an hour of scrapes every ${interval} s`;
    account.add(
      what,
      'exporter',
      'seconds',
      60 * processor('a scrape of a new minute', 'exporter') +
        (scrapes - 60) * processor('a scrape of the same minute', 'exporter'),
    );
    account.add(what, 'plain service', 'seconds', scrapes * processor('a scrape of a new minute', 'plain service'));
  }
}

/** Requests, bytes and samples of each thing, by a proxy that would cost time where that is measured. */
async function countInTurn(kind: ServerKind, server: RealServer, effort: RealEffort, account: Account): Promise<void> {
  const proxy = await startRecordingProxy(server.url);
  const note = async (what: string, who: Who, requests: readonly RecordedRequest[]) => {
    account.add(`queries of ${what}`, who, 'count', requests.length);
    account.add(
      `bytes of ${what}`,
      who,
      'bytes',
      requests.reduce((sum, { answerBytes }) => sum + answerBytes, 0),
    );
    if (kind !== 'prometheus') return;
    let samples = 0;
    for (const request of requests.filter(isQuery)) samples += (await samplesRead(server.url, request)).total;
    account.add(`samples read by ${what}`, who, 'count', samples);
  };
  const plain = async (what: string, queries: readonly Asked[]) => {
    await askInTurn(proxy.url, queries);
    await note(what, 'plain service', proxy.take());
  };
  try {
    await withExporter({ PROMETHEUS_URL: proxy.url }, NOW_SECONDS, async (exporter) => {
      const trained = async (count: number, what: string) => {
        await exporter.trained(count);
        await note(what, 'exporter', proxy.take());
        await untilQuiet(server.pid);
        await note('the check after a training', 'exporter', proxy.take());
      };
      const scraped = async (what: string, now: number) => {
        await exporter.setClock(now + INTO_MINUTE_SECONDS);
        await exporter.scrape();
        await note(what, 'exporter', proxy.take());
      };
      await trained(1, 'the first training');
      await scraped('the first scrape', NOW_SECONDS + MINUTE_SECONDS);
      await scraped('a scrape of a new minute', NOW_SECONDS + 2 * MINUTE_SECONDS);
      await scraped('a scrape of the same minute', NOW_SECONDS + 2 * MINUTE_SECONDS + 15);
      if (effort.trainings === 0) return;
      await exporter.setClock(NOW_SECONDS + QUARTER_SECONDS + 5);
      await trained(2, 'a training 15 minutes later');
    });
    await plain('the first training', plainTraining(NOW_SECONDS));
    await plain('the first scrape', plainScrape(NOW_SECONDS + MINUTE_SECONDS));
    await plain('a scrape of a new minute', plainScrape(NOW_SECONDS + 2 * MINUTE_SECONDS));
    await plain('a training 15 minutes later', plainTraining(NOW_SECONDS + QUARTER_SECONDS));
  } finally {
    await proxy.close();
  }
}

async function measureHistory(server: RealServer, hours: number, account: Account): Promise<void> {
  const environment = { PROMETHEUS_URL: server.url, HISTORY_DAYS: String(SETTINGS.historyDays.default) };
  await withExporter(environment, HISTORY_NOW_SECONDS, async (exporter) => {
    await exporter.trained();
    const before = processorSeconds(server.pid);
    const end = performance.now() + LONGEST_HISTORY_MILLISECONDS;
    let known = 0;
    while (known < hours && performance.now() < end) {
      await sleep(200);
      const { body } = await exporter.request('/healthz');
      const { history } = JSON.parse(body.toString()) as { history: { known_days: number } };
      known = 24 * history.known_days;
    }
    if (known === 0) throw new Error('Expected the exporter to read the past, but it knows nothing of it.');
    await untilQuiet(server.pid);
    // The check that follows a training is made meanwhile.
    const check = account.mean("server's processor time of the check after a training", 'exporter');
    const processor = processorSeconds(server.pid) - before - check;
    account.add("server's processor time of an hour of the past", 'exporter', 'seconds', processor / known);
  });
}

async function withExporter(
  environment: Readonly<Record<string, string>>,
  nowSeconds: number,
  work: (exporter: Exporter) => Promise<void>,
): Promise<void> {
  const exporter = new Exporter(environment, nowSeconds);
  try {
    await work(exporter);
  } finally {
    await exporter.stop();
  }
}
