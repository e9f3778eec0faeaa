/**
 * How far a login is.
 *
 *     Greeting ──► Authenticating ──► Welcoming ──► Over (a Session)
 *        └───────────────┴────────────────┴───────► Over (refused, gone)
 */
export const LoginPhase = {
  /** Up to the startup packet, TLS included. */
  Greeting: 0,
  /** It has said who it is and is proving it. */
  Authenticating: 1,
  /** It is in; what its session looks like is being found out. */
  Welcoming: 2,
  /** Over: there is a session, or the link is closing. */
  Over: 3,
} as const;
export type LoginPhase = (typeof LoginPhase)[keyof typeof LoginPhase];
