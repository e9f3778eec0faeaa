/**
 * One connection to a server, from the end of its login to its close: cuts the server's stream into
 * the replies of whoever is owed them.
 *
 * What it guarantees:
 *  - Bytes of a reply reach the owner of the entry they answer and nobody else; what nobody may
 *    see (replies to our own traffic) reaches nobody.
 *  - The prepared statements it believes the server to have (`statements`, `unnamed`) are those the
 *    server has, whatever failed or was skipped on the way.
 *  - A server that says something it cannot have been asked is closed: half-read servers never go
 *    back to a pool.
 *
 * It knows nothing of SQL and decides nothing; `Pool` decides who gets it.
 *
 * Budget: no allocation per message passed on. Bench: bench/micro/frame-scanner.bench.ts
 */
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import type { Link, LinkHandler } from '../net/link.ts';
import { ListNode } from '../util/intrusive-list.ts';
import { Backend, Frontend, TransactionStatus } from '../wire/codes.ts';
import { sync, terminate } from '../wire/constants.ts';
import { FrameScanner, type FrameSink, Scan } from '../wire/frame-scanner.ts';
import { SERVER_READY } from '../wire/interest.ts';
import { MESSAGE_LENGTH_MAX } from '../wire/limits.ts';
import { Writer } from '../wire/writer.ts';
import type { Pool } from './pool.ts';
import type { Prepared } from './prepared.ts';
import { Action, Expect, type ReplyEntry, ReplyQueue } from './reply-queue.ts';
import type { ReplyOwner } from './reply-owner.ts';
import { errorFacts, parameterStatus } from './server-messages.ts';
import { ServerState } from './server-states.ts';
import { NO_SETTINGS, REPORTED_SETTINGS, type SessionSettings, withSetting } from './session-vars.ts';

/** What the login told. */
export interface ServerIdentity {
  readonly processId: number;
  readonly secretKey: Buffer | null;
  readonly parameters: Map<string, string>;
}

/** Scratch for small messages of our own; used and emptied within one call. */
const writer = new Writer();

export class ServerConnection extends ListNode implements LinkHandler, FrameSink {
  readonly id: number;
  readonly pool: Pool;
  state: ServerState;
  /** From the last ReadyForQuery. */
  status: TransactionStatus;
  link: Link | null;
  readonly queue: ReplyQueue;
  /** Who holds the server; null when it is the pool's. */
  lease: ReplyOwner | null;
  processId: number;
  secretKey: Buffer | null;
  /** As reported by ParameterStatus. */
  parameters: Map<string, string>;
  /** The settings the server carries for the session it serves or served last. */
  settings: SessionSettings;
  /** Named statements the server has; the order is from least to most recently used. */
  readonly statements: Set<Prepared>;
  /** What the server's unnamed statement is, or null when it has none that we know. */
  unnamed: Prepared | null;
  /** An error came in the middle of a batch: the server reads on, but answers only a Sync. */
  ignoresUntilSync: boolean;
  /** The server reads COPY data, as of what has been sent to it. */
  copyIn: boolean;
  /** Cancel requests on their way to it. */
  cancelsPending: number;
  /** Someone left session state behind that only DISCARD ALL takes away. */
  dirty: boolean;
  /** It must not be given to anybody again; it closes when it is given back. */
  retired: boolean;
  readonly createdAtMs: number;
  idleSinceMs: number;
  leasedAtMs: number;
  /** The server's last words, when it announced its end by a FATAL error. */
  lastWords: string | null;
  readonly #scanner: FrameScanner;
  /** Whose bytes the stream's are now; null is nobody's. */
  #target: ReplyOwner | null;
  /** The entry at the head is a COPY FROM STDIN that has begun and not ended. */
  #copying: boolean;

