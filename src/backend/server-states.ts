/**
 * The life of one server connection.
 *
 * Rule 1: a state is membership in exactly one list of the server's pool, so a count is the length
 * of a list and what SHOW and the metrics say cannot differ from what is.
 * Rule 2: every change goes through `Pool.move`, which asserts that the move is legal.
 *
 * Whether a transaction is open (ReadyForQuery's I, T or E) is a second axis and lives in
 * `ServerConnection.status`; what the server still owes is a queue and lives in `reply-queue.ts`.
 *
 *     Connecting ──► Idle ◄──► Leased
 *          │          ▲ │         │
 *          │          │ ▼         ▼
 *          │       Checking    Cleaning ──► Cancelling ──► Idle
 *          ▼          ▼           ▼              ▼
 *          └───────────────► Closed ◄────────────┘
 */
export const ServerState = {
  /** Being dialled, encrypted and logged in to. It takes a slot from the first moment. */
  Connecting: 0,
  /** Logged in, nobody's, nothing owed. The last one used is the first one handed out. */
  Idle: 1,
  /** One session's, until its transaction ends or longer when it is pinned. */
  Leased: 2,
  /** Was idle for long and is being asked whether it still lives, before a waiter gets it. */
  Checking: 3,
  /** Given back with something to undo; our own ROLLBACK or DISCARD is running. */
  Cleaning: 4,
  /**
   * Given back while a cancel request for it was under way. It is nobody's until the request is
   * known to have arrived, because a late one would hit the next statement.
   */
  Cancelling: 5,
  /** Terminal. Its slot is free again. */
  Closed: 6,
} as const;
export type ServerState = (typeof ServerState)[keyof typeof ServerState];

export const SERVER_STATE_NAMES = [
  'connecting',
  'idle',
  'leased',
  'checking',
  'cleaning',
  'cancelling',
  'closed',
] as const;

function mask(...states: readonly ServerState[]): number {
  let bits = 0;
  for (const state of states) bits |= 1 << state;
  return bits;
}

/** Legal next states, by present state. */
export const SERVER_MOVES: readonly number[] = [
  mask(ServerState.Idle, ServerState.Leased, ServerState.Closed),
  mask(ServerState.Leased, ServerState.Checking, ServerState.Closed),
  mask(
    ServerState.Idle,
    ServerState.Leased,
    ServerState.Cleaning,
    ServerState.Cancelling,
    ServerState.Closed,
  ),
  mask(ServerState.Idle, ServerState.Leased, ServerState.Closed),
  mask(ServerState.Idle, ServerState.Leased, ServerState.Cancelling, ServerState.Closed),
  mask(ServerState.Idle, ServerState.Leased, ServerState.Closed),
  0,
];
