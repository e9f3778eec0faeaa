/**
 * Deadlines of sessions, kept by one sweep over those that can have one, rather than by a timer
 * each: a deadline that is set and cleared with every statement costs nothing this way.
 *
 *     idle in transaction   a transaction or an un-Synced batch is open, the server owes nothing
 *                           (or waits for the rest of a message), and the client says nothing
 *     transaction           since BEGIN
 *     client idle           no transaction, no statement, nothing said
 */
import { refuse } from '../errors/proxy-error.ts';
import type { Service } from './service.ts';
import type { Session } from './session.ts';

/** How late a deadline may be noticed. */
export const SWEEP_EVERY_MS = 100;

export function sweep(services: Iterable<Service>, nowMs: number): void {
  for (const service of services) {
    const { idleInTransactionMs, transactionMs, clientIdleMs } = service.config.timeouts;
    if (idleInTransactionMs > 0 || transactionMs > 0) {
      for (const session of service.active) sweepTransaction(session, nowMs);
      for (const session of service.open) sweepTransaction(session, nowMs);
    }
    if (clientIdleMs > 0) {
      for (const session of service.idle) {
        if (nowMs - session.lastActivityMs > clientIdleMs) session.fail(refuse('client_idle'));
      }
    }
  }
}

function sweepTransaction(session: Session, nowMs: number): void {
  const { idleInTransactionMs, transactionMs } = session.service.config.timeouts;
  const since = session.transactionSinceMs;
  if (transactionMs > 0 && since > 0 && nowMs - since > transactionMs) {
    session.fail(refuse('transaction_deadline'));
  } else if (
    idleInTransactionMs > 0 &&
    isSilent(session) &&
    nowMs - session.lastActivityMs > idleInTransactionMs
  ) {
    session.fail(refuse('idle_in_transaction'));
  }
}

/** Whether it is the client's turn, in a transaction or batch that holds something up. */
function isSilent(session: Session): boolean {
  const server = session.server;
  if (server === null) return true;
  // A pinned session or one of a session pool may hold an idle server for as long as it likes.
  if (session.transactionSinceMs === 0 && !session.batchOpen && !holdsUp(session)) return false;
  return server.queue.length === 0 || holdsUp(session);
}

/** The server waits for the client in the middle of a message or of COPY data. */
function holdsUp(session: Session): boolean {
  return session.scanner.inForwardedMessage || session.server?.copyIn === true;
}
