/**
 * Whoever a server's replies are for: a client's session, or a piece of our own traffic. The server
 * connection calls these while it reads, so an implementation must not throw and must not wait.
 */
import type { TransactionStatus } from '../wire/codes.ts';
import type { Expect, ReplyEntry } from './reply-queue.ts';
import type { ServerConnection } from './server-connection.ts';
import type { ErrorFacts } from './server-messages.ts';

export interface ReplyOwner {
  /**
   * Bytes `[start, end)` of replies, borrowed until return. False when the
   * owner's client is slow; the server is then paused until the owner calls `resumeReading`.
   */
  deliver(chunk: Buffer, start: number, end: number): boolean;
  /** ReadyForQuery for one of the owner's entries has been delivered (or dropped). */
  ready(server: ServerConnection, status: TransactionStatus, expect: Expect): void;
  /** CommandComplete for one of the owner's entries; `tag` is its bytes without the final zero. */
  completed(server: ServerConnection, entry: ReplyEntry, tag: Buffer): void;
  /** ErrorResponse for one of the owner's entries, about to be delivered. */
  errored(server: ServerConnection, entry: ReplyEntry, error: ErrorFacts): void;
  /** The server skipped this entry because of an error before it: its effect never happened. */
  skipped(server: ServerConnection, entry: ReplyEntry): void;
  /**
   * One of the owner's entries has begun to take COPY data; `server.copyIn`: its end is not sent.
   */
  copyInBegan(server: ServerConnection): void;
  /** A setting that Postgres reports has changed while the owner held the server. */
  parameterChanged(server: ServerConnection, name: string, value: string): void;
  /** Some of what the holder is owed may have come: called after every chunk that was read. */
  progressed(server: ServerConnection): void;
  /** The server has room again for what the owner sends. */
  writable(server: ServerConnection): void;
  /**
   * The connection is gone; what is still queued is never answered. The server's queue is intact.
   */
  lost(server: ServerConnection, reason: string): void;
}
