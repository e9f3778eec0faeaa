/**
 * The life of one client after its login (`client-login.ts` has the time before).
 *
 * Rule 1: a state is membership in exactly one list, so a count is the length of a list.
 * Rule 2: every change goes through `move`, which asserts that the move is legal.
 *
 * The lists of Idle, Open and Active belong to the session's service; a waiting session is in the
 * `waiting` list of the pool it waits for, which is how the queue keeps its order.
 *
 *     Idle ──► Waiting ──► Active ──► Idle        Open ──► Waiting, Idle
 *       └────────────────────►┘  └──► Open        any ───► Closed
 */
import { assert } from '../util/assert.ts';
import type { IntrusiveList } from '../util/intrusive-list.ts';
import type { Session } from './session.ts';

export const Phase = {
  /** Logged in; no server, no transaction, nothing asked. */
  Idle: 0,
  /** In a transaction that has no server: begun but not yet sent, or failed before it could be. */
  Open: 1,
  /** In the queue of its pool; its link is paused. */
  Waiting: 2,
  /** Holds a server. */
  Active: 3,
  /** Terminal. */
  Closed: 4,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

export const PHASE_NAMES = ['idle', 'open', 'waiting', 'active', 'closed'] as const;

function mask(...phases: readonly Phase[]): number {
  let bits = 0;
  for (const phase of phases) bits |= 1 << phase;
  return bits;
}

const MOVES: readonly number[] = [
  mask(Phase.Open, Phase.Waiting, Phase.Active, Phase.Closed),
  mask(Phase.Idle, Phase.Waiting, Phase.Active, Phase.Closed),
  mask(Phase.Idle, Phase.Open, Phase.Active, Phase.Closed),
  mask(Phase.Idle, Phase.Open, Phase.Closed),
  0,
];

/**
 * The only way a session changes its phase. Into and out of `Waiting` the pool does the list's
 * part, because only it knows the place in the queue.
 */
export function move(session: Session, next: Phase): void {
  assert(((MOVES[session.phase] as number) & (1 << next)) !== 0, 'illegal session move');
  (session.list as IntrusiveList<Session> | null)?.remove(session);
  session.phase = next;
  const { service } = session;
  if (next === Phase.Idle) service.idle.push(session);
  else if (next === Phase.Open) service.open.push(session);
  else if (next === Phase.Active) service.active.push(session);
}
