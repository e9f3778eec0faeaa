/**
 * One client, from its welcome to its end: the record that everything about it hangs on, and the
 * three roles it plays. As the handler of its link it feeds its scanner; as the scanner's sink it
 * passes messages to `pipeline.ts`, which decides; as the owner of replies it passes on what the
 * server it holds has to say.
 *
 * What it guarantees: whatever goes wrong in here ends this session and no other.
 *
 * One room: the record and the interfaces it implements; what they decide is in files of their own.
 */
import type { Pool } from '../backend/pool.ts';
import type { Prepared } from '../backend/prepared.ts';
import { Expect, type ReplyEntry } from '../backend/reply-queue.ts';
import type { ReplyOwner } from '../backend/reply-owner.ts';
import type { ServerConnection } from '../backend/server-connection.ts';
import type { ErrorFacts } from '../backend/server-messages.ts';
import type { SessionSettings } from '../backend/session-vars.ts';
import { Waiter } from '../backend/waiter.ts';
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { type ProxyError, refuse } from '../errors/proxy-error.ts';
import { faultOfServerError, sqlstateClass } from '../errors/sqlstate.ts';
import { HandlerFailed, type Link, type LinkHandler } from '../net/link.ts';
import type { PinReason } from '../sql/pin-reason.ts';
import { isLexableEncoding } from '../sql/settings.ts';
import type { Statement } from '../sql/statement.ts';
import { TransactionStatus } from '../wire/codes.ts';
import { terminate } from '../wire/constants.ts';
import { encodeProxyError } from '../wire/error-response.ts';
import { FrameScanner, type FrameSink, type Scan } from '../wire/frame-scanner.ts';
import { CLIENT_IDLE } from '../wire/interest.ts';
import { Writer } from '../wire/writer.ts';
import type { SessionContext } from './context.ts';
import { afterCompletion, afterError, undoSkipped } from './effects.ts';
import { attach, bringSettings, loseServer, releaseIfDone, surrender } from './lease.ts';
import { clientMessage, REPLIES_OWED_ENOUGH } from './pipeline.ts';
import type { Service } from './service.ts';
import { move, Phase } from './session-states.ts';

/** What a client may send while it waits for a server, before it is no longer read. */
const KEPT_BYTES_MAX = 16_384;

/** Scratch for messages of our own; used and emptied within one call. */
const writer = new Writer();

export interface SessionOptions {
  readonly id: number;
  readonly context: SessionContext;
  readonly link: Link;
  readonly service: Service;
  readonly pool: Pool;
  readonly user: string;
  readonly database: string;
  readonly address: string;
  readonly settings: SessionSettings;
  readonly standardConformingStrings: boolean;
  readonly encoding: string;
  readonly messageBytesMax: number;
}

function isAtRest(server: ServerConnection): boolean {
  return server.queue.length === 0 && server.status === TransactionStatus.Idle;
}

export class Session extends Waiter implements LinkHandler, FrameSink, ReplyOwner {
  readonly id: number;
  readonly context: SessionContext;
  readonly link: Link;
  readonly scanner: FrameScanner;
  readonly service: Service;
  /** Where its next server comes from; a reload may change it. */
  pool: Pool;
  readonly user: string;
  readonly database: string;
  readonly address: string;
  phase: Phase;
  /** The server it holds. */
  server: ServerConnection | null;
  /** What its settings are, wherever it lands next. */
  settings: SessionSettings;
  /** The settings it logged in with, which DISCARD ALL brings back. */
  readonly loginSettings: SessionSettings;
  /** How string literals read: follows the server's report. */
  standardConformingStrings: boolean;
  /** client_encoding. */
  encoding: string;
  /** Whether texts in that encoding can be read at all. */
  lexable: boolean;
  /** What its bytes mean where that differs from what most sessions' bytes mean; see `Prepared`. */
  textVariant: string;
  /** Something has run on the server it holds that may have changed what names mean there. */
  ownNames: boolean;

