/** Basic authentication against bcrypt hashes; repeated requests with the same credentials cost almost no time. */

import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { BusyError, type Caller, ComparisonQueue } from './comparison-queue.js';

/** bcrypt hashes of the passwords by user. */
export type Users = ReadonlyMap<string, string>;

/** Verdicts to remember: far more than a few Prometheus servers and people need. */
const REMEMBERED = 100;

/** What the decision needs. */
interface BasicAuthOptions {
  /** Whether a password matches a bcrypt hash; slow. */
  compare(password: string, hash: string): Promise<boolean>;
  /** Milliseconds of a clock. */
  now(): number;
  /** Waits for a number of milliseconds, if not as `setTimeout` does. */
  readonly rest?: (milliseconds: number) => Promise<unknown>;
}

/** Decides on credentials. */
export class BasicAuth {
  /** Credentials are remembered by an HMAC under a random key, so that passwords cannot be recovered from memory. */
  readonly #secret = randomBytes(32);
  /** Separate caches, so that failed attempts cannot push out the credentials of Prometheus. */
  readonly #allowed = new LRUCache<string, true>({ max: REMEMBERED });
  readonly #denied = new LRUCache<string, true>({ max: REMEMBERED });
  readonly #comparisons: ComparisonQueue;
  readonly #compare: BasicAuthOptions['compare'];

  constructor({ compare, now, rest }: BasicAuthOptions) {
    this.#compare = compare;
    this.#comparisons = new ComparisonQueue(now, rest);
  }

  /**
   * Whether a request with this header is allowed; `busy` while too many passwords wait to be compared. Credentials that were
   * right before are allowed at once; others wait for their turn (`ComparisonQueue`).
   *
   * The password of an unknown user is compared with the hash of a known one, always the same, so that neither the time
   * nor the number of comparisons reveals which users exist; the result is ignored.
   *
   * @param users at least one.
   * @param authorization the request's header.
   */
  async check(users: Users, authorization: string | undefined, caller: Caller): Promise<'allowed' | 'denied' | 'busy'> {
    const credentials = parseBasic(authorization);
    if (credentials === undefined) return 'denied';
    const { user, password } = credentials;
    const known = users.get(user);
    const hash = known ?? this.#standIn(users, user);
    // Includes the hash, so that an old verdict does not hold after the password was changed.
    const key = this.#digest('credentials', JSON.stringify([known !== undefined, user, hash, password]));
    if (this.#allowed.get(key)) return 'allowed';
    if (this.#denied.get(key)) return 'denied';
    const decide = async () => {
      const isAllowed = (await this.#compare(password, hash)) && known !== undefined;
      (isAllowed ? this.#allowed : this.#denied).set(key, true);
      return isAllowed;
    };
    try {
      return (await this.#comparisons.compare(key, caller, decide)) ? 'allowed' : 'denied';
    } catch (error) {
      if (error instanceof BusyError) return 'busy';
      throw error;
    }
  }

  /** Hashes may differ in cost, so the stand-in for an unknown user is the hash of a known one. */
  #standIn(users: Users, user: string): string {
    const index = Number.parseInt(this.#digest('stand-in', user).slice(0, 8), 16) % users.size;
    return [...users.values()][index] ?? '';
  }

  #digest(purpose: string, text: string): string {
    return createHmac('sha256', this.#secret).update(`${purpose} ${text}`).digest('hex');
  }
}

/** RFC 7617: user and password as UTF-8, in base64, with a colon between. */
function parseBasic(header: string | undefined): { readonly user: string; readonly password: string } | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
