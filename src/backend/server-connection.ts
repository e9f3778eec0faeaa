/**
 * One connection to a server, from the end of its login to its close: what it has, who holds it,
 * and the bytes that go to it. What comes back is cut up by `reply-stream.ts`.
 *
 * It knows nothing of SQL and decides nothing; `Pool` decides who gets it. A server that breaks the
 * protocol, or that we fail to read, is closed: half-read servers never go back to a pool.
 */
import type { TargetConfig } from '../config/snapshot.ts';
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { COPY_BYTES_MAX, HandlerFailed, type Link, type LinkHandler } from '../net/link.ts';
import { ListNode } from '../util/intrusive-list.ts';
import { Frontend, TransactionStatus } from '../wire/codes.ts';
import { sync, terminate } from '../wire/constants.ts';
import { Writer } from '../wire/writer.ts';
import type { Pool } from './pool.ts';
import type { Prepared } from './prepared.ts';
import type { ReplyOwner } from './reply-owner.ts';
import { Action, Expect, type ReplyQueue } from './reply-queue.ts';
import { ReplyStream } from './reply-stream.ts';
import { ServerState } from './server-states.ts';
import { NO_SETTINGS, type SessionSettings } from './session-vars.ts';

/** What the login told. */
export interface ServerIdentity {
  readonly processId: number;
  readonly secretKey: Buffer | null;
  readonly parameters: Map<string, string>;
}

/** Scratch for small messages of our own; used and emptied within one call. */
const writer = new Writer();

export class ServerConnection extends ListNode implements LinkHandler {
  readonly id: number;
  readonly pool: Pool;
  /** Where it is; after a reload that may be somewhere else than where the pool dials now. */
  readonly target: TargetConfig;
  /** Of an earlier era than the pool's: it closes when it is given back. */
  era: number;
  state: ServerState;
  /** From the last ReadyForQuery. */
  status: TransactionStatus;
  link: Link | null;
  /** What it owes, and to whom. */
  readonly replies: ReplyStream;
  /** Who holds the server; null when it is the pool's. */
  lease: ReplyOwner | null;
  processId: number;
  secretKey: Buffer | null;
  /** As reported by ParameterStatus. */
  parameters: Map<string, string>;
  /** The settings the server carries for the session it serves or served last. */
  settings: SessionSettings;
  /** Somebody has RESET settings: some of `settings` may be at their defaults. */
  settingsReset: boolean;
  /** Named statements the server has; the order is from least to most recently used. */
  readonly statements: Set<Prepared>;
  /** What the server's unnamed statement is, or null when it has none that we know. */
  unnamed: Prepared | null;
  /** It may have statements that are not in `statements`: a name is closed before it is used. */
  doubtful: boolean;
  /** An error came in the middle of a batch: the server reads on, but answers only a Sync. */
  ignoresUntilSync: boolean;
  /** The server reads COPY data, as of what has been sent to it. */
  copyIn: boolean;
  /** Cancel requests on their way to it. */
  cancelsPending: number;
  /** Someone left session state behind that only DISCARD ALL takes away. */
  dirty: boolean;
  /** It has announced its own end by a FATAL error; it closes when it is given back. */
  retired: boolean;
  readonly createdAtMs: number;
  idleSinceMs: number;
  leasedAtMs: number;
  /** The server's last words, when it announced its end by a FATAL error. */
  lastWords: string | null;
  /** They have reached whoever holds it. */
  farewellDelivered: boolean;
  constructor(id: number, pool: Pool, nowMs: number) {
    super();
    this.id = id;
    this.pool = pool;
    this.target = pool.spec.target;
    this.era = pool.era;
    this.state = ServerState.Connecting;
    this.status = TransactionStatus.Idle;
    this.link = null;
    this.replies = new ReplyStream(this);
    this.lease = null;
    this.processId = 0;
    this.secretKey = null;
    this.parameters = new Map();
    this.settings = NO_SETTINGS;
    this.settingsReset = false;
    this.statements = new Set();
    this.unnamed = null;
    this.doubtful = false;
    this.ignoresUntilSync = false;
    this.copyIn = false;
    this.cancelsPending = 0;
    this.dirty = false;
    this.retired = false;
    this.createdAtMs = nowMs;
    this.idleSinceMs = nowMs;
    this.leasedAtMs = nowMs;
    this.lastWords = null;
    this.farewellDelivered = false;
  }

