/**
 * Asks a server that has been idle for long whether it is still there, before a client's statement
 * finds out. A Sync is the cheapest question: five bytes, no transaction, no snapshot.
 */
import type { Clock, Timer } from '../util/clock.ts';
import type { TransactionStatus } from '../wire/codes.ts';
import { QuietOwner } from './quiet-owner.ts';
import type { ServerConnection } from './server-connection.ts';

export class HealthCheck extends QuietOwner {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #timer: Timer | null = null;

  constructor(clock: Clock, timeoutMs: number) {
    super();
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  run(server: ServerConnection): void {
    server.hold(this);
    this.#timer = this.#clock.after(this.#timeoutMs, () => {
      server.destroy('it did not answer when asked whether it lives');
    });
    server.ownSync(this);
  }

  override ready(server: ServerConnection, _status: TransactionStatus): void {
    this.#timer?.cancel();
    server.hold(null);
    server.pool.settle(server);
  }

  override lost(): void {
    this.#timer?.cancel();
  }
}
