/**
 * The states of a login at a server, from the startup packet to the first ReadyForQuery. They are
 * about the server: what it has to send next for the login to go on. An ErrorResponse is legal in
 * all of them and ends the login; notices are legal in all and change nothing.
 *
 * There is one way to Ready, through AuthenticationOk, and after SCRAM has begun there is one way
 * to AuthenticationOk: through the server's own proof. A server (or somebody in between) cannot
 * skip that step by saying Ok early.
 */
import { assert } from '../util/assert.ts';

export const HandshakeState = {
  /** Nothing was sent yet. */
  Fresh: 0,
  /** The startup packet is out; the server says how it wants to be convinced. */
  AwaitingRequest: 1,
  /** SCRAM has begun; the server's nonce and salt come next. */
  AwaitingChallenge: 2,
  /** Keys are being derived on the thread pool; it is our turn, the server only waits. */
  Deriving: 3,
  /** Our SCRAM proof is out; the server's comes next. */
  AwaitingProof: 4,
  /** A password was sent, or SCRAM is done on both sides; AuthenticationOk comes next. */
  AwaitingVerdict: 5,
  /** We are in; settings and the cancel key arrive until ReadyForQuery. */
  Starting: 6,
  /** The server is idle and belongs to the caller. Terminal. */
  Ready: 7,
  /** `failure` says why; the link must be closed. Terminal. */
  Failed: 8,
} as const;
export type HandshakeState = (typeof HandshakeState)[keyof typeof HandshakeState];

const S = HandshakeState;

/** Index is the state, the value a mask of the states that may follow. */
const LEGAL: readonly number[] = [
  mask(S.AwaitingRequest, S.Failed),
  mask(S.AwaitingChallenge, S.AwaitingVerdict, S.Starting, S.Failed),
  mask(S.Deriving, S.AwaitingProof, S.Failed),
  mask(S.AwaitingProof, S.Failed),
  mask(S.AwaitingVerdict, S.Failed),
  mask(S.Starting, S.Failed),
  mask(S.Ready, S.Failed),
  mask(),
  mask(),
];

const NAMES = Object.keys(HandshakeState);

/** The state's name for people. */
export function handshakeStateName(state: HandshakeState): string {
  return NAMES[state] ?? String(state);
}

/** The next state, if it may follow. */
export function nextHandshakeState(from: HandshakeState, to: HandshakeState): HandshakeState {
  assert((LEGAL[from]! & (1 << to)) !== 0, 'illegal move of a login');
  return to;
}

function mask(...states: readonly HandshakeState[]): number {
  return states.reduce<number>((bits, state) => bits | (1 << state), 0);
}
