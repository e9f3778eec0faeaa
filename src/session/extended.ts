/**
 * Extended-protocol messages: the client's names for statements become the server's, whichever
 * server that is this time.
 *
 * A named Parse is remembered by the session and sent under a name of ours; a server that has the
 * same text already is not asked, and ParseComplete is made up in its place. Bind and Describe of a
 * statement the present server lacks bring it along. The unnamed statement stays unnamed, because
 * Postgres plans it differently, and is brought along in the same way.
 *
 * Portals live within a transaction, so they are the server's business alone; remembered here is
 * only what each of them would run.
 */
import type { Prepared } from '../backend/prepared.ts';
import { Action, Expect } from '../backend/reply-queue.ts';
import type { ServerConnection } from '../backend/server-connection.ts';
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { ProxyError, refuse } from '../errors/proxy-error.ts';
import { OVERSIZED_STATEMENT, type Statement } from '../sql/statement.ts';
import { latin1 } from '../util/bytes.ts';
import { TransactionStatus } from '../wire/codes.ts';
import { closeComplete, parseComplete, readyForQuery } from '../wire/constants.ts';
import { Scan } from '../wire/frame-scanner.ts';
import { HEADER_BYTES } from '../wire/limits.ts';
import { ObjectKind } from '../wire/messages/describe-close.ts';
import { deallocated, mustForgetLocally, mustWait } from './deallocate.ts';
import { PinReason } from '../sql/pin-reason.ts';
import { judge } from './judge.ts';
import { acquire } from './lease.ts';
import {
  bindLocally,
  describePortalLocally,
  describeStatementLocally,
  executeLocally,
  isLocalPortal,
  parseLocally,
} from './local-extended.ts';
import { failsLocally, isLocal, localStatus, needsTransaction } from './local-transaction.ts';
import { pin } from './pins.ts';
import { rejectExtended } from './reject.ts';
import { expectRun, isOwedReady, recognise, stall, takeRefusal } from './running.ts';
import {
  provideStatement,
  sendBind,
  sendDescribePortal,
  sendDescribeStatement,
  sendParse,
  touch,
} from './server-statements.ts';
import type { Session } from './session.ts';

export function onParse(
  session: Session,
  buffer: Buffer,
  start: number,
  end: number,
  total: number,
): Scan {
  const nameStart = start + HEADER_BYTES;
  const nameEnd = endOfString(buffer, nameStart, end);
  const name = latin1(buffer, nameStart, nameEnd);
  if (namesInDoubt(session, name)) return stall(session);
  const oversized = total > end - start;
  const prepared = oversized
    ? session.context.prepared.unshared(OVERSIZED_STATEMENT)
    : intern(session, buffer, nameEnd + 1, end);
  if (name !== '' && session.prepared.has(name)) {
    // Which error it is depends on the transaction.
    if (isOwedReady(session)) return stall(session);
    return rejectExtended(session, taken(session, prepared.facts as Statement, name));
  }
  if (session.server === null) {
    if (failsLocally(session, prepared.facts as Statement)) {
      return rejectExtended(session, refuse('transaction_failed'));
    }
    if (isLocal(session, prepared.facts as Statement)) return parseLocally(session, prepared, name);
  }
  const server = lease(session);
  if (!(server instanceof Object)) return server;
  // Whether it can be made up that the server has parsed it depends on how earlier batches end.
  const known = name !== '' && server.statements.has(prepared);
  if (known && isOwedReady(session)) return stall(session);
  session.batchOpen = true;
  // Its text was not kept, so it cannot be brought along to another server.
  if (oversized && judge(session, OVERSIZED_STATEMENT) === null) {
    pin(session, server, PinReason.Unknown);
  }
  if (name === '') {
    const entry = server.replies.expectParse(Action.Forward, session, prepared, '');
    entry.previous = session.unnamed;
    session.unnamed = prepared;
    server.unnamed = prepared;
    return Scan.Keep;
  }
  session.prepared.set(name, prepared);
  // In a failed transaction the server must say so itself.
  if (known && server.status !== TransactionStatus.Failed) {
    touch(server, prepared);
    session.service.meters.preparedHits++;
    server.replies.fake(Expect.Parse, session, parseComplete, prepared, name);
    return Scan.Drop;
  }
  session.service.meters.preparedMisses++;
  session.scanner.flushBefore();
  sendParse(session, server, prepared, name, buffer, nameEnd + 1, end, total - (end - start));
  return Scan.Rest;
}

/**
 * The statement everybody shares who means the same by the text. After a CREATE TEMP TABLE, say, a
 * text may name another table than it does for those who have prepared it on this server, and
 * Postgres does not look again when a statement it has is used: then the session gets its own.
 */
