/**
 * The servers of one (service, database, target, login), and those who wait for one.
 *
 * Rules, in this order:
 *  1. First come, first served; a free server goes straight to the first waiter.
 *  2. The server used last is the next one used, so that the others can grow idle and be closed.
 *  3. Nobody gets a server that is not known to be good: nothing owed, no transaction, no half-read
 *     message, no cancel request on its way, no session state left behind.
 *  4. Servers are dialled for waiters only, one per waiter, within the slot budget; after a failure
 *     not before a growing pause has passed.
 *
 * A reload gives the pool another spec. Sizes and deadlines hold at once. When the servers are now
 * somewhere else, or logged in to as somebody else, an era begins: servers of an older one are
 * closed, idle ones at once and busy ones when they are given back. When only the password or TLS
 * has changed, one server is dialled as a proof, and the era begins when that succeeds: a mistyped
 * secret leaves the pool with the servers it has rather than with none.
 *
 * Every server is in exactly one of the lists below (see `server-states.ts`).
 */
import type { ProxyError } from '../errors/proxy-error.ts';
import { refuse } from '../errors/proxy-error.ts';
import { assert } from '../util/assert.ts';
import { Backoff } from '../util/backoff.ts';
import type { Clock } from '../util/clock.ts';
import { IntrusiveList } from '../util/intrusive-list.ts';
import { TransactionStatus } from '../wire/codes.ts';
import { HealthCheck } from './health-check.ts';
import type { PoolEvents } from './pool-events.ts';
import { compareSpecs, type PoolSpec } from './pool-spec.ts';
import { ServerConnection } from './server-connection.ts';
import { type LoginFailure, ServerLogin } from './server-login.ts';
import { SERVER_MOVES, ServerState } from './server-states.ts';
import type { SlotBudget } from './slot-budget.ts';
import type { Waiter } from './waiter.ts';

let nextServerId = 1;

