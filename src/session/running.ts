/** What a query, a Parse and an Execute have in common on their way to a server. */
import { Action, Expect, type ReplyEntry } from '../backend/reply-queue.ts';
import type { ServerConnection } from '../backend/server-connection.ts';
import type { ProxyError } from '../errors/proxy-error.ts';
import { OVERSIZED_STATEMENT, type Statement, UNLEXABLE_STATEMENT } from '../sql/statement.ts';
import { Kind } from '../sql/statement-kind.ts';
import { latin1 } from '../util/bytes.ts';
import { Scan } from '../wire/frame-scanner.ts';
import type { Session } from './session.ts';

/**
 * What the text of a query or Parse is known to be. `[start, end)` is the text without its zero.
 */
export function recognise(session: Session, buffer: Buffer, start: number, end: number): Statement {
  if (!session.lexable) return UNLEXABLE_STATEMENT;
  return session.context.statements.lookup(
    latin1(buffer, start, end),
    session.standardConformingStrings,
  );
}

/** The error that ended the wait of the message being shown again. */
export function takeRefusal(session: Session): ProxyError | null {
  const refusal = session.refusal;
  session.refusal = null;
  return refusal;
}

/** Whether a ReadyForQuery will come without anything more from the client. */
export function isOwedReady(session: Session): boolean {
  return session.server?.replies.doubts.owesReady(session) === true;
}

/** The message is shown again when something has been answered or read, which must be to come. */
export function stall(session: Session): Scan {
  session.stalled = true;
  session.link.pause();
  return Scan.Stop;
}

/** Something that runs is about to be sent: its answer is owed, and its clock runs. */
export function expectRun(
  session: Session,
  server: ServerConnection,
  expect: Expect,
  statement: Statement,
): ReplyEntry {
  if (server.queue.length === 0) session.statementSinceMs = session.lastActivityMs;
  const entry = server.replies.expect(expect, Action.Forward, session);
  entry.endsTransaction = statement.endsTransaction;
  entry.runs = statement;
  const changes = statement.endsTransaction || statement.kind >= Kind.Insert;
  if (expect === Expect.Execute && changes) session.batchRuns ??= statement;
  entry.pin = statement.pin;
  if (mayChangeNames(statement)) session.ownNames = true;
  if (statement.deallocatesAll || statement.discardsAll) beginForgetting(session, server, entry);
  if (resets(statement)) server.settingsReset = true;
  return entry;
}

/**
 * Something that runs and was not read: a text too long to be kept, or a function call. It may be a
 * bulk INSERT as well as a SET, and pinning every client that loads data would empty the pool. So
 * the server is cleaned before anybody else gets it, and what it did to the session is lost.
 */
export function expectUnread(session: Session, server: ServerConnection, expect: Expect): void {
  expectRun(session, server, expect, OVERSIZED_STATEMENT).pin = null;
  server.dirty = true;
}

/**
 * Whether a text may name other tables after this than before, for this session alone. What begins
 * with a word that nobody knows changes nothing: it fails, and so does all that is sent with it.
 */
function mayChangeNames(statement: Statement): boolean {
  if (statement.kind === Kind.Unknown) return statement.fault !== null;
  return statement.kind >= Kind.Call;
}

/**
 * Whether settings may go back to the server's defaults, which are not those of a client's login.
 */
function resets(statement: Statement): boolean {
  if (statement.count === 1) return statement.kind === Kind.Reset;
  return statement.kinds.includes(Kind.Reset);
}

/**
 * The server is about to be told to forget its statements. Whether it does is known only later, and
 * what is sent behind (drivers send `DISCARD ALL` in one write with the next thing they do) must be
 * right in either case: the client's names are as if it had, and come back if it has not.
 */
function beginForgetting(session: Session, server: ServerConnection, entry: ReplyEntry): void {
  entry.namesBefore = session.prepared;
  session.prepared = new Map();
  session.forgetting++;
  server.statements.clear();
  server.unnamed = null;
  server.doubtful = true;
}