function intern(session: Session, buffer: Buffer, start: number, end: number): Prepared {
  const facts = (): Statement => recognise(session, buffer, start, endOfString(buffer, start, end));
  const { prepared } = session.context;
  if (session.ownNames) return prepared.own(buffer, start, end, facts());
  return prepared.intern(buffer, start, end, session.textVariant, facts);
}

export function onBind(
  session: Session,
  buffer: Buffer,
  start: number,
  end: number,
  total: number,
): Scan {
  const portalStart = start + HEADER_BYTES;
  const portalEnd = endOfString(buffer, portalStart, end);
  const nameEnd = endOfString(buffer, portalEnd + 1, end);
  const name = latin1(buffer, portalEnd + 1, nameEnd);
  if (namesInDoubt(session, name)) return stall(session);
  const prepared = find(session, name);
  if (prepared === null) return rejectExtended(session, missing(name));
  const portal = latin1(buffer, portalStart, portalEnd);
  if (session.server === null) {
    // Nothing at all may be parsed in a failed transaction, but not bound.
    const { endsTransaction } = prepared.facts as Statement;
    if (session.localFailed && !endsTransaction) {
      return rejectExtended(session, refuse('transaction_failed'));
    }
    const free = session.localPortal === null || isLocalPortal(session, portal);
    if (free && isLocal(session, prepared.facts as Statement)) {
      return bindLocally(session, prepared, portal);
    }
  }
  const server = lease(session);
  if (!(server instanceof Object)) return server;
  if (server.replies.doubts.aboutStatement(prepared, name)) return stall(session);
  const lost = provideStatement(session, server, prepared, name);
  if (lost) return rejectExtended(session, missing(name));
  session.batchOpen = true;
  if (portal === '') session.portal = prepared;
  else {
    session.portals ??= new Map();
    session.portals.set(portal, prepared);
  }
  const entry = server.replies.expect(Expect.Bind, Action.Forward, session);
  if (name !== '') entry.prepared = prepared;
  if (name === '') return Scan.Keep;
  session.scanner.flushBefore();
  sendBind(
    server,
    prepared,
    buffer,
    portalStart,
    portalEnd,
    nameEnd + 1,
    end,
    total - (end - start),
  );
  return Scan.Rest;
}

export function onDescribe(
  session: Session,
  buffer: Buffer,
  start: number,
  end: number,
  total: number,
): Scan {
  const { kind, name } = objectName(buffer, start, end, total);
  if (kind === ObjectKind.Portal) {
    if (session.server === null && isLocalPortal(session, name)) {
      return describePortalLocally(session);
    }
    return pass(session, Expect.Describe);
  }
  if (namesInDoubt(session, name)) return stall(session);
  const prepared = find(session, name);
  if (prepared === null) return rejectExtended(session, missing(name));
  if (session.server === null) {
    if (failsLocally(session, prepared.facts as Statement)) {
      return rejectExtended(session, refuse('transaction_failed'));
    }
    if (isLocal(session, prepared.facts as Statement)) return describeStatementLocally(session);
  }
  const server = lease(session);
  if (!(server instanceof Object)) return server;
  if (server.replies.doubts.aboutStatement(prepared, name)) return stall(session);
  if (provideStatement(session, server, prepared, name)) {
    return rejectExtended(session, missing(name));
  }
  session.batchOpen = true;
  const entry = server.replies.expect(Expect.Describe, Action.Forward, session);
  if (name !== '') entry.prepared = prepared;
  if (name === '') return Scan.Keep;
  session.scanner.flushBefore();
  sendDescribeStatement(server, prepared);
  return Scan.Drop;
}

export function onExecute(
  session: Session,
  buffer: Buffer,
  start: number,
  end: number,
  total: number,
): Scan {
  if (total > end - start) throw new ProtocolViolation('invalid length of Execute');
  const nameEnd = endOfString(buffer, start + HEADER_BYTES, end);
  const name = latin1(buffer, start + HEADER_BYTES, nameEnd);
  if (session.server === null && isLocalPortal(session, name)) return executeLocally(session);
  const prepared = name === '' ? session.portal : (session.portals?.get(name) ?? null);
  // A portal we have not seen bound is one that SQL declared as a cursor: it runs a query.
  const statement = prepared === null ? null : (prepared.facts as Statement);
  const refusal = takeRefusal(session) ?? (statement === null ? null : judge(session, statement));
  if (refusal !== null) return rejectExtended(session, refusal);
  const server = lease(session);
  if (!(server instanceof Object)) return server;
  session.batchOpen = true;
  if (statement !== null) {
    if (mustWait(session, statement)) return stall(session);
    const here = mustForgetLocally(session, statement);
    if (here && server.status !== TransactionStatus.Failed) {
      return forget(session, server, statement, name);
    }
  }
  if (statement === null) server.replies.expect(Expect.Execute, Action.Forward, session);
  else expectRun(session, server, Expect.Execute, statement);
  return Scan.Keep;
}

