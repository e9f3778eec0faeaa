/**
 * Takes over a server whose client has gone, brings it to a clean state and gives it back.
 *
 * Rules, in this order:
 *  1. A server that was sent half a message is closed: the rest will never come.
 *  2. What ends a transaction is never cancelled: the client meant it, and half of all lost
 *     clients are lost while their COMMIT is on its way.
 *  3. Anything else the client did not say goodbye after is cancelled, so that no statement runs
 *     for nobody. A client that sent Terminate gets all it had sent before that.
 *  4. An open transaction is rolled back; session state goes with DISCARD ALL. Only then is the
 *     server the pool's again.
 */
import { latin1 } from '../util/bytes.ts';
import type { Clock } from '../util/clock.ts';
import { Frontend, TransactionStatus } from '../wire/codes.ts';
import { Writer } from '../wire/writer.ts';
import { requestCancel } from './cancel-request.ts';
import { QuietOwner } from './quiet-owner.ts';
import type { ReplyEntry } from './reply-queue.ts';
import type { ReplyOwner } from './reply-owner.ts';
import type { ServerConnection } from './server-connection.ts';
import { ServerState } from './server-states.ts';
import { NO_SETTINGS } from './session-vars.ts';

export interface Leaving {
  /** The client vanished (FIN, RST) and its service wants what it left running cancelled. */
  readonly cancel: boolean;
  /** Extended-protocol messages have been sent since the last Sync. */
  readonly batchOpen: boolean;
  /** Part of a message has been sent and the rest has not arrived. */
  readonly halfSent: boolean;
}

export class Orphan extends QuietOwner {
  readonly #clock: Clock;
  readonly #leaving: Leaving;
  #cleaning = false;

  private constructor(clock: Clock, leaving: Leaving) {
    super();
    this.#clock = clock;
    this.#leaving = leaving;
  }

  static adopt(server: ServerConnection, from: ReplyOwner, leaving: Leaving, clock: Clock): void {
    if (leaving.halfSent) {
      server.destroy('its client left in the middle of a message');
      return;
    }
    const orphan = new Orphan(clock, leaving);
    server.reassign(from, orphan);
    server.pool.move(server, ServerState.Cleaning);
    server.resumeReading();
    orphan.#start(server);
  }

  #start(server: ServerConnection): void {
    if (server.copyIn) sendCopyFail(server);
    if (this.#leaving.batchOpen || server.copyIn) this.#sync(server);
    if (server.queue.length === 0) this.#clean(server);
    else this.#cancel(server);
  }

  /** A COPY takes the Sync for data's end only after CopyFail, which has just been sent. */
  #sync(server: ServerConnection): void {
    server.copyIn = false;
    server.ownSync(this);
  }

  #cancel(server: ServerConnection): void {
    if (!this.#leaving.cancel) return;
    for (let index = 0; index < server.queue.length; index++) {
      if (server.queue.at(index).endsTransaction) return;
    }
    requestCancel(server, this.#clock, true);
  }

  #clean(server: ServerConnection): void {
    this.#cleaning = true;
    if (server.status !== TransactionStatus.Idle) {
      server.ownQuery('ROLLBACK', this);
    } else if (server.dirty) {
      server.ownQuery('DISCARD ALL', this);
    } else {
      server.pool.release(server);
    }
  }

  override ready(server: ServerConnection, _status: TransactionStatus): void {
    if (server.queue.length > 0) this.#cancel(server);
    else this.#clean(server);
  }

  override completed(server: ServerConnection, _entry: ReplyEntry, tag: Buffer): void {
    if (this.#cleaning && latin1(tag, 0, tag.length) === 'DISCARD ALL') forgetState(server);
  }

  override errored(server: ServerConnection): void {
    if (this.#cleaning) server.destroy('it could not be cleaned');
  }
}

/** What DISCARD ALL takes away. */
export function forgetState(server: ServerConnection): void {
  server.dirty = false;
  server.settings = NO_SETTINGS;
  server.statements.clear();
  server.unnamed = null;
  server.doubtful = false;
}

const writer = new Writer();

function sendCopyFail(server: ServerConnection): void {
  writer.begin(Frontend.CopyFail);
  writer.cstring('the client has disconnected');
  writer.end();
  server.send(writer.buffer, 0, writer.length);
  writer.reset();
}
