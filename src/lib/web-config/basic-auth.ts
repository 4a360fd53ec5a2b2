/** Basic authentication against bcrypt hashes, at next to no cost for who asks again and again. */

import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Users and the hashes of their passwords. */
export type Users = ReadonlyMap<string, string>;

/** `busy`: too many are being checked already. */
export type Verdict = 'allowed' | 'denied' | 'busy';

/** Far more than a server for a few Prometheus servers and people needs. */
const REMEMBERED = 100;

/** Each waits at most for as many comparisons, one after another. */
const MAXIMUM_WAITING = 16;

/** Decides on credentials. */
export class BasicAuth {
  readonly #compare: (password: string, hash: string) => Promise<boolean>;
  /** Neither passwords nor anything that they can be guessed from stay in memory: the key is this process's own. */
  readonly #secret = randomBytes(32);
  /** Apart, so that a stranger's guesses cannot push out what Prometheus logs in with. */
  readonly #allowed = new LRUCache<string, true>({ max: REMEMBERED });
  readonly #denied = new LRUCache<string, true>({ max: REMEMBERED });
  readonly #pending = new Map<string, Promise<boolean>>();
  /** The end of the last comparison so far: there is one at a time, since each takes a whole processor. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param compare whether a password is the one of a bcrypt hash: slow. */
  constructor(compare: (password: string, hash: string) => Promise<boolean>) {
    this.#compare = compare;
  }

  /**
   * Whether the header lets a request in.
   *
   * An unknown user is compared with the hash of a known one, always the same, so that neither the time nor the
   * number of comparisons tells which users there are; the outcome does not count.
   *
   * @param users at least one.
   * @param authorization the request's header.
   */
  async check(users: Users, authorization: string | undefined): Promise<Verdict> {
    const credentials = parseBasic(authorization);
    if (credentials === undefined) return 'denied';
    const { user, password } = credentials;
    const known = users.get(user);
    const hash = known ?? this.#standIn(users, user);
    // The hash belongs to it: a changed password must not be let in by an old verdict.
    const key = this.#digest('credentials', JSON.stringify([known !== undefined, user, hash, password]));
    if (this.#allowed.get(key)) return 'allowed';
    if (this.#denied.get(key)) return 'denied';
    const pending = this.#pending.get(key);
    if (pending === undefined && this.#pending.size >= MAXIMUM_WAITING) return 'busy';
    const isRight = await (pending ?? this.#enqueue(key, password, hash));
    const isAllowed = isRight && known !== undefined;
    (isAllowed ? this.#allowed : this.#denied).set(key, true);
    return isAllowed ? 'allowed' : 'denied';
  }

  #enqueue(key: string, password: string, hash: string): Promise<boolean> {
    const comparison = this.#last
      .then(() => this.#compare(password, hash))
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, comparison);
    this.#last = comparison.catch(() => undefined);
    return comparison;
  }

  /** Hashes may differ in their cost, so an unknown user has the hash of one of them. */
  #standIn(users: Users, user: string): string {
    const index = Number.parseInt(this.#digest('stand-in', user).slice(0, 8), 16) % users.size;
    return [...users.values()][index] ?? '';
  }

  #digest(purpose: string, text: string): string {
    return createHmac('sha256', this.#secret).update(`${purpose} ${text}`).digest('hex');
  }
}

/** RFC 7617: user and password as UTF-8, in base64, with a colon between. */
function parseBasic(
  header: string | undefined,
): { readonly user: string; readonly password: string } | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
