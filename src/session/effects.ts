/**
 * What a server's answers mean for the session beyond their bytes: statements that are gone, pins
 * that begin or end, and what a skipped message would have done.
 */
import { forgetState } from '../backend/orphan.ts';
import { Expect, type ReplyEntry } from '../backend/reply-queue.ts';
import type { ServerConnection } from '../backend/server-connection.ts';
import type { PinReason } from '../sql/pin-reason.ts';
import { latin1 } from '../util/bytes.ts';
import { outlivesError, pin } from './pins.ts';
import type { Session } from './session.ts';

const LETTER_D = 0x44;
const LETTER_R = 0x52;
const TAG_BYTES_MAX = 14; // DEALLOCATE ALL

export function afterCompletion(
  session: Session,
  server: ServerConnection,
  entry: ReplyEntry,
  tag: Buffer,
): void {
  if (entry.pin !== null) pin(session, server, entry.pin as PinReason);
  const first = tag[0];
  if ((first !== LETTER_D && first !== LETTER_R) || tag.length > TAG_BYTES_MAX) return;
  switch (latin1(tag, 0, tag.length)) {
    case 'DISCARD ALL':
      forgetState(server);
      session.prepared.clear();
      session.unnamed = null;
      session.discarded = true;
      session.pinReason = null;
      break;
    case 'DEALLOCATE ALL':
      server.statements.clear();
      session.prepared.clear();
      break;
    case 'DEALLOCATE':
      if (entry.prepared !== null) server.statements.delete(entry.prepared);
      break;
  }
}

/** A statement failed; some leave something behind all the same. */
export function afterError(session: Session, server: ServerConnection, entry: ReplyEntry): void {
  if (entry.pin !== null && outlivesError(entry.pin as PinReason)) {
    pin(session, server, entry.pin as PinReason);
  }
}

/** The server did not do what this entry was about: the client's names are as they were before. */
export function undoSkipped(session: Session, entry: ReplyEntry): void {
  if (entry.expect === Expect.Parse) {
    if (entry.name !== '') session.prepared.delete(entry.name);
    else if (session.unnamed === entry.prepared) session.unnamed = null;
  } else if (entry.expect === Expect.Close && entry.prepared !== null && entry.name !== '') {
    if (!session.prepared.has(entry.name)) session.prepared.set(entry.name, entry.prepared);
  }
}
