/**
 * Transactions as far as they need no server. A plain BEGIN is answered at once and sent ahead of
 * the first statement that needs a server: a client that opens a transaction and then thinks does
 * not hold a server while it thinks. COMMIT or ROLLBACK of a transaction that never got that far
 * ends it here.
 *
 * Only exact forms are answered here (`Statement.plainBegin` and its siblings): those that Postgres
 * cannot refuse. Where its answer depends on more than is known here, it is asked.
 *
 * Known difference: `now()` is the time at which BEGIN reached the server.
 */
import type { ErrorFields } from '../wire/error-response.ts';
import { encodeNoticeResponse, errorFields } from '../wire/error-response.ts';
import { refuse } from '../errors/proxy-error.ts';
import type { Statement } from '../sql/statement.ts';
import { Kind } from '../sql/statement-kind.ts';
import { TransactionStatus } from '../wire/codes.ts';
import { emptyQueryResponse, readyForQuery } from '../wire/constants.ts';
import { encodeCommandComplete } from '../wire/messages/command-complete.ts';
import { Writer } from '../wire/writer.ts';
import type { Session } from './session.ts';
import { move, Phase } from './session-states.ts';

const writer = new Writer();

const ALREADY_IN_TRANSACTION: ErrorFields = errorFields(
  'WARNING',
  '25001',
  'there is already a transaction in progress',
);

/** What ReadyForQuery says to a session that holds no server. */
export function localStatus(session: Session): TransactionStatus {
  if (session.localFailed) return TransactionStatus.Failed;
  return session.deferredBegin === null ? TransactionStatus.Idle : TransactionStatus.Transaction;
}

/** Whether a transaction that has failed refuses it: all but its end, and nothing at all. */
export function needsTransaction(statement: Statement): boolean {
  return !statement.endsTransaction && statement.kind !== Kind.Empty;
}

/**
 * Whether all that can come of the statement is that its transaction has failed. What might end the
 * transaction in other than the plain words a server must answer.
 */
export function failsLocally(session: Session, statement: Statement): boolean {
  return session.localFailed && needsTransaction(statement);
}

/** Whether the statement can be answered without a server. The session holds none. */
export function isLocal(session: Session, statement: Statement): boolean {
  // Nothing at all may be run even in a transaction that has failed.
  if (session.localFailed && statement.kind === Kind.Empty) return true;
  if (failsLocally(session, statement)) return true;
  if (session.service.config.pool.mode !== 'transaction') return false;
  if (statement.plainBegin) return true;
  return session.deferredBegin !== null && (statement.plainCommit || statement.plainRollback);
}

/** Answers a whole query string if it can be answered here. */
export function answerQueryLocally(session: Session, statement: Statement): boolean {
  // A wait that failed is reported before anything else is answered.
  if (session.refusal !== null || !isLocal(session, statement)) return false;
  runLocally(session, statement);
  session.answer(readyForQuery(localStatus(session)));
  session.service.meters.simpleOk++;
  return true;
}

/** Runs a statement for which `isLocal` holds, up to its CommandComplete or error. */
export function runLocally(session: Session, statement: Statement): boolean {
  session.unnamed = null;
  if (failsLocally(session, statement)) {
    session.answerError(refuse('transaction_failed'));
    return false;
  }
  if (statement.kind === Kind.Empty) {
    session.answer(emptyQueryResponse);
    return true;
  }
  // COMMIT of a failed transaction is a ROLLBACK, and says so.
  let tag = session.localFailed ? 'ROLLBACK' : (statement.commandTag as string);
  if (statement.plainBegin) tag = begin(session, statement);
  else end(session);
  encodeCommandComplete(writer, tag);
  session.answer(writer.take());
  return true;
}

function begin(session: Session, statement: Statement): string {
  if (session.deferredBegin === null) {
    session.deferredBegin = statement;
    session.transactionSinceMs = session.lastActivityMs;
    move(session, Phase.Open);
  } else {
    encodeNoticeResponse(writer, ALREADY_IN_TRANSACTION);
    session.answer(writer.take());
  }
  return statement.commandTag as string;
}

function end(session: Session): void {
  session.deferredBegin = null;
  session.localFailed = false;
  session.transactionSinceMs = 0;
  move(session, Phase.Idle);
}

/** An error was answered here: a transaction that exists only here has failed. */
export function failLocally(session: Session): void {
  session.localFailed = session.deferredBegin !== null;
}