  constructor(id: number, pool: Pool, nowMs: number) {
    super();
    this.id = id;
    this.pool = pool;
    this.state = ServerState.Connecting;
    this.status = TransactionStatus.Idle;
    this.link = null;
    this.queue = new ReplyQueue();
    this.lease = null;
    this.processId = 0;
    this.secretKey = null;
    this.parameters = new Map();
    this.settings = NO_SETTINGS;
    this.statements = new Set();
    this.unnamed = null;
    this.ignoresUntilSync = false;
    this.copyIn = false;
    this.cancelsPending = 0;
    this.dirty = false;
    this.retired = false;
    this.createdAtMs = nowMs;
    this.idleSinceMs = nowMs;
    this.leasedAtMs = nowMs;
    this.lastWords = null;
    this.#scanner = new FrameScanner(this, SERVER_READY, MESSAGE_LENGTH_MAX);
    this.#target = null;
    this.#copying = false;
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
    return this.#scanner.inForwardedMessage;
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

  /** Says that a reply is owed. Call it in the order in which the questions are sent. */
  expect(expect: Expect, action: Action, owner: ReplyOwner | null): ReplyEntry {
    const entry = this.queue.push(expect, action, owner);
    if (this.queue.length === 1) this.#aim();
    return entry;
  }

  /** Puts a made-up reply in its place among the real ones; at once when none is owed. */
  fake(expect: Expect, owner: ReplyOwner, payload: Buffer, prepared: Prepared | null, name: string) {
    const entry = this.queue.push(expect, Action.Fake, owner);
    entry.payload = payload;
    entry.prepared = prepared;
    entry.name = name;
    if (this.queue.length === 1) this.#settleHead();
  }

  /** Sends a query of our own. Its replies are `owner`'s to hear of, and nobody's to read. */
  ownQuery(sql: string, owner: ReplyOwner): void {
    this.expect(Expect.Query, Action.Drop, owner);
    writer.begin(Frontend.Query);
    writer.cstring(sql);
    writer.end();
    this.send(writer.buffer, 0, writer.length);
    writer.reset();
    this.unnamed = null;
  }

  /** Sends a Sync of our own: the cheapest proof that the server is there and listens. */
  ownSync(owner: ReplyOwner): void {
    this.expect(Expect.Sync, Action.Drop, owner);
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
      this.#scanner.scan(chunk);
    } catch (error) {
      // A defect of ours while reading this server must not reach the other sessions either.
      this.pool.faulted(this, error);
      const what = error instanceof ProtocolViolation ? error.message : 'internal error';
      this.#scanner.close();
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
    this.#scanner.close();
    const reason = this.lastWords ?? error?.message ?? 'the server closed the connection';
    this.pool.closed(this, reason);
  }

  // ── FrameSink ──────────────────────────────────────────────────────────────────────────────

  forward(chunk: Buffer, start: number, end: number): void {
    const target = this.#target;
    if (target === null) return;
    if (!target.deliver(chunk, start, end)) this.link?.pause();
  }

  message(code: number, buffer: Buffer, start: number, end: number, _total: number): Scan {
    switch (code) {
      case Backend.ReadyForQuery:
        return this.#ready(buffer[start + 5] as TransactionStatus);
      case Backend.CommandComplete:
        return this.#completed(buffer, start, end);
      case Backend.ErrorResponse:
        return this.#errored(buffer, start, end);
      case Backend.ParseComplete:
        return this.#answered(Expect.Parse);
      case Backend.BindComplete:
        return this.#answered(Expect.Bind);
      case Backend.CloseComplete:
        return this.#answered(Expect.Close);
      case Backend.PortalSuspended:
        return this.#answered(Expect.Execute);
      case Backend.RowDescription:
      case Backend.NoData:
        return this.queue.head()?.expect === Expect.Describe
          ? this.#answered(Expect.Describe)
          : this.#inReply();
      case Backend.EmptyQueryResponse:
        return this.queue.head()?.expect === Expect.Execute
          ? this.#answered(Expect.Execute)
          : this.#inReply();
      case Backend.CopyInResponse:
      case Backend.CopyBothResponse:
        return this.#copyInBegan();
      case Backend.ParameterStatus:
        return this.#parameter(buffer, start, end);
      case Backend.NoticeResponse:
      case Backend.NotificationResponse:
        return this.#unasked();
      default:
        return this.#inReply();
    }
  }

  /** Part of a reply under way. Without anybody to be owed it, the server has lost its place. */
  #inReply(): Scan {
    if (this.queue.length === 0) throw new ProtocolViolation('a reply that nobody is owed');
    return this.#target === null ? Scan.Drop : Scan.Keep;
  }

