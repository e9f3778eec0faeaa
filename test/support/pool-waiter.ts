/** Somebody who wants a server of a pool and does nothing with it. */
import { QuietOwner } from '../../src/backend/quiet-owner.ts';
import type { Pool } from '../../src/backend/pool.ts';
import type { ServerConnection } from '../../src/backend/server-connection.ts';
import { Waiter } from '../../src/backend/waiter.ts';
import { ProxyError } from '../../src/errors/proxy-error.ts';

class Replies extends QuietOwner {
  losses = 0;

  override ready(): void {}

  override lost(): void {
    this.losses++;
  }
}

export class PoolWaiter extends Waiter {
  readonly replies = new Replies();
  server: ServerConnection | null = null;
  /** The code of the error that ended the wait. */
  error: string | null = null;
  readonly #pool: Pool;

  constructor(pool: Pool) {
    super();
    this.#pool = pool;
  }

  get replyOwner(): Replies {
    return this.replies;
  }

  /** What has come of it so far. */
  get outcome(): string {
    if (this.error !== null) return this.error;
    if (this.list !== null) return 'waiting';
    return this.server === null ? 'nothing' : 'served';
  }

  acquire(): this {
    const got = this.#pool.acquire(this);
    if (got instanceof ProxyError) this.refused(got);
    else if (got !== null) this.granted(got);
    return this;
  }

  /** Gives the server back. */
  done(): void {
    const server = this.server as ServerConnection;
    this.server = null;
    this.#pool.release(server);
  }

  granted(server: ServerConnection): void {
    this.server = server;
  }

  refused(error: ProxyError): void {
    this.error = error.code;
  }
}
