/**
 * What a server's answers mean for the session beyond their bytes: statements that are gone, pins
 * that begin or end, and what a skipped message would have done.
 */
import type { Prepared } from '../backend/prepared.ts';
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
const FEATURE_NOT_SUPPORTED = '0A000';

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
export function afterError(
  session: Session,
  server: ServerConnection,
  entry: ReplyEntry,
  sqlstate: string,
): void {
  const uses = entry.expect === Expect.Bind || entry.expect === Expect.Describe;
  if (uses && entry.prepared !== null && sqlstate === FEATURE_NOT_SUPPORTED) {
    // "cached plan must not change result type": a table is not what it was. Whoever prepares the
    // text again must get it prepared again, and not the old one that servers have.
    session.context.prepared.retire(entry.prepared);
  }
  if (entry.expect === Expect.Query) rememberStatements(session, entry);
  undoneWithBatch(session, server, entry);
  if (entry.pin !== null && outlivesError(entry.pin as PinReason)) {
    pin(session, server, entry.pin as PinReason);
  }
}

/** What ran before the error, outside of a transaction block, commits no more. */
function undoneWithBatch(session: Session, server: ServerConnection, entry: ReplyEntry): void {
  if (entry.expect === Expect.Query || entry.expect === Expect.FunctionCall) {
    entry.runs = null;
    return;
  }
  for (let index = 0; index < server.queue.length; index++) {
    const later = server.queue.at(index);
    later.runs = null;
    if (later.expect === Expect.Sync) return;
  }
  session.batchRuns = null;
}

/** The server did not do what this entry was about: the client's names are as they were before. */
export function undoSkipped(session: Session, server: ServerConnection, entry: ReplyEntry): void {
  rememberStatements(session, entry);
  // A Parse of ours on the client's behalf gave no name to anything.
  if (entry.action === Action.Drop || entry.prepared === null) return;
  if (entry.expect === Expect.Parse) {
    if (entry.name === '') restoreUnnamed(session, server, entry.previous);
    else session.prepared.delete(entry.name);
  } else if (entry.expect === Expect.Close) {
    if (entry.name === '') restoreUnnamed(session, server, entry.prepared);
    else session.prepared.set(entry.name, entry.prepared);
  }
}

/**
 * A name is not touched again before the batch that has touched it is answered, but the unnamed
 * statement may have been: then it is what lies before that which changes.
 */
function restoreUnnamed(
  session: Session,
  server: ServerConnection,
  previous: Prepared | null,
): void {
  let skipped = true;
  for (let index = 0; index < server.queue.length; index++) {
    const later = server.queue.at(index);
    if (later.expect === Expect.Sync) skipped = false;
    if (skipped || later.owner !== session || later.action === Action.Drop) continue;
    if (later.expect === Expect.Query) return;
    if (later.expect !== Expect.Parse || later.name !== '') continue;
    later.previous = previous;
    return;
  }
  session.unnamed = previous;
}