  /** The reply that ends the entry at the head. */
  #answered(expect: Expect): Scan {
    const head = this.queue.head();
    if (head === null || head.expect !== expect) {
      throw new ProtocolViolation('a reply that nobody is owed');
    }
    return this.#finishHead();
  }

  /** Takes the head out; its last bytes are those of the message being shown. */
  #finishHead(): Scan {
    const answer = this.#target === null ? Scan.Drop : Scan.Keep;
    if (this.#targetChangesAfterHead()) this.#cut(answer);
    this.queue.shift();
    this.#settleHead();
    return answer;
  }

  #targetChangesAfterHead(): boolean {
    if (this.queue.length < 2) return true;
    const next = this.queue.at(1);
    return next.action !== Action.Forward || next.owner !== this.#target || isMark(next.expect);
  }

  /** Gives the present target its bytes, the shown message included if it is kept. */
  #cut(answer: Scan): void {
    if (answer === Scan.Keep) this.#scanner.flushThrough();
    else this.#scanner.dropThrough();
  }

  /**
   * Points the stream at whoever is next, handing out made-up replies on the way. Bytes scanned
   * before this belong to the old target: the caller has cut them off.
   */
  #settleHead(): void {
    let head = this.queue.head();
    while (head !== null && (head.action === Action.Fake || isMark(head.expect))) {
      this.queue.shift();
      if (!isMark(head.expect)) this.#hand(head);
      head = this.queue.head();
    }
    this.#aim();
  }

  /** Delivers an entry's own payload. */
  #hand(entry: ReplyEntry): void {
    const payload = entry.payload as Buffer;
    if (entry.owner?.deliver(payload, 0, payload.length) === false) this.link?.pause();
  }

  /** The owner of what comes next in the stream; null is nobody. */
  #aim(): void {
    const head = this.queue.head();
    if (head === null) this.#target = this.lease;
    else this.#target = head.action === Action.Drop ? null : head.owner;
  }

  #ready(status: TransactionStatus): Scan {
    const head = this.queue.head();
    if (head === null || !endsWithReady(head.expect)) {
      throw new ProtocolViolation('ReadyForQuery that nobody is owed');
    }
    const { owner, expect } = head;
    this.status = status;
    this.ignoresUntilSync = false;
    this.copyIn = false;
    this.#copying = false;
    const answer = this.#finishHead();
    // The owner may give the server back, and the next one send its statement, before this returns:
    // the bytes of the old one must have left.
    this.#cut(answer);
    owner?.ready(this, status, expect);
    return answer;
  }

  #completed(buffer: Buffer, start: number, end: number): Scan {
    const head = this.queue.head();
    if (head === null) throw new ProtocolViolation('CommandComplete that nobody is owed');
    if (this.#copying) this.#copyEnded();
    head.owner?.completed(this, head, buffer.subarray(start + 5, end - 1));
    return head.expect === Expect.Execute ? this.#finishHead() : this.#inReply();
  }

  #copyInBegan(): Scan {
    if (this.queue.length === 0) throw new ProtocolViolation('COPY that nobody has asked for');
    this.#copying = true;
    this.copyIn = !this.queue.copyInBegan();
    return this.#inReply();
  }

  #copyEnded(): void {
    this.#copying = false;
    this.copyIn = false;
    this.queue.copyInEnded();
  }

  #errored(buffer: Buffer, start: number, end: number): Scan {
    const error = errorFacts(buffer, start + 5, end);
    const head = this.queue.head();
    if (error.fatal) {
      this.retired = true;
      this.lastWords = error.message;
    }
    if (head === null) return this.#unasked();
    head.owner?.errored(this, head, error);
    this.copyIn = false;
    this.#copying = false;
    if (endsWithReady(head.expect)) return this.#inReply();
    return this.#failBatch(head);
  }

  /** An error in an extended-protocol message: everything up to the next Sync is off. */
  #failBatch(head: ReplyEntry): Scan {
    let answer: Scan = Scan.Keep;
    if (head.action === Action.ReplaceError) {
      answer = Scan.Drop;
    } else if (this.#target === null) {
      // An injected Parse failed in the place of what the client sent: the client is told.
      this.#scanner.flushBefore();
      this.#target = head.owner;
    }
    this.#cut(answer);
    if (answer === Scan.Drop) this.#hand(head);
    this.ignoresUntilSync = true;
    for (let entry = this.queue.head(); entry !== null; entry = this.queue.head()) {
      if (entry.expect === Expect.Sync) break;
      this.queue.shift();
      this.#undo(entry);
    }
    if (this.queue.length > 0) this.ignoresUntilSync = false;
    this.#aim();
    return answer;
  }

  /** What the entry would have done to the server has not happened. */
  #undo(entry: ReplyEntry): void {
    const prepared = entry.prepared;
    if (prepared !== null && entry.action !== Action.Fake) {
      if (entry.expect === Expect.Parse) {
        this.statements.delete(prepared);
        if (this.unnamed === prepared) this.unnamed = null;
      } else if (entry.expect === Expect.Close) {
        this.statements.add(prepared);
      }
    }
    entry.owner?.skipped(this, entry);
  }

  #parameter(buffer: Buffer, start: number, end: number): Scan {
    const [name, value] = parameterStatus(buffer, start + 5, end);
    this.parameters.set(name, value);
    const key = name.toLowerCase();
    if (REPORTED_SETTINGS.has(key)) this.settings = withSetting(this.settings, key, value);
    const owner = this.#target;
    owner?.parameterChanged(this, key, value);
    return owner === null ? Scan.Drop : Scan.Keep;
  }

  /** Notices and notifications: for whoever is being answered, or holds the server. */
  #unasked(): Scan {
    return this.#target === null ? Scan.Drop : Scan.Keep;
  }

  /** Gives the server to `owner`, or with null back to the pool; the pool keeps the states. */
  hold(owner: ReplyOwner | null): void {
    this.lease = owner;
    // A slow client may have left it paused, and is no longer a reason to be.
    this.link?.resume();
    if (this.queue.length === 0) this.#target = owner;
  }

  /** Gives every reply still owed to `from` to `to`: a client has left before its answers came. */
  reassign(from: ReplyOwner, to: ReplyOwner): void {
    for (let index = 0; index < this.queue.length; index++) {
      const entry = this.queue.at(index);
      if (entry.owner === from) entry.owner = to;
    }
    if (this.#target === from) this.#target = to;
    if (this.lease === from) this.lease = to;
  }
}

function endsWithReady(expect: Expect): boolean {
  return expect === Expect.Sync || expect === Expect.Query || expect === Expect.FunctionCall;
}

function isMark(expect: Expect): boolean {
  return expect === Expect.Nothing || expect === Expect.CopyEnd;
}