export class Pool {
  spec: PoolSpec;
  /** Raised when the servers there are should no longer be used. */
  era = 0;
  readonly budget: SlotBudget;
  readonly clock: Clock;
  readonly events: PoolEvents;
  readonly waiting = new IntrusiveList<Waiter>('waiting');
  readonly connecting = new IntrusiveList<ServerConnection>('connecting');
  readonly idle = new IntrusiveList<ServerConnection>('idle');
  readonly leased = new IntrusiveList<ServerConnection>('leased');
  readonly checking = new IntrusiveList<ServerConnection>('checking');
  readonly cleaning = new IntrusiveList<ServerConnection>('cleaning');
  readonly cancelling = new IntrusiveList<ServerConnection>('cancelling');
  /** What servers of this pool report at login; null until the first one has. */
  parameters: ReadonlyMap<string, string> | null = null;
  /** Why the last attempt to dial failed; null when it did not. */
  failure: { readonly atMs: number; readonly reason: string } | null = null;
  readonly #lists: readonly IntrusiveList<ServerConnection>[];
  readonly #backoff = new Backoff({
    initialMs: 100,
    maxMs: 5_000,
    jitter: 0.2,
    random: Math.random,
  });
  #dialNotBeforeMs = Number.NEGATIVE_INFINITY;
  /** What everybody gets who wants a server, once there are none to be had. */
  #closing: ProxyError | null = null;
  /** How servers are logged in to has changed, and nobody has tried it yet. */
  #unproven = false;

  constructor(spec: PoolSpec, budget: SlotBudget, clock: Clock, events: PoolEvents) {
    this.spec = spec;
    this.budget = budget;
    this.clock = clock;
    this.events = events;
    this.#lists = [
      this.connecting,
      this.idle,
      this.leased,
      this.checking,
      this.cleaning,
      this.cancelling,
    ];
    budget.pools.add(this);
  }

  get size(): number {
    return this.#lists.reduce((sum, list) => sum + list.length, 0);
  }

  /** The only way a server changes state. */
  move(server: ServerConnection, next: ServerState): void {
    const legal = SERVER_MOVES[server.state] as number;
    assert((legal & (1 << next)) !== 0, 'illegal server move');
    this.#lists[server.state]?.remove(server);
    server.state = next;
    if (next === ServerState.Idle) {
      server.idleSinceMs = this.clock.nowMs();
      this.idle.unshift(server);
    } else if (next !== ServerState.Closed) {
      (this.#lists[next] as IntrusiveList<ServerConnection>).push(server);
    }
  }

  // ── Giving out ─────────────────────────────────────────────────────────────────────────────

  /**
   * Leases a server to the waiter, or puts the waiter in the queue and returns null; it then hears
   * `granted` or `refused` later. A full queue is returned as the error it is.
   */
  acquire(waiter: Waiter): ServerConnection | ProxyError | null {
    if (this.#closing !== null) return this.#closing;
    const nowMs = this.clock.nowMs();
    if (this.waiting.length === 0) {
      const server = this.idle.first();
      if (server !== null && !this.#isStale(server, nowMs)) {
        this.#lease(server, waiter, nowMs);
        return server;
      }
    }
    if (this.budget.isQueueFull(this.spec.pool.maxQueue)) {
      return refuse('queue_full', { values: { service: this.spec.service } });
    }
    waiter.waitingSinceMs = nowMs;
    waiter.waitingOrder = this.budget.nextOrder();
    this.#enqueue(waiter);
    const stale = this.idle.first();
    if (stale !== null) this.#check(stale);
    else this.budget.fill(nowMs);
    return null;
  }

  #enqueue(waiter: Waiter): void {
    this.waiting.push(waiter);
    this.budget.waiting++;
  }

  /** A waiter of another pool goes on waiting here, for as long as it was going to. */
  transfer(waiter: Waiter, from: Pool): void {
    from.leave(waiter);
    this.#enqueue(waiter);
    this.budget.fill(this.clock.nowMs());
  }

  /** The waiter has gone, or must not wait any longer. */
  leave(waiter: Waiter): void {
    this.waiting.remove(waiter);
    this.budget.waiting--;
  }

  /** A session is done with its server, which owes nothing and has no transaction open. */
  release(server: ServerConnection): void {
    assert(server.pool === this, 'server released to another pool');
    assert(server.queue.length === 0, 'server released while it owes replies');
    assert(server.status === TransactionStatus.Idle, 'server released inside a transaction');
    server.hold(null);
    if (server.cancelsPending > 0) {
      this.move(server, ServerState.Cancelling);
      return;
    }
    this.settle(server);
  }

  /** A good server is free: the next waiter's, or idle, or closed because its time is up. */
  settle(server: ServerConnection): void {
    const nowMs = this.clock.nowMs();
    const old = nowMs - server.createdAtMs > this.spec.pool.lifetimeMs;
    if (server.retired || this.#closing !== null || (old && this.spec.pool.lifetimeMs > 0)) {
      server.destroy(server.lastWords ?? 'it had reached its lifetime');
      return;
    }
    if (server.era !== this.era || this.#mustMakeRoom(nowMs)) {
      server.destroy('the configuration has changed');
      return;
    }
    if (this.budget.used > this.budget.size || this.budget.mustYield(this, nowMs)) {
      server.destroy('its slot was needed');
      return;
    }
    const waiter = this.waiting.first();
    if (waiter === null) {
      if (server.state !== ServerState.Idle) this.move(server, ServerState.Idle);
      return;
    }
    this.leave(waiter);
    this.#lease(server, waiter, nowMs);
    this.events.waited(this, nowMs - waiter.waitingSinceMs);
    waiter.granted(server);
  }

  #lease(server: ServerConnection, waiter: Waiter, nowMs: number): void {
    if (server.state !== ServerState.Leased) this.move(server, ServerState.Leased);
    server.leasedAtMs = nowMs;
    server.hold(waiter.replyOwner);
  }

  #isStale(server: ServerConnection, nowMs: number): boolean {
    const afterMs = this.spec.pool.checkAfterMs;
    return afterMs > 0 && nowMs - server.idleSinceMs > afterMs;
  }

  #check(server: ServerConnection): void {
    this.move(server, ServerState.Checking);
    new HealthCheck(this.clock, this.spec.timeouts.connectMs).run(server);
  }

  // ── Dialling ───────────────────────────────────────────────────────────────────────────────

  /** Whether it has more waiters than servers on their way to them, and may dial. */
  needsServer(nowMs: number): boolean {
    if (this.#closing !== null || nowMs < this.#dialNotBeforeMs) return false;
    const coming = this.connecting.length + this.checking.length;
    if (this.#unproven && this.connecting.length === 0)
      return this.size > 0 || this.waiting.length > 0;
    return this.waiting.length > coming || this.size < this.spec.pool.min;
  }

  /** Whether the proof that the servers can still be logged in to waits for a slot. */
  #mustMakeRoom(nowMs: number): boolean {
    if (!this.#unproven || this.connecting.length > 0 || nowMs < this.#dialNotBeforeMs)
      return false;
    return this.budget.used >= this.budget.size;
  }

  dial(): void {
    this.budget.take();
    const server = new ServerConnection(nextServerId++, this, this.clock.nowMs());
    this.connecting.push(server);
    new ServerLogin(server, this.spec, this.clock, (failure) => this.#dialled(server, failure));
  }

  #dialled(server: ServerConnection, failure: LoginFailure | null): void {
    if (server.state === ServerState.Closed) {
      server.link?.destroy();
      return;
    }
    if (failure !== null) {
      this.#dialFailed(server, failure);
      return;
    }
    this.#backoff.succeeded();
    this.failure = null;
    if (this.#unproven) this.#beginEra('it was logged in to in the old way', server);
    this.parameters = new Map(server.parameters);
    this.events.connected(this, this.clock.nowMs() - server.createdAtMs);
    this.settle(server);
  }

  #dialFailed(server: ServerConnection, failure: LoginFailure): void {
    const nowMs = this.clock.nowMs();
    this.#dialNotBeforeMs = nowMs + this.#backoff.failed();
    this.failure = { atMs: nowMs, reason: failure.reason };
    this.events.connectFailed(this, failure);
    this.move(server, ServerState.Closed);
    // With servers left, waiters still have something to wait for.
    if (this.size === 0) this.refuseAll(failure.error);
    this.budget.giveBack(nowMs);
  }

  refuseAll(error: ProxyError): void {
    for (let waiter = this.waiting.first(); waiter !== null; waiter = this.waiting.first()) {
      this.leave(waiter);
      waiter.refused(error);
    }
  }

  // ── Reload ─────────────────────────────────────────────────────────────────────────────────

  reconfigure(spec: PoolSpec): void {
    const change = compareSpecs(this.spec, spec);
    this.spec = spec;
    if (change === 'none') return;
    this.#backoff.succeeded();
    this.#dialNotBeforeMs = Number.NEGATIVE_INFINITY;
    if (change === 'place') {
      this.#unproven = false;
      this.parameters = null;
      this.failure = null;
      this.#beginEra('its place has changed', null);
    } else {
      this.#unproven = this.size > 0;
    }
    // Logins under way use what held before.
    for (const server of [...this.connecting]) server.destroy('the configuration has changed');
    const idle = this.idle.last();
    if (idle !== null && this.#mustMakeRoom(this.clock.nowMs())) {
      idle.destroy('the configuration has changed');
    }
    this.budget.fill(this.clock.nowMs());
  }

  /** Nobody uses the pool any more. */
  retire(): void {
    this.#beginEra('nobody uses its pool any more', null);
  }

  /** From here on only servers dialled from now on are used, and `first`. */
  #beginEra(reason: string, first: ServerConnection | null): void {
    this.era++;
    this.#unproven = false;
    if (first !== null) first.era = this.era;
    for (const server of [...this.idle]) server.destroy(reason);
  }

  // ── Ends ───────────────────────────────────────────────────────────────────────────────────

  /** Called once by the server connection when its link is gone. */
  closed(server: ServerConnection, reason: string): void {
    const owner = server.lease;
    const state = server.state;
    this.move(server, ServerState.Closed);
    this.events.disconnected(this, reason, state);
    if (owner !== null) owner.lost(server, reason);
    server.queue.clear();
    server.lease = null;
    this.budget.giveBack(this.clock.nowMs());
  }

  /** The server broke the protocol, or we broke while reading it. */
  faulted(server: ServerConnection, error: unknown): void {
    this.events.faulted(this, server, error);
  }

  /** Looks after deadlines and ages; called by the janitor every so often. */
  tend(nowMs: number): void {
    const queueTimeoutMs = this.spec.pool.queueTimeoutMs;
    for (let waiter = this.waiting.first(); waiter !== null; waiter = this.waiting.first()) {
      const waitedMs = nowMs - waiter.waitingSinceMs;
      if (queueTimeoutMs === 0 || waitedMs < queueTimeoutMs) break;
      this.leave(waiter);
      this.events.waited(this, waitedMs);
      waiter.refused(
        refuse('queue_timeout', {
          values: { service: this.spec.service, waited_ms: Math.round(waitedMs) },
        }),
      );
    }
    this.#closeOld(nowMs);
    this.budget.fill(nowMs);
  }

  /** From the one that has been idle longest on. */
  #closeOld(nowMs: number): void {
    const { idleTimeoutMs, lifetimeMs, min } = this.spec.pool;
    let surplus = this.size - min;
    for (const server of [...this.idle].reverse()) {
      const old = lifetimeMs > 0 && nowMs - server.createdAtMs > lifetimeMs;
      const unused = idleTimeoutMs > 0 && nowMs - server.idleSinceMs > idleTimeoutMs;
      if (old) server.destroy('it had reached its lifetime');
      else if (unused && surplus > 0) server.destroy('it was idle for too long');
      else continue;
      surplus--;
    }
  }

  /**
   * Closes what is idle now and everything else as it becomes free; nobody can get one any more.
   */
  close(error: ProxyError): void {
    this.#closing = error;
    this.refuseAll(error);
    for (const server of [...this.idle, ...this.connecting]) server.destroy('shutting down');
  }
}