  // Prepared statements and portals, by the client's names.
  prepared: Map<string, Prepared>;
  /** Statements under way that make the server forget all of them. */
  forgetting: number;
  unnamed: Prepared | null;
  portal: Prepared | null;
  /** A portal of a statement that needs no server, bound and not yet executed. */
  localPortal: Prepared | null;
  localPortalName: string;
  /** Made when the first named portal is. */
  portals: Map<string, Prepared> | null;

  // The transaction as far as it has not reached a server.
  /** BEGIN has been answered and is still to be sent, in these words. */
  deferredBegin: Statement | null;
  /** The transaction failed before it had a server: only ROLLBACK helps. */
  localFailed: boolean;

  // The batch of extended-protocol messages under way.
  /** Some have been sent to the server and their Sync has not. */
  batchOpen: boolean;
  /** The first statement of the batch that may change something; its Sync is what commits. */
  batchRuns: Statement | null;
  /** An error has been answered here: everything up to Sync is dropped. */
  skipping: boolean;
  /** A refusal that came while the message it is for was waiting; taken when it is shown again. */
  refusal: ProxyError | null;

  /** The lease began in session pooling: it lasts until the client leaves, also after a reload. */
  keepsServer: boolean;
  /** Why it keeps its server between transactions. */
  pinReason: PinReason | null;
  /** The client waits for its own slow reading, or for owed replies, before its next statement. */
  stalled: boolean;
  /** DISCARD ALL has run and its settings are being reported. */
  discarded: boolean;
  cancelId: number;
  lastActivityMs: number;
  transactionSinceMs: number;
  statementSinceMs: number;
  statementFailed: boolean;
  readonly connectedAtMs: number;

  constructor(options: SessionOptions) {
    super();
    const nowMs = options.context.clock.nowMs();
    this.id = options.id;
    this.context = options.context;
    this.link = options.link;
    this.scanner = new FrameScanner(this, CLIENT_IDLE, options.messageBytesMax);
    this.service = options.service;
    this.pool = options.pool;
    this.user = options.user;
    this.database = options.database;
    this.address = options.address;
    this.phase = Phase.Idle;
    this.server = null;
    this.settings = options.settings;
    this.loginSettings = options.settings;
    this.standardConformingStrings = options.standardConformingStrings;
    this.encoding = options.encoding;
    this.lexable = true;
    this.textVariant = '';
    this.ownNames = false;
    this.#readVariant();
    this.prepared = new Map();
    this.forgetting = 0;
    this.unnamed = null;
    this.portal = null;
    this.localPortal = null;
    this.localPortalName = '';
    this.portals = null;
    this.deferredBegin = null;
    this.localFailed = false;
    this.batchOpen = false;
    this.batchRuns = null;
    this.skipping = false;
    this.refusal = null;
    this.keepsServer = false;
    this.pinReason = null;
    this.stalled = false;
    this.discarded = false;
    this.cancelId = 0;
    this.lastActivityMs = nowMs;
    this.transactionSinceMs = 0;
    this.statementSinceMs = 0;
    this.statementFailed = false;
    this.connectedAtMs = nowMs;
    options.service.idle.push(this);
  }

  // ── LinkHandler: the client ────────────────────────────────────────────────────────────────

  onData(chunk: Buffer): void {
    this.lastActivityMs = this.context.clock.nowMs();
    this.service.meters.bytesFromClients += chunk.length;
    if (this.scanner.stopped) {
      if (this.scanner.keep(chunk) > KEPT_BYTES_MAX) this.link.pause();
      return;
    }
    try {
      this.scanner.scan(chunk);
    } catch (error) {
      this.#failed(error);
    }
    // A long message that was on its way to the server may just have been completed.
    releaseIfDone(this);
    if (this.server?.full === true) this.link.pause();
  }

  onDrain(): void {
    this.server?.resumeReading();
    if (this.stalled) this.resume();
  }

