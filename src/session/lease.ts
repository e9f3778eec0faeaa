/**
 * How a session comes by a server and how it lets go of it.
 *
 * A lease begins with whatever the server lacks for this session (its settings, the BEGIN that was
 * answered before there was a server), sent in the same write as the client's own message. It ends
 * when the server says idle, owes nothing, and no message is half sent.
 */
import { Action, Expect } from '../backend/reply-queue.ts';
import { Orphan } from '../backend/orphan.ts';
import type { Pool } from '../backend/pool.ts';
import { QuietOwner } from '../backend/quiet-owner.ts';
import type { ReplyOwner } from '../backend/reply-owner.ts';
import type { ServerConnection } from '../backend/server-connection.ts';
import { settingsSql } from '../backend/session-vars.ts';
import { ProxyError, refuse } from '../errors/proxy-error.ts';
import type { Statement } from '../sql/statement.ts';
import { Frontend, TransactionStatus } from '../wire/codes.ts';
import { CLIENT_IDLE, CLIENT_LEASED } from '../wire/interest.ts';
import { Writer } from '../wire/writer.ts';
import type { Session } from './session.ts';
import { recordDoubt } from './doubts.ts';
import { failToo } from './reject.ts';
import { carryPortal } from './server-statements.ts';
import { move, Phase } from './session-states.ts';

const writer = new Writer();

/**
 * The server for what the client has just sent: held, or leased now. Null when the client has to
 * wait; the message is then to be stopped and will be shown again. A refusal is returned.
 */
export function acquire(session: Session): ServerConnection | ProxyError | null {
  if (session.server !== null) return session.server;
  // Someone who does not read the last answer does not get to ask for the next one.
  if (session.link.full) {
    session.stalled = true;
    session.link.pause();
    return null;
  }
  session.service[session.phase === Phase.Open ? 'open' : 'idle'].remove(session);
  const got = session.pool.acquire(session);
  if (got === null) {
    // Its link is read on, or nobody would notice that it has given up and gone.
    session.phase = Phase.Waiting;
    return null;
  }
  session.service[session.phase === Phase.Open ? 'open' : 'idle'].push(session);
  if (got instanceof ProxyError) return got;
  session.service.meters.wait.observe(0);
  attach(session, got);
  return got;
}

/** Its next server comes from another pool; if it waits, it goes on waiting there. */
export function changePool(session: Session, pool: Pool): void {
  const from = session.pool;
  session.pool = pool;
  if (session.phase === Phase.Waiting) pool.transfer(session, from);
}

/** The session holds `server` from here on. */
export function attach(session: Session, server: ServerConnection): void {
  move(session, Phase.Active);
  session.server = server;
  session.scanner.interest = CLIENT_LEASED;
  session.keepsServer = session.service.config.pool.mode === 'session';
  if (session.keepsServer) server.dirty = true;
  if (server.settings !== session.settings || server.settingsReset) {
    bringSettings(session, server);
  }
  const begin = session.deferredBegin;
  if (begin !== null) {
    session.deferredBegin = null;
    sendText(server, begin, CATCHING_UP);
    if (session.localFailed) {
      session.localFailed = false;
      session.localPortal = null;
      failToo(server, FAILING);
    }
  }
  if (session.localPortal !== null) carryPortal(session, server, session.localPortal);
}

/** Makes the server's settings the session's; the server owes nothing and is in no transaction. */
export function bringSettings(session: Session, server: ServerConnection): void {
  const sql = settingsSql(server.settings, session.settings, server.settingsReset);
  server.settings = session.settings;
  server.settingsReset = false;
  if (sql !== '') server.ownQuery(sql, CATCHING_UP);
}

/** Sends a statement's text as the client wrote it, byte for byte. */
function sendText(server: ServerConnection, statement: Statement, owner: ReplyOwner): void {
  server.replies.expect(Expect.Query, Action.Drop, owner).runs = statement;
  writer.begin(Frontend.Query);
  writer.bytes(Buffer.from(statement.text, 'latin1'));
  writer.int8(0);
  writer.end();
  server.sendWritten(writer);
  server.unnamed = null;
}

/**
 * Own traffic ahead of a client's statement. It has succeeded before, for this login on this
 * target; should it fail all the same, the statement behind it must not run in the wrong state.
 */
class CatchingUp extends QuietOwner {
  override ready(): void {}
  override errored(server: ServerConnection): void {
    server.destroy('a session could not be brought onto it');
  }
}
const CATCHING_UP = new CatchingUp();

/** Fails a transaction on the server that has failed before it got there. */
class Failing extends QuietOwner {
  override ready(): void {}
}
const FAILING = new Failing();

/** Gives the server back if the session is done with it. Cheap, and safe to call at any time. */
export function releaseIfDone(session: Session): void {
  const server = session.server;
  if (server === null || server.status !== TransactionStatus.Idle) return;
  if (server.queue.length > 0 || session.batchOpen || session.pinReason !== null) return;
  if (session.scanner.inForwardedMessage || session.keepsServer) return;
  letGo(session, server);
}

/** The client stays, and has nothing under way. */
const NOTHING_LEFT = { cancel: false, batchOpen: false, halfSent: false };

function letGo(session: Session, server: ServerConnection): void {
  session.server = null;
  session.ownNames = false;
  session.scanner.interest = CLIENT_IDLE;
  session.forgetPortals();
  session.service.meters.lease.observe(session.context.clock.nowMs() - server.leasedAtMs);
  move(session, Phase.Idle);
  // What was paused because the server was slow is read again.
  if (!session.scanner.stopped && !session.stalled) session.link.resume();
  if (server.dirty) Orphan.adopt(server, session, NOTHING_LEFT, session.context.clock);
  else server.pool.release(server);
  if (session.context.draining) session.closeIfIdle();
}

/** The client has gone while it held a server. */
export function surrender(
  session: Session,
  server: ServerConnection,
  vanished: boolean,
  halfSent: boolean,
): void {
  session.server = null;
  const cancel = vanished && session.service.config.cancelOrphans;
  const { batchOpen } = session;
  if (cancel && server.queue.length > 0) session.service.meters.orphansCancelled++;
  Orphan.adopt(server, session, { cancel, batchOpen, halfSent }, session.context.clock);
}

/** The server has gone while the client held it: the client is told and goes as well. */
export function loseServer(session: Session, server: ServerConnection, reason: string): void {
  const inDoubt = recordDoubt(session, server, reason);
  session.server = null;
  session.context.log.warn('server lost under a client', {
    session: session.id,
    service: session.service.name,
    reason,
    outcome_unknown: inDoubt,
  });
  if (server.farewellDelivered || server.inMessage) {
    session.close('the server closed the connection', false);
    return;
  }
  session.fail(refuse(inDoubt ? 'server_lost_in_commit' : 'server_lost', { severity: 'FATAL' }));
}
