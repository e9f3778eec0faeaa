/** What a pool tells whoever counts and logs. Implementations must not throw. */
import type { Pool } from './pool.ts';
import type { ServerConnection } from './server-connection.ts';
import type { LoginFailure } from './server-login.ts';
import type { ServerState } from './server-states.ts';

export interface PoolEvents {
  connected(pool: Pool, durationMs: number): void;
  connectFailed(pool: Pool, failure: LoginFailure): void;
  /** `state` is the one it was in. */
  disconnected(pool: Pool, reason: string, state: ServerState): void;
  /** A server broke the protocol, or we broke while reading it. */
  faulted(pool: Pool, server: ServerConnection, error: unknown): void;
  /** Somebody got or gave up a server after this long in the queue. */
  waited(pool: Pool, waitedMs: number): void;
  /** A cancel request was sent for a client, or for one that has vanished. */
  cancelled(pool: Pool, orphan: boolean): void;
}
