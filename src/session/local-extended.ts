/**
 * Extended-protocol messages about a BEGIN, COMMIT or ROLLBACK that needs no server (see
 * `local-transaction.ts`): answered here one by one, as the server would.
 */
import type { Prepared } from '../backend/prepared.ts';
import type { Statement } from '../sql/statement.ts';
import { bindComplete, noData, parseComplete } from '../wire/constants.ts';
import { Scan } from '../wire/frame-scanner.ts';
import { encodeParameterDescription } from '../wire/messages/parameter-description.ts';
import { Writer } from '../wire/writer.ts';
import { runLocally } from './local-transaction.ts';
import type { Session } from './session.ts';

const writer = new Writer();
encodeParameterDescription(writer, []);
const noParameters = writer.take();

export function parseLocally(session: Session, prepared: Prepared, name: string): Scan {
  if (name === '') session.unnamed = prepared;
  else session.prepared.set(name, prepared);
  session.answer(parseComplete);
  return Scan.Drop;
}

export function bindLocally(session: Session, prepared: Prepared, portal: string): Scan {
  session.localPortal = prepared;
  session.localPortalName = portal;
  session.answer(bindComplete);
  return Scan.Drop;
}

export function isLocalPortal(session: Session, portal: string): boolean {
  return session.localPortal !== null && session.localPortalName === portal;
}

export function describePortalLocally(session: Session): Scan {
  session.answer(noData);
  return Scan.Drop;
}

export function describeStatementLocally(session: Session): Scan {
  session.answer(noParameters);
  session.answer(noData);
  return Scan.Drop;
}

export function executeLocally(session: Session): Scan {
  const { unnamed } = session;
  const statement = (session.localPortal as Prepared).facts as Statement;
  session.localPortal = null;
  if (runLocally(session, statement)) session.service.meters.extendedOk++;
  else session.skipping = true;
  // Only a simple query takes the unnamed statement away.
  session.unnamed = unnamed;
  return Scan.Drop;
}
