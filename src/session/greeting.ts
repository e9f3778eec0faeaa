/**
 * From a connection's first byte to its startup packet: who it comes from, whether it is encrypted,
 * and whether it wants anything but to log in.
 *
 *     ProxyHeader ──► FirstPacket ──► Hello ──► Tls ──► FirstPacket ──► (startup)
 *                          └──────────────────────────────► (cancel, another protocol)
 *
 * The PROXY header comes first, on listeners that have it, and only there. TLS begins by
 * SSLRequest or, since libpq 17, by itself (`sslnegotiation=direct`), which is told by its first
 * byte; then ALPN must name Postgres, so that nobody can make a browser speak to us.
 *
 * What came in the clear before TLS must not be taken for encrypted (CVE-2021-23214): bytes behind
 * an SSLRequest end the connection.
 */
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { type HandshakeGate, HandshakeTurn } from '../net/handshake-gate.ts';
import type { Link } from '../net/link.ts';
import { acceptTls, agreedProtocol, ALPN, type ServerTlsContext } from '../net/tls.ts';
import { sslNo, sslYes } from '../wire/constants.ts';
import { decodeProxyHeader, type ProxySource } from '../wire/proxy-header.ts';
import {
  decodeFirstPacket,
  type FirstPacket,
  FirstPacketKind,
  firstPacketLength,
  isDirectTls,
} from '../wire/startup.ts';

const GreetingPhase = {
  /** The balancer says whose connection it is. */
  ProxyHeader: 0,
  /** Collecting the packet that says what the client wants. */
  FirstPacket: 1,
  /** TLS was agreed on; the client's first bytes of it come next. */
  Hello: 2,
  /** They are here: the handshake waits for its turn, or is running. */
  Tls: 3,
  /** There is a startup packet, a cancel request, or nothing to wait for. */
  Over: 4,
} as const;
type GreetingPhase = (typeof GreetingPhase)[keyof typeof GreetingPhase];

export interface GreetingOptions {
  readonly link: Link;
  /** Null: the listener has none. */
  readonly tls: ServerTlsContext | null;
  readonly proxyProtocol: boolean;
  readonly gate: HandshakeGate;
  /** The balancer has said who is behind it. */
  readonly announced: (source: ProxySource) => void;
  /** A startup packet, a cancel request, or a protocol we do not speak; `rest` came behind it. */
  readonly received: (packet: FirstPacket, rest: Buffer | null) => void;
  /** A handshake has ended, well (null) or not; afterwards the link is closed. */
  readonly tlsEnded: (error: Error | null) => void;
}

export class Greeting {
  readonly #options: GreetingOptions;
  #phase: GreetingPhase;
  #pending: Buffer | null = null;
  #turn: HandshakeTurn | null = null;
  #sslAnswered = false;
  #gssAnswered = false;
  #direct = false;

  constructor(options: GreetingOptions) {
    this.#options = options;
    this.#phase = options.proxyProtocol ? GreetingPhase.ProxyHeader : GreetingPhase.FirstPacket;
  }

  /** A TLS handshake is under way, or waits to be. */
  get inTls(): boolean {
    return this.#phase === GreetingPhase.Hello || this.#phase === GreetingPhase.Tls;
  }

  /** Throws ProtocolViolation. */
  onData(chunk: Buffer): void {
    const bytes = this.#pending === null ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = null;
    if (this.#phase === GreetingPhase.ProxyHeader) this.#proxyHeader(bytes);
    else if (this.#phase === GreetingPhase.FirstPacket) this.#firstPacket(bytes);
    else if (this.#phase === GreetingPhase.Hello) this.#hello(bytes);
  }

  /** The client has gone, or has taken too long. */
  abandon(): void {
    this.#phase = GreetingPhase.Over;
    this.#pending = null;
    if (this.#turn !== null) this.#options.gate.leave(this.#turn);
  }

  #proxyHeader(bytes: Buffer): void {
    const header = decodeProxyHeader(bytes);
    if (header === null) {
      this.#keep(bytes, 0);
      return;
    }
    this.#phase = GreetingPhase.FirstPacket;
    if (header.source !== null) this.#options.announced(header.source);
    if (bytes.length > header.length) this.#firstPacket(bytes.subarray(header.length));
  }

  #firstPacket(bytes: Buffer): void {
    const { link, tls } = this.#options;
    const first = !this.#sslAnswered && !this.#gssAnswered && !link.encrypted;
    if (first && tls !== null && isDirectTls(bytes[0] as number)) {
      this.#direct = true;
      this.#hello(bytes);
      return;
    }
    const length = firstPacketLength(bytes, 0, bytes.length);
    if (length === 0 || bytes.length < length) {
      this.#keep(bytes, 0);
      return;
    }
    const packet = decodeFirstPacket(bytes, 0, length);
    this.#keep(bytes, length);
    if (packet.kind === FirstPacketKind.SSLRequest) this.#answerSslRequest();
    else if (packet.kind === FirstPacketKind.GSSENCRequest) this.#answerGssRequest();
    else {
      const rest = this.#pending;
      this.#phase = GreetingPhase.Over;
      this.#pending = null;
      this.#options.received(packet, rest);
    }
  }

  #answerSslRequest(): void {
    const { link, tls } = this.#options;
    if (this.#pending !== null || this.#sslAnswered || link.encrypted) {
      throw new ProtocolViolation('received unencrypted data after SSL request');
    }
    this.#sslAnswered = true;
    if (tls === null) {
      link.writeAll(sslNo);
      return;
    }
    this.#phase = GreetingPhase.Hello;
    link.writeAll(sslYes);
  }

  #answerGssRequest(): void {
    if (this.#pending !== null || this.#gssAnswered) {
      throw new ProtocolViolation('received unencrypted data after GSSAPI encryption request');
    }
    this.#gssAnswered = true;
    this.#options.link.writeAll(sslNo);
  }

  #hello(bytes: Buffer): void {
    const { link, gate } = this.#options;
    this.#phase = GreetingPhase.Tls;
    // Copied, because it may wait; the chunk it came in is larger than it.
    const hello = Buffer.from(bytes);
    link.pause();
    this.#turn = new HandshakeTurn(() => this.#beginTls(hello));
    gate.enter(this.#turn);
  }

  #beginTls(hello: Buffer): void {
    const { link, tls, tlsEnded } = this.#options;
    this.#turn = null;
    if (this.#phase !== GreetingPhase.Tls || link.closed) return;
    acceptTls(link, tls as ServerTlsContext, hello, (error) => {
      if (this.#phase !== GreetingPhase.Tls) return;
      if (error === null && this.#direct && agreedProtocol(link) !== ALPN) {
        tlsEnded(new Error('TLS began directly, and ALPN did not name Postgres'));
        return;
      }
      if (error === null) this.#phase = GreetingPhase.FirstPacket;
      tlsEnded(error);
    });
  }

  #keep(bytes: Buffer, from: number): void {
    this.#pending = bytes.length > from ? Buffer.from(bytes.subarray(from)) : null;
  }
}
