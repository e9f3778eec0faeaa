/**
 * `DEALLOCATE name` for a statement the client prepared by protocol: the server knows it by another
 * name, and others may be using it, so only the client's name is taken away, here.
 */
import type { Statement } from '../sql/statement.ts';
import { TransactionStatus } from '../wire/codes.ts';
import { readyForQuery } from '../wire/constants.ts';
import { encodeCommandComplete } from '../wire/messages/command-complete.ts';
import { Writer } from '../wire/writer.ts';
import { localStatus } from './local-transaction.ts';
import { isOwedReady } from './running.ts';
import type { Session } from './session.ts';

const writer = new Writer();
encodeCommandComplete(writer, 'DEALLOCATE');
export const deallocated = writer.take();

/** Whether the statement names something only this session's table knows. */
export function mustForgetLocally(session: Session, statement: Statement): boolean {
  return statement.deallocateName !== null && session.prepared.has(statement.deallocateName);
}

/**
 * Whether it must not be sent before the client has got what it is owed: which names there are to
 * take away, and whether a transaction that has failed forbids it, may still change.
 */
export function mustWait(session: Session, statement: Statement): boolean {
  const { deallocateName, deallocatesAll, discardsAll } = statement;
  return (deallocateName !== null || deallocatesAll || discardsAll) && isOwedReady(session);
}

/**
 * Answers a whole query string. False in a failed transaction: the server refuses it there, and it
 * has the words for it. Nothing is owed when this is called.
 */
export function forgetPrepared(session: Session, statement: Statement): boolean {
  const status = session.server?.status ?? localStatus(session);
  if (status === TransactionStatus.Failed) return false;
  session.prepared.delete(statement.deallocateName as string);
  session.answer(deallocated);
  session.answer(readyForQuery(status));
  session.service.meters.simpleOk++;
  return true;
}
