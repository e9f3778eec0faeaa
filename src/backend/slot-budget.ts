/**
 * How many servers a service may hold on one target of one database, all its logins together. A
 * server takes a slot from the moment it is dialled until it is closed.
 *
 * When every slot is taken, another login's idle server is closed to make room. A server that
 * becomes free goes to a waiter of its own login, unless somebody of another login began to wait
 * LOGIN_PATIENCE_MS before that one and no server is on its way there: then the server is closed
 * and its slot changes hands. Strict order over logins was rejected, and so was patience that does
 * not look at how long the own waiter has waited: two busy logins at the cap, where everybody waits
 * for long, would then pay for a new connection, a fork and a login with every statement.
 */
import { assert } from '../util/assert.ts';
import type { Pool } from './pool.ts';

const LOGIN_PATIENCE_MS = 500;

export class SlotBudget {
  size: number;
  used = 0;
  /** Waiters of all its pools; the cap is `max_queue`. */
  waiting = 0;
  readonly pools = new Set<Pool>();
  #nextOrder = 1;

  constructor(size: number) {
    this.size = size;
  }

  nextOrder(): number {
    return this.#nextOrder++;
  }

  /**
   * A reload has changed the size. What is idle beyond it is closed now, what is busy when it is
   * given back; what is free goes to whoever waits.
   */
  resize(size: number, nowMs: number): void {
    this.size = size;
    for (const pool of this.pools) {
      for (const server of [...pool.idle].reverse()) {
        if (this.used <= this.size) break;
        server.destroy('the pool has become smaller');
      }
    }
    this.fill(nowMs);
  }

  /**
   * Whether another waiter would be one too many. Those for whom a server is there, or on its way,
   * or may be dialled, do not count: a `max_queue` of 0 would let nobody have the first server.
   */
  isQueueFull(queueMax: number): boolean {
    if (this.waiting < queueMax) return false;
    let coming = Math.max(0, this.size - this.used);
    for (const { connecting, checking, idle } of this.pools) {
      coming += connecting.length + checking.length + idle.length;
    }
    return this.waiting >= queueMax + coming;
  }

  take(): void {
    assert(this.used < this.size, 'slot taken beyond the budget');
    this.used++;
  }

  /** A slot is free: whoever has waited longest and needs one more server gets to dial. */
  giveBack(nowMs: number): void {
    assert(this.used > 0, 'slot given back twice');
    this.used--;
    this.fill(nowMs);
  }

  /** Dials for waiters while slots are free or can be freed. */
  fill(nowMs: number): void {
    for (;;) {
      const pool = this.#neediest(nowMs);
      if (pool === null) return;
      if (this.used >= this.size && !this.#closeIdleOfAnother(pool)) return;
      // Closing an idle server comes back here through giveBack, which may have used the slot.
      if (this.used < this.size && pool.needsServer(nowMs)) pool.dial();
    }
  }

  /** Whether a server that `pool` has free must be closed for an older waiter of another login. */
  mustYield(pool: Pool, nowMs: number): boolean {
    const own = pool.waiting.first();
    for (const other of this.pools) {
      if (other === pool || !other.needsServer(nowMs)) continue;
      const oldest = other.waiting.first();
      if (oldest === null) continue;
      if (own === null) return true;
      const olderByMs = own.waitingSinceMs - oldest.waitingSinceMs;
      if (olderByMs > LOGIN_PATIENCE_MS && other.connecting.length === 0) return true;
    }
    return false;
  }

  #neediest(nowMs: number): Pool | null {
    let neediest: Pool | null = null;
    let order = Number.POSITIVE_INFINITY;
    for (const pool of this.pools) {
      if (!pool.needsServer(nowMs)) continue;
      const oldest = pool.waiting.first()?.waitingOrder ?? Number.MAX_SAFE_INTEGER;
      if (oldest < order) {
        neediest = pool;
        order = oldest;
      }
    }
    return neediest;
  }

  #closeIdleOfAnother(pool: Pool): boolean {
    if (pool.waiting.length === 0) return false;
    for (const other of this.pools) {
      if (other === pool) continue;
      const idle = other.idle.last();
      if (idle === null) continue;
      idle.destroy('its slot was needed by another login');
      return true;
    }
    return false;
  }
}