  get queue(): ReplyQueue {
    return this.replies.queue;
  }

  /** Takes over a link whose login has succeeded. */
  loggedIn(link: Link, identity: ServerIdentity): void {
    this.link = link;
    link.handler = this;
    this.processId = identity.processId;
    this.secretKey = identity.secretKey;
    this.parameters = identity.parameters;
  }

  /** Whoever is being answered has got part of a message and will not get the rest if we close. */
  get inMessage(): boolean {
    return this.replies.inMessage;
  }

  // ── Sending ────────────────────────────────────────────────────────────────────────────────

  /** Bytes for the server; false when it is slow, and `writable` will be called. */
  send(buffer: Buffer, start: number, end: number): boolean {
    const link = this.link;
    return link === null ? true : link.write(buffer, start, end);
  }

  sendAll(buffer: Buffer): boolean {
    return this.send(buffer, 0, buffer.length);
  }

  /** Sends what a scratch writer holds, and empties it: what a link would keep is copied first. */
  sendWritten(scratch: Writer): void {
    if (scratch.length > COPY_BYTES_MAX) {
      this.sendAll(scratch.take());
    } else {
      this.send(scratch.buffer, 0, scratch.length);
      scratch.reset();
    }
  }

  /** More is waiting for the server than it takes; `writable` will be called. */
  get full(): boolean {
    return this.link?.full === true;
  }

  /** Sends a query of our own. Its replies are `owner`'s to hear of, and nobody's to read. */
  ownQuery(sql: string, owner: ReplyOwner): void {
    this.replies.expect(Expect.Query, Action.Drop, owner);
    writer.begin(Frontend.Query);
    writer.cstring(sql);
    writer.end();
    this.sendWritten(writer);
    this.unnamed = null;
  }

  /** Sends a Sync of our own: the cheapest proof that the server is there and listens. */
  ownSync(owner: ReplyOwner): void {
    this.replies.expect(Expect.Sync, Action.Drop, owner);
    this.sendAll(sync);
    this.ignoresUntilSync = false;
  }

  /** Lets bytes come again after `deliver` answered false. */
  resumeReading(): void {
    this.link?.resume();
  }

  /**
   * Closes at once, whatever is going on. For the pool and the owner it is gone when this returns;
   * a server at rest is said goodbye, so that its log does not speak of a lost connection.
   */
  destroy(reason: string): void {
    if (this.state === ServerState.Closed) return;
    if (this.lastWords === null) this.lastWords = reason;
    const link = this.link;
    if (link !== null && this.queue.length === 0 && this.status === TransactionStatus.Idle) {
      link.writeAll(terminate);
      link.end();
    } else {
      link?.destroy();
    }
    this.onClose(null);
  }

  // ── LinkHandler ────────────────────────────────────────────────────────────────────────────

  onData(chunk: Buffer): void {
    try {
      this.replies.scan(chunk);
      this.lease?.progressed(this);
    } catch (error) {
      // A defect of ours while reading this server must not reach the other sessions either.
      this.pool.faulted(this, error);
      const what = error instanceof ProtocolViolation ? error.message : 'internal error';
      this.replies.close();
      this.link?.destroy();
      this.onClose(new Error(`reading from it failed: ${what}`));
    }
  }

  onDrain(): void {
    this.lease?.writable(this);
  }

  onEnd(): void {
    this.link?.destroy();
  }

  onClose(error: Error | null): void {
    if (this.state === ServerState.Closed) return;
    if (error instanceof HandlerFailed) this.pool.faulted(this, error.cause);
    this.replies.close();
    const reason = this.lastWords ?? error?.message ?? 'the server closed the connection';
    this.pool.closed(this, reason);
  }

  /** Gives the server to `owner`, or with null back to the pool; the pool keeps the states. */
  hold(owner: ReplyOwner | null): void {
    this.lease = owner;
    // A slow client may have left it paused, and is no longer a reason to be.
    this.link?.resume();
    this.replies.leaseChanged();
  }

  /** Gives every reply still owed to `from` to `to`: a client has left before its answers came. */
  reassign(from: ReplyOwner, to: ReplyOwner): void {
    if (this.lease === from) this.lease = to;
    this.replies.reassign(from, to);
  }
}
