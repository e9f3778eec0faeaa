/** All pools of the process, found by what they are for. */
import type { KeyCache } from '../auth/scram-keys.ts';
import type { DatabaseConfig, ServiceConfig, TargetConfig } from '../config/snapshot.ts';
import type { ProxyError } from '../errors/proxy-error.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { Pool } from './pool.ts';
import type { PoolEvents } from './pool-events.ts';
import { PoolSpec, type ServerCredentials } from './pool-spec.ts';
import { SlotBudget } from './slot-budget.ts';

/** Deadlines in queues are kept to this; ages are looked at as often, which costs nothing. */
const TEND_EVERY_MS = 50;

/** What pools need to know of a configuration that is about to be in effect. */
export interface PoolsPlan {
  service(name: string): ServiceConfig | undefined;
  database(name: string): DatabaseConfig | undefined;
  /** How a service's servers are logged in to for a user; null: not known any more. */
  login(service: string, database: DatabaseConfig, user: string): ServerCredentials | null;
}

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

  /**
   * Brings every pool in line with a new configuration. A pool that the configuration has no place
   * for goes on as it is, without its minimum, for the sessions that still use it.
   */
  apply(plan: PoolsPlan): void {
    for (const pool of this.#pools.values()) pool.reconfigure(this.#newSpec(pool.spec, plan));
    const nowMs = this.#clock.nowMs();
    for (const budget of this.#budgets.values()) {
      const [pool] = budget.pools;
      if (pool !== undefined && pool.spec.pool.size !== budget.size) {
        budget.resize(pool.spec.pool.size, nowMs);
      }
    }
  }

  #newSpec(spec: PoolSpec, plan: PoolsPlan): PoolSpec {
    const service = plan.service(spec.service);
    const database = plan.database(spec.database);
    const target = database?.targets.find(({ name }) => name === spec.target.name);
    const { user } = spec.login;
    const login = database === undefined ? null : plan.login(spec.service, database, user);
    // A database may be opened with another account now: that is another pool.
    const sameLogin = login?.user === user;
    const wanted = service !== undefined && target !== undefined && sameLogin;
    const { timeouts } = service ?? spec;
    const pool = service?.pool ?? spec.pool;
    return new PoolSpec(
      { name: spec.service, timeouts, pool: wanted ? pool : { ...pool, min: 0 } },
      spec.database,
      target ?? spec.target,
      sameLogin && login !== null ? login : spec.login,
      this.#keys,
      wanted,
    );
  }

  /**
   * Puts away pools that no session is in (those in `used` are) and that nobody will ask for again,
   * and forgets all that are empty. Their servers close as they become free.
   */
  prune(used: ReadonlySet<Pool>): void {
    for (const [key, pool] of this.#pools) {
      if (used.has(pool)) continue;
      if (!pool.spec.wanted) pool.retire();
      if (pool.size > 0 || pool.waiting.length > 0) continue;
      this.#pools.delete(key);
      pool.budget.pools.delete(pool);
    }
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
