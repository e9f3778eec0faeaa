/**
 * How a refusal is made to look like a server's own error, in every position it can have.
 *
 * Without a server nothing has been sent that could be undone: the error is answered here, and in a
 * transaction that exists only here, that transaction has failed.
 *
 * With a server, the server must fail as well, so that its transaction becomes E, implicit work in
 * an un-Synced batch rolls back, and what follows up to Sync is skipped. So in the place of the
 * refused message it is told to execute a portal that cannot exist, and its error is replaced by
 * ours. The portal's name is what the server's log will show.
 *
 *     position                              sent to the server          the client gets
 *     query, no server                      –                           E, Z(I)
 *     query, transaction not yet sent       –                           E, Z(E)
 *     query, server held                    Execute(none), Sync         E, Z(E or I)
 *     extended message, no server           –                           E; at Sync Z(I or E)
 *     extended message, server held         Execute(none)               E; at Sync Z(E or I)
 */
import { Action, Expect } from '../backend/reply-queue.ts';
import type { ReplyOwner } from '../backend/reply-owner.ts';
import type { ServerConnection } from '../backend/server-connection.ts';
import type { ProxyError } from '../errors/proxy-error.ts';
import { readyForQueryFailed, readyForQueryIdle, sync } from '../wire/constants.ts';
import { encodeProxyError } from '../wire/error-response.ts';
import { Scan } from '../wire/frame-scanner.ts';
import { encodeExecute } from '../wire/messages/execute.ts';
import { Writer } from '../wire/writer.ts';
import { failLocally } from './local-transaction.ts';
import type { Session } from './session.ts';

const NO_SUCH_PORTAL = 'sluice refused this statement';

const writer = new Writer();
encodeExecute(writer, NO_SUCH_PORTAL, 0);
const executeNothing = writer.take();

/** Refuses a Query or FunctionCall. */
export function rejectQuery(session: Session, error: ProxyError): Scan {
  const server = session.server;
  if (server === null) {
    session.answerError(error);
    failLocally(session);
    session.answer(session.localFailed ? readyForQueryFailed : readyForQueryIdle);
    return Scan.Drop;
  }
  session.scanner.flushBefore();
  failOnServer(session, server, error);
  server.replies.expect(Expect.Sync, Action.Forward, session);
  session.batchRuns = null;
  server.sendAll(sync);
  session.batchOpen = false;
  return Scan.Drop;
}

/** Refuses a Parse, Bind, Describe or Execute: what follows up to Sync is dropped. */
export function rejectExtended(session: Session, error: ProxyError): Scan {
  session.skipping = true;
  const server = session.server;
  if (server === null) {
    session.answerError(error);
    failLocally(session);
  } else {
    session.scanner.flushBefore();
    failOnServer(session, server, error);
    session.batchOpen = true;
  }
  return Scan.Drop;
}

/** Brings a server's transaction into the state E, without anybody hearing of it. */
export function failToo(server: ServerConnection, owner: ReplyOwner): void {
  server.replies.expect(Expect.Execute, Action.Drop, owner);
  server.sendAll(executeNothing);
  server.ownSync(owner);
}

function failOnServer(session: Session, server: ServerConnection, error: ProxyError): void {
  session.countRefusal(error);
  encodeProxyError(writer, error);
  const entry = server.replies.expect(Expect.Execute, Action.ReplaceError, session);
  entry.payload = writer.take();
  server.sendAll(executeNothing);
}
