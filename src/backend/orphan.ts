/**
 * Takes over a server whose client has gone, brings it to a clean state and gives it back.
 *
 * Rules, in this order:
 *  1. A server that was sent half a message is closed: the rest will never come. What it runs is
 *     cancelled first, because it would notice only at its end.
 *  2. What ends a transaction is never cancelled: the client meant it, and half of all lost
 *     clients are lost while their COMMIT is on its way.
 *  3. Anything else the client did not say goodbye after is cancelled, so that no statement runs
 *     for nobody. A client that sent Terminate gets all it had sent before that.
 *  4. A batch without its Sync was never meant to be kept: it is made to fail before the Sync that
 *     ends it, because a Sync alone would commit it. A COPY that waits for data gets none.
 *  5. An open transaction is rolled back; session state goes with DISCARD ALL. Only then is the
 *     server the pool's again.
 */
import { latin1 } from '../util/bytes.ts';
import type { Clock } from '../util/clock.ts';
import { TransactionStatus } from '../wire/codes.ts';
import { encodeCopyFail } from '../wire/messages/copy.ts';
import { encodeExecute } from '../wire/messages/execute.ts';
import { Writer } from '../wire/writer.ts';
import { requestCancel } from './cancel-request.ts';
import { QuietOwner } from './quiet-owner.ts';
import { Action, Expect, type ReplyEntry } from './reply-queue.ts';
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

/** A statement that has been cancelled and runs on is cancelled again after this. */
const INSIST_MS = 250;
/** How often to look whether a cancel request that is on its way has arrived. */
const CANCEL_LOOK_MS = 5;

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
    const orphan = new Orphan(clock, leaving);
    server.reassign(from, orphan);
    if (leaving.halfSent) {
      if (server.queue.length > 0) orphan.#cancel(server);
      server.destroy('its client left in the middle of a message');
      return;
    }
    server.pool.move(server, ServerState.Cleaning);
    server.resumeReading();
    orphan.#start(server);
  }

  #start(server: ServerConnection): void {
    if (server.queue.length > 0 || this.#leaving.batchOpen) this.#end(server);
    if (server.queue.length === 0) this.#clean(server);
    else this.#cancel(server);
  }

  /**
   * Ends whatever may be open: a COPY that waits for data or is about to, and a batch. A waiting
   * COPY cannot be cancelled and would wait for ever; where there is none, Postgres ignores its
   * end. The Sync is sent in any case, because a COPY that begins swallows those sent before its
   * end.
   */
  #end(server: ServerConnection): void {
    server.copyIn = false;
    server.sendAll(copyFail);
    server.replies.expect(Expect.CopyEnd, Action.Drop, this);
    if (this.#leaving.batchOpen && !server.ignoresUntilSync) {
      server.replies.expect(Expect.Execute, Action.Drop, this);
      server.sendAll(executeNothing);
    }
    server.ownSync(this);
  }

  #cancel(server: ServerConnection): void {
    if (!this.#leaving.cancel || this.#cleaning) return;
    let runs = false;
    for (let index = 0; index < server.queue.length; index++) {
      const entry = server.queue.at(index);
      if (entry.endsTransaction) return;
      runs ||= entry.expect !== Expect.Sync;
    }
    // A Sync alone takes no time.
    if (runs) requestCancel(server, this.#clock, true, () => this.#insist(server));
  }

  /** A request may overtake the statement it is for, and then hits nothing. */
  #insist(server: ServerConnection): void {
    this.#clock.after(INSIST_MS, () => {
      if (server.lease === this && server.queue.length > 0) this.#cancel(server);
    });
  }

  #clean(server: ServerConnection): void {
    if (server.lease !== this) return;
    if (server.cancelsPending > 0) {
      // It would hit what cleans up.
      this.#clock.after(CANCEL_LOOK_MS, () => this.#clean(server));
      return;
    }
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
function forgetState(server: ServerConnection): void {
  server.dirty = false;
  server.settings = NO_SETTINGS;
  server.settingsReset = false;
  server.statements.clear();
  server.unnamed = null;
  server.doubtful = false;
}

const writer = new Writer();
encodeCopyFail(writer, 'the client has disconnected');
const copyFail = writer.take();
encodeExecute(writer, 'sluice: the client left before its Sync', 0);
const executeNothing = writer.take();
