/**
 * What a server's answers mean for the session beyond their bytes: statements that are gone, pins
 * that begin or end, and what a skipped message would have done.
 */
import { Action, Expect, type ReplyEntry } from '../backend/reply-queue.ts';
import type { ServerConnection } from '../backend/server-connection.ts';
import { NO_SETTINGS } from '../backend/session-vars.ts';
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
      server.dirty = false;
      server.settings = NO_SETTINGS;
      session.discarded = true;
      session.pinReason = null;
      forgetStatements(session, server, entry);
      break;
    case 'DEALLOCATE ALL':
      forgetStatements(session, server, entry);
      break;
    case 'DEALLOCATE':
      if (entry.prepared !== null) server.statements.delete(entry.prepared);
      break;
  }
}

/**
 * Named statements are gone, but for those whose Parse the client has sent behind: drivers send
 * `DISCARD ALL` in one write with the next thing they do.
 */
function forgetStatements(session: Session, server: ServerConnection, entry: ReplyEntry): void {
  session.prepared.clear();
  if (!entry.forgets) server.statements.clear();
  server.doubtful = !entry.forgets;
  for (let index = 1; index < server.queue.length; index++) {
    const later = server.queue.at(index);
    if (later.forgets) server.doubtful = true;
    if (later.owner !== session || later.name === '') continue;
    if (later.expect === Expect.Parse && later.prepared !== null) {
      session.prepared.set(later.name, later.prepared);
    } else if (later.expect === Expect.Close) session.prepared.delete(later.name);
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
  // A Parse of ours on the client's behalf gave no name to anything.
  if (entry.action === Action.Drop || entry.prepared === null) return;
  if (entry.expect === Expect.Parse) {
    if (entry.name === '') session.unnamed = entry.previous;
    else session.prepared.delete(entry.name);
  } else if (entry.expect === Expect.Close) {
    if (entry.name === '') session.unnamed = entry.prepared;
    else session.prepared.set(entry.name, entry.prepared);
  }
}
