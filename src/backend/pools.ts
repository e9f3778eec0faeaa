/** All pools of the process, found by what they are for. */
import type { KeyCache } from '../auth/scram-keys.ts';
import type { ServiceConfig, TargetConfig } from '../config/snapshot.ts';
import type { ProxyError } from '../errors/proxy-error.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { Pool } from './pool.ts';
import type { PoolEvents } from './pool-events.ts';
import { PoolSpec, type ServerCredentials } from './pool-spec.ts';
import { SlotBudget } from './slot-budget.ts';

/** Deadlines in queues are kept to this; ages are looked at as often, which costs nothing. */
const TEND_EVERY_MS = 50;

export class Pools {
  readonly #pools = new Map<string, Pool>();
  readonly #budgets = new Map<string, SlotBudget>();
  readonly #clock: Clock;
  readonly #events: PoolEvents;
  readonly #keys: KeyCache;
  readonly #timer: Timer;

  constructor(clock: Clock, events: PoolEvents, keys: KeyCache) {
    this.#clock = clock;
    this.#events = events;
    this.#keys = keys;
    this.#timer = clock.every(TEND_EVERY_MS, () => this.#tend());
  }

  [Symbol.iterator](): IterableIterator<Pool> {
    return this.#pools.values();
  }

  get(
    service: ServiceConfig,
    database: string,
    target: TargetConfig,
    login: ServerCredentials,
  ): Pool {
    const budgetKey = `${service.name}\0${database}\0${target.name}`;
    const key = `${budgetKey}\0${login.user}`;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      const spec = new PoolSpec(service, database, target, login, this.#keys);
      pool = new Pool(spec, this.#budget(budgetKey, service.pool.size), this.#clock, this.#events);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  #budget(key: string, size: number): SlotBudget {
    let budget = this.#budgets.get(key);
    if (budget === undefined) {
      budget = new SlotBudget(size);
      this.#budgets.set(key, budget);
    }
    return budget;
  }

  #tend(): void {
    const nowMs = this.#clock.nowMs();
    for (const pool of this.#pools.values()) pool.tend(nowMs);
  }

  /** Servers of all pools that are not closed. */
  get serverCount(): number {
    let count = 0;
    for (const pool of this.#pools.values()) count += pool.size;
    return count;
  }

  /** Nobody gets a server any more; those that are busy close when they are given back. */
  close(error: ProxyError): void {
    this.#timer.cancel();
    for (const pool of this.#pools.values()) pool.close(error);
  }
}