  onEnd(): void {
    // What it said before this still waits for its turn, its goodbye included.
    if (this.scanner.heldEndsWith(terminate)) return;
    this.close('the client disconnected', true);
  }

  onClose(error: Error | null): void {
    if (error instanceof HandlerFailed) this.#logDefect(error.cause);
    this.close(error?.message ?? 'the client disconnected', true);
  }

  /** Shows the client's message again that had to wait, and what came behind it. */
  resume(): void {
    this.stalled = false;
    if (this.scanner.stopped) {
      try {
        this.scanner.resume();
      } catch (error) {
        this.#failed(error);
      }
    }
    if (this.scanner.stopped || this.phase === Phase.Closed) return;
    // A server that is full says so by `writable` when it is no longer.
    if (this.server?.full !== true) this.link.resume();
    releaseIfDone(this);
  }

  /** A broken client ends here, and so does a session in which this program is broken. */
  #failed(error: unknown): void {
    if (error instanceof ProtocolViolation) {
      this.fail(refuse('protocol_violation', { values: { problem: error.message } }));
      return;
    }
    this.#logDefect(error);
    this.fail(refuse('internal'));
  }

  #logDefect(error: unknown): void {
    this.context.log.error('session failed', { session: this.id, error });
  }

  // ── FrameSink: what the client sends ───────────────────────────────────────────────────────

  forward(chunk: Buffer, start: number, end: number): void {
    const server = this.server;
    if (server !== null && !server.send(chunk, start, end)) this.link.pause();
  }

  message(code: number, buffer: Buffer, start: number, end: number, total: number): Scan {
    return clientMessage(this, code, buffer, start, end, total);
  }

  // ── ReplyOwner: what the server sends ──────────────────────────────────────────────────────

  deliver(chunk: Buffer, start: number, end: number): boolean {
    this.service.meters.bytesToClients += end - start;
    return this.link.write(chunk, start, end);
  }

  ready(server: ServerConnection, status: TransactionStatus, expect: Expect): void {
    this.#account(server, expect);
    // A simple query ends an un-Synced batch as well.
    if (server.queue.length === 0) {
      this.batchOpen = false;
      if (status === TransactionStatus.Idle) this.forgetPortals();
    }
    if (status === TransactionStatus.Idle) this.transactionSinceMs = 0;
    else if (this.transactionSinceMs === 0) this.transactionSinceMs = this.context.clock.nowMs();
    const restore = this.discarded || server.settingsReset;
    if (this.discarded) {
      this.discarded = false;
      this.settings = this.loginSettings;
    }
    releaseIfDone(this);
    // On a server that is kept nobody else will bring the client's own defaults back.
    if (restore && this.server === server && isAtRest(server)) bringSettings(this, server);
    if (this.stalled) this.resume();
  }

  completed(server: ServerConnection, entry: ReplyEntry, tag: Buffer): void {
    if (entry.expect === Expect.Execute) this.service.meters.extendedOk++;
    afterCompletion(this, server, entry, tag);
  }

  errored(server: ServerConnection, entry: ReplyEntry, error: ErrorFacts): void {
    if (entry.expect === Expect.Query) this.statementFailed = true;
    else this.service.meters.extendedFailed++;
    afterError(this, server, entry, error.sqlstate);
    // An error that stands in for a refusal is counted as the refusal.
    if (entry.payload !== null) return;
    this.service.meters.error(sqlstateClass(error.sqlstate), faultOfServerError(error.sqlstate));
  }

  skipped(server: ServerConnection, entry: ReplyEntry): void {
    undoSkipped(this, server, entry);
  }

  copyInBegan(server: ServerConnection): void {
    if (server.queue.syncSwallowed) this.batchOpen = true;
  }

  parameterChanged(server: ServerConnection, name: string, value: string): void {
    this.settings = server.settings;
    if (name === 'standard_conforming_strings') this.standardConformingStrings = value === 'on';
    else if (name === 'client_encoding') this.encoding = value;
    else return;
    this.#readVariant();
  }

  progressed(server: ServerConnection): void {
    if (this.stalled && server.queue.length <= REPLIES_OWED_ENOUGH) this.resume();
  }

  writable(_server: ServerConnection): void {
    if (!this.scanner.stopped) this.link.resume();
  }

  lost(server: ServerConnection, reason: string): void {
    loseServer(this, server, reason);
  }

  // ── Waiter ─────────────────────────────────────────────────────────────────────────────────

  get replyOwner(): ReplyOwner {
    return this;
  }

  granted(server: ServerConnection): void {
    attach(this, server);
    this.resume();
  }

  refused(error: ProxyError): void {
    move(this, this.deferredBegin === null ? Phase.Idle : Phase.Open);
    this.refusal = error;
    this.resume();
  }

  // ── Answers and ends ───────────────────────────────────────────────────────────────────────

  /** Portals end with their transaction. */
  forgetPortals(): void {
    this.portal = null;
    this.portals = null;
  }

  /** Bytes of our own for the client. */
  answer(bytes: Buffer): void {
    this.service.meters.bytesToClients += bytes.length;
    this.link.writeAll(bytes);
  }

  answerError(error: ProxyError): void {
    this.countRefusal(error);
    encodeProxyError(writer, error);
    this.answer(writer.take());
  }

  countRefusal(error: ProxyError): void {
    const { meters } = this.service;
    meters.refusal(error.code);
    meters.error(sqlstateClass(error.sqlstate), error.fault);
  }

  /** Tells the client why, then closes. */
  fail(error: ProxyError): void {
    if (this.phase === Phase.Closed) return;
    // In the middle of a message our words would be taken for its rest.
    if (this.server?.inMessage !== true) this.answerError(error);
    this.context.log.info('client closed', {
      session: this.id,
      service: this.service.name,
      user: this.user,
      code: error.code,
      reason: error.message,
    });
    this.close(error.message, true);
  }

  /**
   * The end, whoever wanted it. A client that `vanished` has its running statement cancelled; one
   * that said goodbye gets everything it had sent before.
   */
  close(reason: string, vanished: boolean): void {
    if (this.phase === Phase.Closed) return;
    // What came ahead of the message being looked at, in the same chunk, is owed an answer already.
    this.scanner.flushBefore();
    const halfSent = this.scanner.inForwardedMessage;
    this.scanner.close();
    if (this.phase === Phase.Waiting) {
      this.pool.leave(this);
    }
    const server = this.server;
    move(this, Phase.Closed);
    this.context.cancels.remove(this);
    this.service.clients--;
    this.prepared.clear();
    this.link.end();
    // Last, because others hear of it: somebody may be waiting for the server.
    if (server !== null) surrender(this, server, vanished, halfSent);
    if (this.context.log.enabled('debug')) {
      this.context.log.debug('session ended', { session: this.id, reason });
    }
  }

  /** Closes now if nothing is under way; called once draining has begun. */
  closeIfIdle(): void {
    if (this.phase === Phase.Idle && !this.scanner.inMessage) this.fail(refuse('draining'));
  }

  #readVariant(): void {
    const { standardConformingStrings: conforming, encoding } = this;
    const path = this.loginSettings.values.get('search_path') ?? '';
    const plain = conforming && encoding === 'UTF8' && path === '';
    this.textVariant = plain ? '' : `${conforming} ${encoding} ${path}\0`;
    this.lexable = isLexableEncoding(this.encoding);
  }

  /** A statement's answers, or a batch's, are complete. */
  #account(server: ServerConnection, expect: Expect): void {
    const { meters } = this.service;
    const nowMs = this.context.clock.nowMs();
    if (this.statementSinceMs > 0) meters.query.observe(nowMs - this.statementSinceMs);
    this.statementSinceMs = server.queue.length > 0 ? nowMs : 0;
    if (expect === Expect.Query) {
      if (this.statementFailed) meters.simpleFailed++;
      else meters.simpleOk++;
      this.statementFailed = false;
    }
  }
}
