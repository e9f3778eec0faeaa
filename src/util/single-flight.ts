/**
 * Does a thing once for all who ask for it at the same time. Whoever comes while the work for a key
 * is under way gets the same promise; whoever comes afterwards starts anew. Keeping results is the
 * caller's business, and so is failing: everybody who waited gets the same rejection.
 */
export class SingleFlight<Value> {
  readonly #flights = new Map<string, Promise<Value>>();

  /** Keys whose work is under way. */
  get size(): number {
    return this.#flights.size;
  }

  run(key: string, work: () => Promise<Value>): Promise<Value> {
    const running = this.#flights.get(key);
    if (running !== undefined) return running;
    const flight = work().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }
}
