/**
 * Asks a server to stop what it is doing for whoever holds it now.
 *
 * A cancel request is a connection of its own that names a process, not a statement, so a late one
 * hits whatever that process does next. Postgres signals the process before it closes the
 * connection: until the close has been seen, `cancelsPending` keeps the server from changing hands.
 */
import type { Link } from '../net/link.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { encodeCancelRequest } from '../wire/startup.ts';
import { Writer } from '../wire/writer.ts';
import { type OpenLinkHandler, openLink } from './open-link.ts';
import type { ServerConnection } from './server-connection.ts';
import { ServerState } from './server-states.ts';

const TIMEOUT_MS = 10_000;
/** One request suffices; a client that insists must not make a flood of connections of it. */
const PENDING_MAX = 2;

/** `done` is called when the request has done what it was going to do, or nothing could be done. */
export function requestCancel(
  server: ServerConnection,
  clock: Clock,
  orphan: boolean,
  done: () => void,
): void {
  const { secretKey } = server;
  if (secretKey === null || server.cancelsPending >= PENDING_MAX) {
    done();
    return;
  }
  server.cancelsPending++;
  server.pool.events.cancelled(server.pool, orphan);
  const request = new CancelRequest(server, secretKey, clock, done);
  openLink(server.target.server, TIMEOUT_MS, clock, request);
}

class CancelRequest implements OpenLinkHandler {
  link: Link | null = null;
  readonly #server: ServerConnection;
  readonly #secretKey: Buffer;
  readonly #clock: Clock;
  readonly #done: () => void;
  #timer: Timer | null = null;

  constructor(server: ServerConnection, secretKey: Buffer, clock: Clock, done: () => void) {
    this.#server = server;
    this.#secretKey = secretKey;
    this.#clock = clock;
    this.#done = done;
  }

  opened(link: Link): void {
    const writer = new Writer();
    encodeCancelRequest(writer, this.#server.processId, this.#secretKey);
    link.writeAll(writer.take());
    link.flush();
    this.#timer = this.#clock.after(TIMEOUT_MS, () => link.destroy());
  }

  onData(): void {}
  onDrain(): void {}

  onEnd(): void {
    this.link?.destroy();
  }

  onClose(): void {
    this.#timer?.cancel();
    const server = this.#server;
    server.cancelsPending--;
    if (server.state === ServerState.Cancelling && server.cancelsPending === 0) {
      server.pool.settle(server);
    }
    this.#done();
  }
}
