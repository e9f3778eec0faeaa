/**
 * Cancel keys: what a client is given at login, and who it was given to.
 *
 * The process id of a key says where its session lives, so that a request that reaches the wrong
 * process of a fleet can be sent on:
 *
 *     bit 31   30 ......... 23   22 ...... 18   17 ................ 0
 *       0        instance           worker        session, reused when free
 *
 * The secret is random: 4 bytes, all that protocol 3.0 has room for, or 32 where the client speaks
 * 3.2. A wrong secret is answered like an unknown session: not at all.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { requestCancel } from '../backend/cancel-request.ts';
import { refuse } from '../errors/proxy-error.ts';
import { assert } from '../util/assert.ts';
import type { Session } from './session.ts';
import { Phase } from './session-states.ts';

const SESSION_BITS = 18;
const WORKER_BITS = 5;
const INSTANCE_BITS = 8;
export const SESSIONS_MAX = 1 << SESSION_BITS;
const SECRET_BYTES = 4;
const SECRET_BYTES_LONG = 32;

interface Holder {
  readonly session: Session;
  /** Its bytes, one character each: a Buffer would cost an idle client several times as much. */
  readonly secret: string;
}

export class CancelRegistry {
  readonly #prefix: number;
  readonly #holders = new Map<number, Holder>();
  #next = 0;

  constructor(instance: string, worker: number) {
    assert(worker >= 0 && worker < 1 << WORKER_BITS, 'worker number out of range');
    const hash = createHash('sha256').update(instance).digest()[0] as number;
    const instanceId = hash & ((1 << INSTANCE_BITS) - 1);
    this.#prefix = ((instanceId << WORKER_BITS) | worker) << SESSION_BITS;
  }

  get size(): number {
    return this.#holders.size;
  }

  /** Gives the session a key; null when every one is in use. */
  add(session: Session, long: boolean): { processId: number; secret: Buffer } | null {
    if (this.#holders.size >= SESSIONS_MAX) return null;
    let processId: number;
    do {
      this.#next = (this.#next + 1) % SESSIONS_MAX;
      processId = this.#prefix | this.#next;
    } while (processId === 0 || this.#holders.has(processId));
    const secret = randomBytes(long ? SECRET_BYTES_LONG : SECRET_BYTES);
    session.cancelId = processId;
    this.#holders.set(processId, { session, secret: secret.toString('latin1') });
    return { processId, secret };
  }

  remove(session: Session): void {
    this.#holders.delete(session.cancelId);
  }

  /**
   * A client's cancel request. True when it was for somebody and that somebody had work to stop;
   * `done` is then called once the request can hit nothing any more.
   */
  cancel(processId: number, secret: Uint8Array, done: () => void): boolean {
    const holder = this.#holders.get(processId);
    if (holder === undefined || holder.secret.length !== secret.length) return false;
    if (!timingSafeEqual(Buffer.from(holder.secret, 'latin1'), secret)) return false;
    const { session } = holder;
    if (session.phase === Phase.Waiting) {
      session.pool.leave(session);
      session.refused(refuse('cancelled_by_user'));
      done();
      return true;
    }
    const { server } = session;
    if (server === null || server.queue.length === 0) return false;
    requestCancel(server, session.context.clock, false, done);
    return true;
  }
}
