/** Keeping a session on its server, because the server has something no other one has. */
import type { ServerConnection } from '../backend/server-connection.ts';
import { PinReason } from '../sql/pin-reason.ts';
import type { Session } from './session.ts';

/** What cannot be kept in transaction pooling, as the subject of a sentence. */
export const PIN_TEXTS: Readonly<Record<PinReason, string>> = {
  [PinReason.Set]: 'a session setting',
  [PinReason.SetConfig]: 'a session setting made by set_config',
  [PinReason.SetRole]: 'a role set for the session',
  [PinReason.SessionCharacteristics]: 'a session characteristic',
  [PinReason.TempTable]: 'a temporary object',
  [PinReason.AdvisoryLock]: 'a session-level advisory lock',
  [PinReason.Listen]: 'LISTEN',
  [PinReason.Prepare]: 'a statement prepared by SQL',
  [PinReason.WithHoldCursor]: 'a cursor WITH HOLD',
  [PinReason.Load]: 'a loaded library',
  [PinReason.Sequence]: 'currval or lastval',
  [PinReason.SessionFunction]: 'a function that keeps state in the session',
  [PinReason.Unknown]: 'a statement that could not be read',
};

/** These are there even when the statement that made them has failed. */
export function outlivesError(reason: PinReason): boolean {
  return (
    reason === PinReason.AdvisoryLock ||
    reason === PinReason.SessionFunction ||
    reason === PinReason.Load
  );
}

/** From here on the server is the session's until it disconnects or discards all. */
export function pin(session: Session, server: ServerConnection, reason: PinReason): void {
  if (session.keepsServer || session.pinReason !== null) return;
  session.pinReason = reason;
  session.ownNames = true;
  server.dirty = true;
  session.service.meters.pin(reason);
  session.context.log.info('session pinned', {
    session: session.id,
    service: session.service.name,
    user: session.user,
    reason,
  });
}
