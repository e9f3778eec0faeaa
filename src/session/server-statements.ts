/** Prepared statements on the side of the server: sent, brought along, and evicted. */
import type { Prepared } from '../backend/prepared.ts';
import { Action, Expect } from '../backend/reply-queue.ts';
import type { ServerConnection } from '../backend/server-connection.ts';
import { Frontend } from '../wire/codes.ts';
import { encodeBind } from '../wire/messages/bind.ts';
import { ObjectKind } from '../wire/messages/describe-close.ts';
import { Writer } from '../wire/writer.ts';
import type { Session } from './session.ts';

const writer = new Writer();
const UNNAMED = Buffer.from([0]);

/**
 * Sends a client's named Parse under the server's name. `restBytes` of the message have not arrived
 * and will be passed on by the scanner.
 */
export function sendParse(
  session: Session,
  server: ServerConnection,
  prepared: Prepared,
  name: string,
  buffer: Buffer,
  bodyStart: number,
  bodyEnd: number,
  restBytes: number,
): void {
  prepareName(session, server, prepared);
  writeParse(prepared.serverName, buffer, bodyStart, bodyEnd, restBytes);
  flush(server);
  server.replies.expectParse(Action.Forward, session, prepared, name);
}

/** Sees to it that the server can take a Parse under the statement's name, and counts it in. */
function prepareName(session: Session, server: ServerConnection, prepared: Prepared): void {
  const known = server.statements.has(prepared);
  if (known || server.doubtful) sendClose(server, prepared, known);
  makeRoom(server, session.service.config.pool.preparedStatements);
  server.statements.add(prepared);
}

/** Makes sure that the server has the statement; true when that cannot be done any more. */
export function provideStatement(
  session: Session,
  server: ServerConnection,
  prepared: Prepared,
  name: string,
): boolean {
  if (name === '') {
    if (server.unnamed === prepared) return false;
    if (prepared.huge) return true;
    session.scanner.flushBefore();
    inject(session, server, prepared, '');
    server.unnamed = prepared;
    return false;
  }
  if (server.statements.has(prepared)) {
    touch(server, prepared);
    session.service.meters.preparedHits++;
    return false;
  }
  if (prepared.huge) return true;
  session.service.meters.preparedMisses++;
  session.scanner.flushBefore();
  prepareName(session, server, prepared);
  inject(session, server, prepared, name);
  return false;
}

/** A Parse of our own in the client's batch: its success is not shown, its failure is. */
function inject(
  session: Session,
  server: ServerConnection,
  prepared: Prepared,
  name: string,
): void {
  const serverName = name === '' ? UNNAMED : prepared.serverName;
  writeParse(serverName, prepared.body, 0, prepared.body.length, 0);
  flush(server);
  server.replies.expectParse(Action.Drop, session, prepared, name);
}

/** Makes a portal on the server that has been bound here only, without parameters. */
export function carryPortal(session: Session, server: ServerConnection, prepared: Prepared): void {
  inject(session, server, prepared, '');
  server.unnamed = prepared;
  encodeBind(writer, {
    portal: session.localPortalName,
    statement: '',
    formats: [],
    values: [],
    resultFormats: [],
  });
  flush(server);
  server.replies.expect(Expect.Bind, Action.Drop, session);
  session.localPortal = null;
  if (session.localPortalName === '') session.portal = prepared;
  else {
    session.portals ??= new Map();
    session.portals.set(session.localPortalName, prepared);
  }
  session.batchOpen = true;
}

/** The set is ordered from least to most recently used. */
export function touch(server: ServerConnection, prepared: Prepared): void {
  server.statements.delete(prepared);
  server.statements.add(prepared);
}

function makeRoom(server: ServerConnection, statementsMax: number): void {
  // One has to be allowed, or a Bind could never find its statement.
  while (server.statements.size >= Math.max(1, statementsMax)) {
    const oldest = server.statements.values().next().value as Prepared;
    sendClose(server, oldest, true);
  }
}

/** Closing what the server does not have is no error. If it is skipped, what was known still is. */
function sendClose(server: ServerConnection, prepared: Prepared, known: boolean): void {
  server.statements.delete(prepared);
  writer.begin(Frontend.Close);
  writer.int8(ObjectKind.Statement);
  writer.bytes(prepared.serverName);
  writer.end();
  flush(server);
  const entry = server.replies.expect(Expect.Close, Action.Drop, null);
  if (known) entry.prepared = prepared;
}

export function sendBind(
  server: ServerConnection,
  prepared: Prepared,
  buffer: Buffer,
  portalStart: number,
  portalEnd: number,
  restStart: number,
  restEnd: number,
  restBytes: number,
): void {
  writer.begin(Frontend.Bind);
  writer.bytes(buffer, portalStart, portalEnd + 1);
  writer.bytes(prepared.serverName);
  writer.bytes(buffer, restStart, restEnd);
  endWithRest(restBytes);
  flush(server);
}

/** Asks whether there is such a portal: the client hears of it only if there is none. */
export function sendDescribePortal(
  session: Session,
  server: ServerConnection,
  portal: string,
): void {
  writer.begin(Frontend.Describe);
  writer.int8(ObjectKind.Portal);
  writer.bytes(Buffer.from(portal, 'latin1'));
  writer.int8(0);
  writer.end();
  flush(server);
  server.replies.expect(Expect.Describe, Action.Drop, session);
}

export function sendDescribeStatement(server: ServerConnection, prepared: Prepared): void {
  writer.begin(Frontend.Describe);
  writer.int8(ObjectKind.Statement);
  writer.bytes(prepared.serverName);
  writer.end();
  flush(server);
}

function writeParse(
  serverName: Buffer,
  buffer: Buffer,
  start: number,
  end: number,
  restBytes: number,
): void {
  writer.begin(Frontend.Parse);
  writer.bytes(serverName);
  writer.bytes(buffer, start, end);
  endWithRest(restBytes);
}

/** The length counts bytes that are not in the writer but follow on the link. */
function endWithRest(restBytes: number): void {
  const { lengthAt } = writer;
  writer.end();
  if (restBytes > 0) {
    writer.buffer.writeInt32BE(writer.length - lengthAt + restBytes, lengthAt);
  }
}

function flush(server: ServerConnection): void {
  server.sendWritten(writer);
}
