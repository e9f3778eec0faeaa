/**
 * The life of a statement, from top to bottom. This is the file to read first.
 *
 *     frame        wire/frame-scanner.ts cuts the client's bytes into messages and shows them here
 *     recognise    sql/statement-cache.ts: the facts about a text, a lookup for one seen before
 *     locally?     local-transaction.ts: BEGIN, and COMMIT of nothing, need no server
 *     judge        judge.ts: may it run? A refusal goes to reject.ts
 *     lease        lease.ts: a server, now or after a wait; settings and BEGIN travel ahead
 *     forward      back to the scanner: the bytes leave with their neighbours as one run
 *     reply        backend/server-connection.ts cuts the answer out of the server's stream
 *     account      effects.ts: what the answer means for the session; then the lease may end
 *
 * A message that has to wait is answered `Stop`: the scanner keeps it, the link is paused, and it
 * is shown again when the wait is over. Nothing in here may therefore change anything before it is
 * certain that the message will be dealt with now.
 *
 * Budget: 0 allocations per message for a statement seen before, but its text as a string.
 */
import { Action, Expect } from '../backend/reply-queue.ts';
import type { ServerConnection } from '../backend/server-connection.ts';
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { ProxyError, refuse } from '../errors/proxy-error.ts';
import { OVERSIZED_STATEMENT } from '../sql/statement.ts';
import { codeName, Frontend } from '../wire/codes.ts';
import { flush } from '../wire/constants.ts';
import { Scan } from '../wire/frame-scanner.ts';
import { HEADER_BYTES } from '../wire/limits.ts';
import { forgetPrepared, mustForgetLocally, mustWait } from './deallocate.ts';
import { onBind, onClose, onDescribe, onExecute, onFlush, onParse, onSync } from './extended.ts';
import { judge } from './judge.ts';
import { acquire } from './lease.ts';
import { answerQueryLocally } from './local-transaction.ts';
import { rejectQuery } from './reject.ts';
import { expectRun, expectUnread, recognise, stall, takeRefusal } from './running.ts';
import type { Session } from './session.ts';

/** Owed replies a client may have outstanding before it has to wait for half of them. */
const REPLIES_OWED_MAX = 10_000;
export const REPLIES_OWED_ENOUGH = 5_000;

export function clientMessage(
  session: Session,
  code: number,
  buffer: Buffer,
  start: number,
  end: number,
  total: number,
): Scan {
  if (code === Frontend.Terminate) {
    session.close('the client said goodbye', false);
    return Scan.Drop;
  }
  const server = session.server;
  if (server !== null) {
    if (server.copyIn) return duringCopy(session, server, code);
    if (server.queue.length > REPLIES_OWED_MAX) return awaitReplies(session, server);
  }
  // Someone who does not read answers does not get more of them.
  if (session.link.full) return stall(session);
  if (code === Frontend.Sync) return onSync(session);
  // After an error Postgres ignores everything up to Sync, and so do we.
  if (session.skipping || server?.ignoresUntilSync === true) return Scan.Drop;
  switch (code) {
    case Frontend.Query:
      return onQuery(session, buffer, start, end, total);
    case Frontend.Parse:
      return onParse(session, buffer, start, end, total);
    case Frontend.Bind:
      return onBind(session, buffer, start, end, total);
    case Frontend.Execute:
      return onExecute(session, buffer, start, end, total);
    case Frontend.Describe:
      return onDescribe(session, buffer, start, end, total);
    case Frontend.Close:
      return onClose(session, buffer, start, end, total);
    case Frontend.Flush:
      return onFlush(session);
    case Frontend.FunctionCall:
      return onFunctionCall(session);
    case Frontend.CopyDone:
    case Frontend.CopyFail:
      return onCopyEnd(session);
    default:
      throw new ProtocolViolation(`unexpected message ${codeName('F', code)}`);
  }
}

function onQuery(session: Session, buffer: Buffer, start: number, end: number, total: number) {
  const oversized = total > end - start;
  const statement = oversized
    ? OVERSIZED_STATEMENT
    : recognise(session, buffer, start + HEADER_BYTES, end - 1);
  if (session.server === null && answerQueryLocally(session, statement)) return Scan.Drop;
  const refusal = takeRefusal(session) ?? (oversized ? null : judge(session, statement));
  if (refusal !== null) return rejectQuery(session, refusal);
  if (mustWait(session, statement)) return stall(session);
  if (mustForgetLocally(session, statement) && !session.batchOpen) {
    if (forgetPrepared(session, statement)) return Scan.Drop;
  }
  const server = acquire(session);
  if (server === null) return Scan.Stop;
  if (server instanceof ProxyError) return rejectQuery(session, server);
  if (oversized) expectUnread(session, server, Expect.Query);
  else expectRun(session, server, Expect.Query, statement);
  // A simple query takes the unnamed statement away on both sides.
  server.unnamed = null;
  session.unnamed = null;
  return Scan.Keep;
}

function onFunctionCall(session: Session): Scan {
  const refusal = takeRefusal(session);
  if (refusal !== null) return rejectQuery(session, refusal);
  if (session.localFailed) return rejectQuery(session, refuse('transaction_failed'));
  const server = acquire(session);
  if (server === null) return Scan.Stop;
  if (server instanceof ProxyError) return rejectQuery(session, server);
  expectUnread(session, server, Expect.FunctionCall);
  return Scan.Keep;
}

/** Without Sync the server keeps replies to itself until they fill its buffer, or it is asked. */
function awaitReplies(session: Session, server: ServerConnection): Scan {
  if (session.batchOpen) {
    session.scanner.flushBefore();
    server.sendAll(flush);
  }
  return stall(session);
}

/** The server reads COPY data now: it ignores Sync and Flush, and nothing else may come. */
function duringCopy(session: Session, server: ServerConnection, code: number): Scan {
  switch (code) {
    case Frontend.CopyDone:
    case Frontend.CopyFail:
      server.copyIn = false;
      return onCopyEnd(session);
    case Frontend.Sync:
    case Frontend.Flush:
      return Scan.Drop;
    default:
      throw new ProtocolViolation(`unexpected message ${codeName('F', code)} during COPY`);
  }
}

/**
 * The end of COPY data. Without a server it is the tail of a COPY that has failed and been
 * answered: Postgres ignores it.
 */
function onCopyEnd(session: Session): Scan {
  const server = session.server;
  if (server === null) return Scan.Drop;
  if (server.queue.length > 0) server.replies.expect(Expect.CopyEnd, Action.Forward, session);
  return Scan.Keep;
}
