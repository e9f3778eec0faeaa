/**
 * What a statement is, told from its keywords alone. The real grammar, which also knows the tables
 * and functions, is another matter; this is what every statement is asked on the way through.
 *
 * The numbers rise with the harm a statement can do, so that the kind of a text with several
 * statements is the greatest of theirs. They are never stored or sent: insert where one belongs.
 */
export const Kind = {
  /** Nothing but white space, comments and semicolons; the server answers EmptyQueryResponse. */
  Empty: 0,
  /** SHOW of a setting. */
  Show: 1,
  /** EXPLAIN without ANALYZE: plans, and does not run, the statement behind it. */
  Explain: 2,
  /** TABLE t, short for SELECT * FROM t. */
  Table: 3,
  /** VALUES (...), as a statement. */
  Values: 4,
  /** SELECT without INTO and without a data-modifying WITH. Functions may still write. */
  Select: 5,
  /** FETCH from a cursor. */
  Fetch: 6,
  /** MOVE of a cursor. */
  Move: 7,
  /** CLOSE of one cursor or ALL. */
  ClosePortal: 8,
  /** DECLARE of a cursor that ends with its transaction. */
  Declare: 9,
  /** DECLARE ... WITH HOLD: the cursor outlives its transaction and stays with the session. */
  DeclareWithHold: 10,
  /** SET TRANSACTION, and the settings that are the same thing under another name. */
  SetTransaction: 11,
  /** SET LOCAL: gone at the end of the transaction. */
  SetLocal: 12,
  /** SET CONSTRAINTS: for the rest of the transaction. */
  SetConstraints: 13,
  Savepoint: 14,
  ReleaseSavepoint: 15,
  /** ROLLBACK TO a savepoint; the transaction goes on. */
  RollbackTo: 16,
  /** BEGIN or START TRANSACTION in any form. */
  Begin: 17,
  /** COMMIT or END in any form. */
  Commit: 18,
  /** ROLLBACK or ABORT of the whole transaction, in any form. */
  Rollback: 19,
  /** DEALLOCATE of one prepared statement. */
  Deallocate: 20,
  DeallocateAll: 21,
  /** DISCARD PLANS, SEQUENCES, TEMP or TEMPORARY. */
  Discard: 22,
  /** DISCARD ALL: the session as good as new. */
  DiscardAll: 23,
  /** RESET of one setting or ALL, and SET ... TO DEFAULT, which is the same. */
  Reset: 24,
  /** SET of a setting for the session. */
  Set: 25,
  /** SET SESSION CHARACTERISTICS: the defaults of the transactions to come. */
  SetSessionCharacteristics: 26,
  /** SET ROLE, for the session. */
  SetRole: 27,
  /** SET SESSION AUTHORIZATION, for the session. */
  SetSessionAuthorization: 28,
  Unlisten: 29,
  /** LISTEN: from here on the server speaks without being asked. */
  Listen: 30,
  Notify: 31,
  /** LOCK TABLE. */
  Lock: 32,
  Insert: 33,
  Update: 34,
  Delete: 35,
  Merge: 36,
  /** A SELECT, VALUES or TABLE with a WITH in which data is modified. */
  WithWrite: 37,
  /** EXPLAIN ANALYZE: runs the statement behind it. */
  ExplainAnalyze: 38,
  /** COPY in either direction. */
  Copy: 39,
  /** PREPARE of a statement under a name, in SQL. */
  Prepare: 40,
  /** EXECUTE of one: whatever was prepared. */
  Execute: 41,
  /** CALL of a procedure, which may also end transactions. */
  Call: 42,
  /** DO: an anonymous code block. */
  Do: 43,
  /** LOAD of a shared library into the server process. */
  Load: 44,
  /** PREPARE TRANSACTION, the first phase of two. */
  PrepareTransaction: 45,
  CommitPrepared: 46,
  RollbackPrepared: 47,
  /** Maintenance: VACUUM, ANALYZE, CLUSTER, REINDEX, CHECKPOINT. */
  Utility: 48,
  /** SELECT ... INTO, which creates a table. */
  SelectInto: 49,
  /** CREATE, ALTER, DROP, TRUNCATE, GRANT and everything else that changes the schema or rights. */
  Ddl: 50,
  /** Not recognised, or not lexed. The most dangerous one: nothing is known about it. */
  Unknown: 51,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

const NAMES: readonly string[] = Object.keys(Kind).map((key) =>
  key.replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase(),
);

/** For people and labels: `Kind.SelectInto` is `select_into`. */
export function kindName(kind: Kind): string {
  return NAMES[kind]!;
}