/**
 * DEALLOCATE of a name that only the session knows: the same as Close, in other words. Whether the
 * portal that is to be executed is still there only the server can tell.
 */
function forget(
  session: Session,
  server: ServerConnection,
  statement: Statement,
  portal: string,
): Scan {
  session.scanner.flushBefore();
  sendDescribePortal(session, server, portal);
  const name = statement.deallocateName as string;
  const prepared = find(session, name);
  session.prepared.delete(name);
  server.replies.fake(Expect.Close, session, deallocated, prepared, name);
  return Scan.Drop;
}

export function onClose(
  session: Session,
  buffer: Buffer,
  start: number,
  end: number,
  total: number,
): Scan {
  const { kind, name } = objectName(buffer, start, end, total);
  if (kind === ObjectKind.Portal) {
    if (session.server === null) {
      if (isLocalPortal(session, name)) session.localPortal = null;
      session.answer(closeComplete);
      return Scan.Drop;
    }
    if (name === '') session.portal = null;
    else session.portals?.delete(name);
    return pass(session, Expect.Close);
  }
  if (namesInDoubt(session, name)) return stall(session);
  // The server keeps it for the next who wants it. Closing what does not exist is no error.
  const prepared = find(session, name);
  if (name === '') session.unnamed = null;
  else session.prepared.delete(name);
  if (session.server === null) session.answer(closeComplete);
  else session.server.replies.fake(Expect.Close, session, closeComplete, prepared, name);
  return Scan.Drop;
}

export function onFlush(session: Session): Scan {
  return session.server === null ? Scan.Drop : Scan.Keep;
}

export function onSync(session: Session): Scan {
  session.skipping = false;
  const server = session.server;
  if (server === null) {
    // Portals live as long as their transaction.
    if (session.deferredBegin === null) session.localPortal = null;
    session.answer(readyForQuery(localStatus(session)));
    return Scan.Drop;
  }
  const entry = server.replies.expect(Expect.Sync, Action.Forward, session);
  entry.runs = session.batchRuns;
  session.batchRuns = null;
  server.ignoresUntilSync = false;
  session.batchOpen = false;
  return Scan.Keep;
}

/** A message that needs a server and nothing else. */
function pass(session: Session, expect: Expect): Scan {
  const server = lease(session);
  if (!(server instanceof Object)) return server;
  session.batchOpen = true;
  server.replies.expect(expect, Action.Forward, session);
  return Scan.Keep;
}

/** The server to send to, or what to answer the scanner instead. */
function lease(session: Session): ServerConnection | Scan {
  const refusal = takeRefusal(session);
  if (refusal !== null) return rejectExtended(session, refusal);
  const server = acquire(session);
  if (server === null) return Scan.Stop;
  if (server instanceof ProxyError) return rejectExtended(session, server);
  return server;
}

/** Whether the client has its names depends on what is still to be answered. */
function namesInDoubt(session: Session, name: string): boolean {
  if (session.server === null || name === '') return false;
  const { doubts } = session.server.replies;
  if (session.forgetting > 0 && doubts.aboutForgetting(session)) return true;
  return doubts.aboutNames(session);
}

function find(session: Session, name: string): Prepared | null {
  return name === '' ? session.unnamed : (session.prepared.get(name) ?? null);
}

/** Postgres looks for a statement to bind or describe before it looks at the transaction. */
function missing(name: string): ProxyError {
  return name === '' ? refuse('unnamed_missing') : refuse('prepared_missing', { values: { name } });
}

/** It looks at the transaction before it finds the name of a new statement taken. */
function taken(session: Session, statement: Statement, name: string): ProxyError {
  const status = session.server?.status ?? localStatus(session);
  return status === TransactionStatus.Failed && needsTransaction(statement)
    ? refuse('transaction_failed')
    : refuse('prepared_exists', { values: { name } });
}

function objectName(
  buffer: Buffer,
  start: number,
  end: number,
  total: number,
): { kind: number; name: string } {
  if (total > end - start) throw new ProtocolViolation('invalid length of Describe or Close');
  const kind = buffer[start + HEADER_BYTES] as number;
  if (kind !== ObjectKind.Portal && kind !== ObjectKind.Statement) {
    throw new ProtocolViolation(`invalid kind ${kind} in Describe or Close`);
  }
  const nameStart = start + HEADER_BYTES + 1;
  return { kind, name: latin1(buffer, nameStart, endOfString(buffer, nameStart, end)) };
}

function endOfString(buffer: Buffer, start: number, end: number): number {
  const zero = buffer.indexOf(0, start);
  if (zero < 0 || zero >= end) throw new ProtocolViolation('a name without its end');
  return zero;
}
