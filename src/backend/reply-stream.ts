/**
 * The stream of one server, cut into the replies of whoever is owed them.
 *
 * What it guarantees:
 *  - Bytes of a reply reach the owner of the entry they answer and nobody else; what nobody may
 *    see (replies to our own traffic) reaches nobody.
 *  - The prepared statements the server is believed to have are those it has, whatever failed or
 *    was skipped on the way.
 *  - A server that says something it cannot have been asked is a ProtocolViolation.
 *
 * Budget: no allocation per message passed on. Bench: bench/micro/frame-scanner.bench.ts
 */
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { Backend, type TransactionStatus } from '../wire/codes.ts';
import { FrameScanner, type FrameSink, Scan } from '../wire/frame-scanner.ts';
import { SERVER_READY } from '../wire/interest.ts';
import { MESSAGE_LENGTH_MAX } from '../wire/limits.ts';
import { Doubts } from './doubts.ts';
import type { Prepared } from './prepared.ts';
import type { ReplyOwner } from './reply-owner.ts';
import {
  Action,
  Expect,
  endsWithReady,
  isMark,
  type ReplyEntry,
  ReplyQueue,
} from './reply-queue.ts';
import type { ServerConnection } from './server-connection.ts';
import { errorFacts, parameterStatus } from './server-messages.ts';
import { REPORTED_SETTINGS, withSetting } from './session-vars.ts';

export class ReplyStream implements FrameSink {
  readonly queue = new ReplyQueue();
  readonly #server: ServerConnection;
  readonly #scanner = new FrameScanner(this, SERVER_READY, MESSAGE_LENGTH_MAX);
  /** Whose bytes the stream's are now; null is nobody's. */
  #target: ReplyOwner | null = null;
  /** The entry at the head is a COPY FROM STDIN that has begun and not ended. */
  #copying = false;
  readonly doubts: Doubts = new Doubts(this.queue);

  constructor(server: ServerConnection) {
    this.#server = server;
  }

  /** Whoever is being answered has got part of a message, and the rest is still to come. */
  get inMessage(): boolean {
    return this.#scanner.inForwardedMessage;
  }

  /** Takes the next bytes of the server. Throws ProtocolViolation. */
  scan(chunk: Buffer): void {
    this.#scanner.scan(chunk);
  }

  close(): void {
    this.#scanner.close();
  }

  /** Says that a reply is owed. Call it in the order in which the questions are sent. */
  expect(expect: Expect, action: Action, owner: ReplyOwner | null): ReplyEntry {
    const entry = this.queue.push(expect, action, owner);
    if (this.queue.length === 1) this.#aim();
    if (expect === Expect.Sync) {
      this.doubts.synced();
      this.queue.syncSwallowed = false;
    }
    return entry;
  }

  /** `name` is the client's, empty for a statement that is the server's unnamed one. */
  expectParse(action: Action, owner: ReplyOwner, prepared: Prepared, name: string): ReplyEntry {
    const entry = this.expect(Expect.Parse, action, owner);
    entry.prepared = prepared;
    this.queue.giveName(entry, name);
    this.doubts.parseSent(prepared, name);
    return entry;
  }

  /** Puts a made-up reply in its place among the real ones; at once when none is owed. */
  fake(
    expect: Expect,
    owner: ReplyOwner,
    payload: Buffer,
    prepared: Prepared | null,
    name: string,
  ): void {
    const entry = this.queue.push(expect, Action.Fake, owner);
    entry.payload = payload;
    entry.prepared = prepared;
    this.queue.giveName(entry, name);
    if (this.queue.length === 1) this.#settleHead();
  }

  /** The lease has changed hands: what comes unasked is for the new holder. */
  leaseChanged(): void {
    if (this.queue.length === 0) this.#target = this.#server.lease;
  }

  /** Gives every reply still owed to `from` to `to`. */
  reassign(from: ReplyOwner, to: ReplyOwner): void {
    for (let index = 0; index < this.queue.length; index++) {
      const entry = this.queue.at(index);
      if (entry.owner === from) entry.owner = to;
    }
    if (this.#target === from) this.#target = to;
  }

  forward(chunk: Buffer, start: number, end: number): void {
    const target = this.#target;
    if (target === null) {
      if (this.queue.length === 0) throw new ProtocolViolation('a reply that nobody is owed');
      return;
    }
    if (!target.deliver(chunk, start, end)) this.#server.link?.pause();
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
        return this.#suspended();
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
    if (expect === Expect.Parse) this.doubts.parseOver(head.prepared as Prepared, head.name);
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
    if (entry.owner?.deliver(payload, 0, payload.length) === false) this.#server.link?.pause();
  }

  /** The owner of what comes next in the stream; null is nobody. */
  #aim(): void {
    const head = this.queue.head();
    if (head === null) this.#target = this.#server.lease;
    else this.#target = head.action === Action.Drop ? null : head.owner;
  }

