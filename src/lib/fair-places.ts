/** A limited number of places, shared fairly between clients: nobody can keep the others out by taking all. */

/** Who holds the places. Needs memory for the holders only, however many clients there were. */
export class FairPlaces<Holder> {
  /** The client of each holder, the oldest first. */
  readonly #clients = new Map<Holder, string>();
  /** Places of each client that has any. */
  readonly #counts = new Map<string, number>();

  /** @param limit at least 1. */
  constructor(private readonly limit: number) {}

  get isFull(): boolean {
    return this.#clients.size >= this.limit;
  }

  /** Places that a client holds. */
  countOf(client: string): number {
    return this.#counts.get(client) ?? 0;
  }

  /** Takes a place, also above the limit: the caller looks at `isFull` before. One who has a place becomes the newest. */
  enter(holder: Holder, client: string): void {
    this.leave(holder);
    this.#clients.set(holder, client);
    this.#counts.set(client, this.countOf(client) + 1);
  }

  /** Gives a place up; nothing for one who has none. */
  leave(holder: Holder): void {
    const client = this.#clients.get(holder);
    if (client === undefined) return;
    this.#clients.delete(holder);
    const left = this.countOf(client) - 1;
    if (left === 0) this.#counts.delete(client);
    else this.#counts.set(client, left);
  }

  /**
   * Those whose places a newcomer may claim, the oldest first: those of the clients that have the most; its own where it is
   * one of these clients.
   */
  rivalsOf(client: string): Holder[] {
    const most = this.#most();
    const isRival = this.countOf(client) === most ? (other: string) => other === client : this.#has(most);
    return [...this.#clients].filter(([, other]) => isRival(other)).map(([holder]) => holder);
  }

  /** Whether a client would still have fewer places than another with one that the other loses now. */
  hasFewer(client: string): boolean {
    return this.countOf(client) + 1 < this.#most();
  }

  #most(): number {
    return Math.max(0, ...this.#counts.values());
  }

  #has(count: number): (client: string) => boolean {
    return (client) => this.countOf(client) === count;
  }
}
