/**
 * Why a session must keep the server it is on: the statement leaves something behind on the
 * server's session, or reads what an earlier one left, and transaction pooling would give it to
 * another client. The texts are what an operator sees in logs, SHOW PINS and metric labels.
 */
export const PinReason = {
  /** SET of a setting the server does not report, so that nobody could restore it elsewhere. */
  Set: 'set',
  /** set_config() whose third argument is not plainly TRUE. */
  SetConfig: 'set_config',
  /** SET ROLE or SET SESSION AUTHORIZATION. */
  SetRole: 'set_role',
  /** SET SESSION CHARACTERISTICS. */
  SessionCharacteristics: 'session_characteristics',
  /** A temporary table, view, sequence or other object that outlives its transaction. */
  TempTable: 'temp_table',
  /** An advisory lock held by the session rather than by a transaction. */
  AdvisoryLock: 'advisory_lock',
  /** LISTEN. */
  Listen: 'listen',
  /** PREPARE in SQL; the protocol's Parse is mapped by the proxy and does not pin. */
  Prepare: 'prepare',
  /** DECLARE ... WITH HOLD. */
  WithHoldCursor: 'with_hold_cursor',
  /** LOAD of a shared library. */
  Load: 'load',
  /** currval() or lastval(): they answer for what nextval() did earlier in the same session. */
  Sequence: 'sequence',
  /** Another function that keeps state in the session: see `pinOfCall` in scan.ts. */
  SessionFunction: 'session_function',
  /** The text could not be read, or runs code that could not be. */
  Unknown: 'unknown',
} as const;
export type PinReason = (typeof PinReason)[keyof typeof PinReason];
