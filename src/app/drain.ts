/**
 * Stopping, in the contract's phases:
 *
 *     ready_off      /readyz says no; everything else goes on, until balancers have noticed
 *     clients        nobody new gets in; those who are here are served as before, and leave when it
 *                    suits them: a pool in an application replaces its connections by and by
 *     transactions   idle clients are closed, the others when their transaction has ended
 *     (end)          who is left is closed in the middle of it; what runs is cancelled
 *
 * `cut` skips the waiting of every phase that is left.
 */
import type { DrainConfig } from '../config/snapshot.ts';
import { refuse } from '../errors/proxy-error.ts';
import type { Door } from '../session/door.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Clock } from '../util/clock.ts';
import { allSessions } from './put-in-effect.ts';

/** How often it looks whether everybody has gone. */
const LOOK_MS = 20;
/** Cancelled statements are given this long, so that no server is left running one for nobody. */
const CANCELS_MS = 1_000;

export interface DrainParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly door: Door;
  readonly phases: () => DrainConfig;
  readonly closeListeners: () => void;
}

export class Drain {
  readonly #parts: DrainParts;
  #cut = false;

  constructor(parts: DrainParts) {
    this.#parts = parts;
  }

  /** From here on no phase is waited for. */
  cut(): void {
    this.#cut = true;
  }

  /** Resolves when no client and no server is left. To be called once. */
  async run(): Promise<void> {
    const { log, door, phases } = this.#parts;
    const { readyOffMs, clientsMs, transactionsMs } = phases();
    const isEmpty = (): boolean => door.clients === 0 && door.loggingIn.length === 0;
    log.info('stopping', { clients: door.clients });
    // Also without clients: a balancer that has not noticed may send one.
    await this.#waitFor(() => false, readyOffMs);
    await this.#closeListeners();
    log.info('accepting no more clients', { clients: door.clients });
    await this.#waitFor(isEmpty, clientsMs);
    door.context.draining = true;
    this.#closeIdle();
    await this.#waitFor(() => door.clients === 0, transactionsMs);
    const left = door.clients;
    if (left > 0) log.warn('closing clients in the middle of their work', { clients: left });
    // The pools first: whoever waits is told, and nobody is given what somebody else must leave.
    door.pools.close(refuse('draining'));
    for (const session of [...allSessions(door)]) session.fail(refuse('draining'));
    for (const login of [...door.loggingIn]) login.fail(refuse('draining'));
    await this.#waitFor(() => door.pools.serverCount === 0, CANCELS_MS);
  }

  /**
   * Where another process listens on the same port, a connection that is in the kernel's queue for
   * this one when it closes is reset. Right after the poll phase that queue has just been emptied.
   */
  #closeListeners(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#parts.closeListeners();
        resolve();
      });
    });
  }

  #closeIdle(): void {
    for (const service of this.#parts.door.services.all) {
      for (const session of service.idle) session.closeIfIdle();
    }
  }

  async #waitFor(done: () => boolean, atMostMs: number): Promise<void> {
    const { clock, door } = this.#parts;
    const untilMs = clock.nowMs() + atMostMs;
    while (!done() && !this.#cut && clock.nowMs() < untilMs) {
      await new Promise<void>((resolve) => {
        clock.after(LOOK_MS, resolve);
      });
      if (door.context.draining) this.#closeIdle();
    }
  }
}
