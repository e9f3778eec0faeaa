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
      // In session pooling whatever comes after this is not looked at.
      server.dirty = session.service.config.pool.mode === 'session';
      server.settings = NO_SETTINGS;
      server.settingsReset = false;
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

/** Named statements are gone. What has been sent behind was sent in the knowledge of this. */
function forgetStatements(session: Session, server: ServerConnection, entry: ReplyEntry): void {
  if (entry.namesBefore === null) {
    // In a text that was not read.
    session.prepared.clear();
    server.statements.clear();
    server.doubtful = true;
    return;
  }
  entry.namesBefore = null;
  session.forgetting--;
  if (session.forgetting === 0) server.doubtful = false;
}

/** They are not gone after all. */
function rememberStatements(session: Session, entry: ReplyEntry): void {
  if (entry.namesBefore === null) return;
  session.prepared = entry.namesBefore;
  entry.namesBefore = null;
  session.forgetting--;
}

/** A statement failed; some leave something behind all the same. */
export function afterError(session: Session, server: ServerConnection, entry: ReplyEntry): void {
  if (entry.expect === Expect.Query) rememberStatements(session, entry);
  if (entry.pin !== null && outlivesError(entry.pin as PinReason)) {
    pin(session, server, entry.pin as PinReason);
  }
}

/** The server did not do what this entry was about: the client's names are as they were before. */
export function undoSkipped(session: Session, entry: ReplyEntry): void {
  rememberStatements(session, entry);
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