  #ready(status: TransactionStatus): Scan {
    const head = this.queue.head();
    if (head === null || !endsWithReady(head.expect)) {
      throw new ProtocolViolation('ReadyForQuery that nobody is owed');
    }
    const { owner, expect } = head;
    this.#server.status = status;
    this.#server.ignoresUntilSync = false;
    this.#server.copyIn = false;
    this.#copying = false;
    const answer = this.#finishHead();
    // The owner may give the server back, and the next one send its statement, before this returns:
    // the bytes of the old one must have left.
    this.#cut(answer);
    owner?.ready(this.#server, status, expect);
    return answer;
  }

  #completed(buffer: Buffer, start: number, end: number): Scan {
    const head = this.queue.head();
    if (head === null) throw new ProtocolViolation('CommandComplete that nobody is owed');
    if (this.#copying) this.#copyEnded();
    head.owner?.completed(this.#server, head, buffer.subarray(start + 5, end - 1));
    return head.expect === Expect.Execute ? this.#finishHead() : this.#inReply();
  }

  /** It has done part of what it was asked, for which it may have to be kept already. */
  #suspended(): Scan {
    const head = this.queue.head();
    if (head?.expect === Expect.Execute) head.owner?.completed(this.#server, head, NO_TAG);
    return this.#answered(Expect.Execute);
  }

  #copyInBegan(): Scan {
    const head = this.queue.head();
    if (head === null) throw new ProtocolViolation('COPY that nobody has asked for');
    this.#copying = true;
    this.#server.copyIn = !this.queue.copyInBegan();
    head.owner?.copyInBegan(this.#server);
    return this.#inReply();
  }

  #copyEnded(): void {
    this.#copying = false;
    this.#server.copyIn = false;
    this.queue.copyInEnded();
  }

  #errored(buffer: Buffer, start: number, end: number): Scan {
    const error = errorFacts(buffer, start + 5, end);
    const head = this.queue.head();
    if (error.fatal) {
      this.#server.retired = true;
      this.#server.lastWords = error.message;
      this.#server.farewellDelivered =
        this.#target !== null && head?.action !== Action.ReplaceError;
    }
    if (head === null) {
      // An idle server that is about to go must not be given to anybody first.
      if (error.fatal && this.#server.lease === null) this.#server.destroy(error.message);
      return this.#unasked();
    }
    head.owner?.errored(this.#server, head, error);
    // The owner had no use for a server on which this has failed.
    if (this.#scanner.closed) return Scan.Drop;
    this.#server.copyIn = false;
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
      this.#server.farewellDelivered = this.#server.retired;
    }
    this.#cut(answer);
    if (answer === Scan.Drop) this.#hand(head);
    this.#server.ignoresUntilSync = true;
    // A Parse that fails leaves no unnamed statement; one that is skipped leaves the old one.
    head.previous = null;
    this.#undoTo(this.#lengthToSync());
    if (this.queue.length > 0) this.#server.ignoresUntilSync = false;
    this.#aim();
    return answer;
  }

  /** Entries ahead of the next Sync. */
  #lengthToSync(): number {
    let length = 0;
    while (length < this.queue.length && this.queue.at(length).expect !== Expect.Sync) length++;
    return length;
  }

  /** Takes entries out; the last is undone first, since later ones built on earlier ones. */
  #undoTo(length: number): void {
    for (let index = length - 1; index >= 0; index--) this.#undo(this.queue.at(index));
    for (let index = 0; index < length; index++) this.queue.shift();
  }

  /** What the entry would have done to the server has not happened. */
  #undo(entry: ReplyEntry): void {
    const prepared = entry.prepared;
    if (prepared !== null && entry.action !== Action.Fake) {
      if (entry.expect === Expect.Parse) {
        this.doubts.parseOver(prepared, entry.name);
        if (entry.name !== '') this.#server.statements.delete(prepared);
        else if (this.#server.unnamed === prepared) this.#server.unnamed = null;
      } else if (entry.expect === Expect.Close) {
        this.#server.statements.add(prepared);
      }
    }
    entry.owner?.skipped(this.#server, entry);
  }

  #parameter(buffer: Buffer, start: number, end: number): Scan {
    const [name, value] = parameterStatus(buffer, start + 5, end);
    const server = this.#server;
    server.parameters.set(name, value);
    const owner = this.#target;
    // Our own traffic sets what `settings` says already.
    if (owner === null) return Scan.Drop;
    const key = name.toLowerCase();
    if (REPORTED_SETTINGS.has(key)) {
      const atLogin = server.pool.parameters?.get(name);
      server.settings = withSetting(server.settings, key, value === atLogin ? null : value);
    }
    owner.parameterChanged(server, key, value);
    return Scan.Keep;
  }

  /** Notices and notifications: for whoever is being answered, or holds the server. */
  #unasked(): Scan {
    return this.#target === null ? Scan.Drop : Scan.Keep;
  }
}

const NO_TAG = Buffer.alloc(0);
