/** The order in which passwords are compared: slow work that anybody can cause, and that a right password needs. */

import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';

/** A request with credentials. */
export interface Caller {
  /** Whose it is, as far as that is known before the log-in. */
  readonly client: string;
  /** Whether it still waits for the verdict. */
  isWaiting(): boolean;
}

/** A comparison that waits. */
interface Waiting {
  /** That asked first. */
  readonly client: string;
  readonly callers: Caller[];
  readonly verdict: Promise<boolean>;
  /** Compares. Does not reject. */
  run(): Promise<boolean | undefined>;
  /** Gives up. */
  refuse(): void;
}

/** Too many comparisons wait. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

/**
 * Comparisons that may wait: one for each connection of the server, which has one request at a time. So there is room for
 * each caller that waits.
 */
const MAXIMUM_WAITING = 512;

/** Clients whose last guess was wrong. */
const MAXIMUM_SUSPECTS = 1_000;

/**
 * Compares one password at a time, and rests as long as each comparison took: guessers use at most half of a processor.
 *
 * Clients take turns, so that each waits for one guess of each other client at most. Every second turn is for those whose
 * last guess was not wrong, so that many clients that guess do not keep out one that knows its password. The comparisons of
 * one client keep their order, and are made also when it has gone, since it will come again with the same password: behind
 * a proxy, a right password waits for the guesses that came before it, and for no later one.
 */
export class ComparisonQueue {
  /** By what is compared. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #suspects = new LRUCache<string, true>({ max: MAXIMUM_SUSPECTS });
  /** Clients that wait, the one whose turn was longest ago first. */
  readonly #clients = new Map<string, string[]>();
  #isTurnOfSuspects = false;
  #isWorking = false;

  /**
   * @param now milliseconds of a clock.
   * @param rest waits for a number of milliseconds.
   */
  constructor(
    private readonly now: () => number,
    private readonly rest = (milliseconds: number): Promise<unknown> => sleep(milliseconds, undefined, { ref: false }),
  ) {}

  /**
   * The verdict of a comparison. Callers with the same key share it.
   *
   * @throws {BusyError} when too many wait.
   */
  compare(key: string, caller: Caller, compare: () => Promise<boolean>): Promise<boolean> {
    const known = this.#waiting.get(key);
    if (known !== undefined) {
      known.callers.push(caller);
      return known.verdict;
    }
    if (this.#waiting.size >= MAXIMUM_WAITING && !this.#dropAbandoned()) {
      return Promise.reject(new BusyError('Too many passwords wait to be compared.'));
    }
    return this.#add(key, caller, compare);
  }

  #add(key: string, caller: Caller, compare: () => Promise<boolean>): Promise<boolean> {
    const { client } = caller;
    let resolve: (isRight: boolean) => void = () => {};
    let reject: (reason: unknown) => void = () => {};
    const verdict = new Promise<boolean>((...settle) => {
      [resolve, reject] = settle;
    });
    // One whose callers have gone may fail all the same.
    verdict.catch(() => undefined);
    const run = async () => {
      const isRight = await compare().catch(reject);
      if (typeof isRight === 'boolean') resolve(isRight);
      return isRight ?? undefined;
    };
    const refuse = () => reject(new BusyError('Others took the place of this comparison.'));
    this.#waiting.set(key, { client, callers: [caller], verdict, run, refuse });
    this.#clients.set(client, [...(this.#clients.get(client) ?? []), key]);
    if (!this.#isWorking) void this.#work();
    return verdict;
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let key = this.#next(); key !== undefined; key = this.#next()) {
      const { client, run } = this.#waiting.get(key) as Waiting;
      const start = this.now();
      const isRight = await run();
      this.#remove(key, client);
      if (isRight === true) this.#suspects.delete(client);
      else if (isRight === false) this.#suspects.set(client, true);
      await this.rest(this.now() - start);
    }
    this.#isWorking = false;
  }

  /** Of the client whose turn it is, the comparison that waits for the longest time. */
  #next(): string | undefined {
    const clients = [...this.#clients.keys()];
    const wanted = clients.find((client) => this.#suspects.has(client) === this.#isTurnOfSuspects);
    this.#isTurnOfSuspects = !this.#isTurnOfSuspects;
    const client = wanted ?? clients[0];
    if (client === undefined) return undefined;
    const keys = this.#clients.get(client) as string[];
    // The last in turn from now on.
    this.#clients.delete(client);
    this.#clients.set(client, keys);
    return keys[0];
  }

  #remove(key: string, client: string): void {
    this.#waiting.delete(key);
    const left = (this.#clients.get(client) ?? []).filter((other) => other !== key);
    if (left.length === 0) this.#clients.delete(client);
    else this.#clients.set(client, left);
  }

  /** Drops the latest comparison that nobody waits for. @returns whether there was one. */
  #dropAbandoned(): boolean {
    const abandoned = [...this.#waiting].findLast(([, { callers }]) => !callers.some((caller) => caller.isWaiting()));
    if (abandoned === undefined) return false;
    const [key, { client, refuse }] = abandoned;
    this.#remove(key, client);
    refuse();
    return true;
  }
}
