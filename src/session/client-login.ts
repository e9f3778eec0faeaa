/**
 * One client from its first byte to its welcome: encryption, who it is, where it belongs, what its
 * session looks like. Ends by handing the link to a `Session`, or by closing it.
 *
 *     FirstPacket ──► Tls ──► FirstPacket ──► Authenticating ──► Welcoming ──► (Session)
 *          └─► cancel request: passed on, closed
 *
 * One room: the phases of one login share nearly all of their state, and follow one another once.
 *
 * All of it within `limits.login_timeout`. Strangers learn nothing: which databases and services
 * exist is answered only to who has proved who he is.
 */
import type { ListenConfig } from '../config/snapshot.ts';
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { ProxyError, refuse } from '../errors/proxy-error.ts';
import { sqlstateClass } from '../errors/sqlstate.ts';
import { HandlerFailed, type Link, type LinkHandler } from '../net/link.ts';
import type { AcceptedPeer } from '../net/listener.ts';
import { acceptTls, type ServerTlsContext } from '../net/tls.ts';
import { ListNode } from '../util/intrusive-list.ts';
import type { ServiceMeters } from '../telemetry/meters.ts';
import type { Timer } from '../util/clock.ts';
import { authenticationOk, sslNo, sslYes } from '../wire/constants.ts';
import {
  encodeErrorResponse,
  encodeLegacyError,
  encodeProxyError,
  errorFields,
} from '../wire/error-response.ts';
import { STARTUP_PACKET_LENGTH_MAX } from '../wire/limits.ts';
import { encodeNegotiateProtocolVersion } from '../wire/messages/negotiate-protocol-version.ts';
import {
  decodeFirstPacket,
  type FirstPacket,
  FirstPacketKind,
  firstPacketLength,
  mustNegotiate,
  negotiatedMinor,
  PROTOCOL_MAJOR,
} from '../wire/startup.ts';
import { Writer } from '../wire/writer.ts';
import type { Door } from './door.ts';
import { type NotPlaced, type Placed, Placement } from './placement.ts';
import { ScramLogin } from './scram-login.ts';
import { Session } from './session.ts';
import { startupSettings } from './startup-options.ts';
import { welcome } from './welcome.ts';

const LoginPhase = {
  /** Collecting the packet that says what the client wants. */
  FirstPacket: 0,
  /** The TLS handshake is running. */
  Tls: 1,
  /** It has said who it is and is proving it. */
  Authenticating: 2,
  /** It is in; what its session looks like is being found out. */
  Welcoming: 3,
  /** Over: there is a session, or the link is closing. */
  Over: 4,
} as const;
type LoginPhase = (typeof LoginPhase)[keyof typeof LoginPhase];

export interface LoginOptions {
  readonly door: Door;
  readonly link: Link;
  readonly peer: AcceptedPeer;
  readonly listener: ListenConfig;
  readonly tls: ServerTlsContext | null;
}

export class ClientLogin extends ListNode implements LinkHandler {
  readonly #door: Door;
  readonly #link: Link;
  readonly #peer: AcceptedPeer;
  readonly #listener: ListenConfig;
  readonly #tls: ServerTlsContext | null;
  readonly #timer: Timer | null;
  readonly #writer = new Writer(256);
  #phase: LoginPhase = LoginPhase.FirstPacket;
  #sslAnswered = false;
  #gssAnswered = false;
  /** What has come of the first packet; afterwards, what came behind it too early. */
  #pending: Buffer | null = null;
  #packet: FirstPacket | null = null;
  /** Whether `door.proving` counts it. */
  #proving = false;
  #scram: ScramLogin | null = null;
  #placement: Placement | null = null;

  constructor(options: LoginOptions) {
    super();
    this.#door = options.door;
    this.#link = options.link;
    this.#peer = options.peer;
    this.#listener = options.listener;
    this.#tls = options.tls;
    this.#timer = this.#door.deadline(this.#door.context.clock, () =>
      this.#refuse(refuse('login_timeout')),
    );
    this.#link.handler = this;
    this.#door.loggingIn.push(this);
    this.#door.context.meters.connectionsAccepted++;
  }

  // ── LinkHandler ────────────────────────────────────────────────────────────────────────────

  onData(chunk: Buffer): void {
    try {
      if (this.#phase === LoginPhase.FirstPacket) this.#collect(chunk);
      else if (this.#phase === LoginPhase.Authenticating) this.#scram?.onData(chunk);
      else this.#keep(chunk);
    } catch (error) {
      if (error instanceof ProtocolViolation) this.#violated(error);
      else this.#broken(error);
    }
  }

  onDrain(): void {}

  onEnd(): void {
    this.#over('it disconnected during login');
    this.#link.end();
  }

  onClose(error: Error | null): void {
    if (error instanceof HandlerFailed) {
      this.#door.context.log.error('login failed', { error: error.cause });
    }
    this.#over(error?.message ?? 'it disconnected during login');
  }

  // ── First packet ───────────────────────────────────────────────────────────────────────────

  #collect(chunk: Buffer): void {
    const buffer = this.#pending === null ? chunk : Buffer.concat([this.#pending, chunk]);
    const length = firstPacketLength(buffer, 0, buffer.length);
    if (length === 0 || buffer.length < length) {
      this.#pending = Buffer.from(buffer);
      return;
    }
    const packet = decodeFirstPacket(buffer, 0, length);
    this.#pending = buffer.length > length ? Buffer.from(buffer.subarray(length)) : null;
    switch (packet.kind) {
      case FirstPacketKind.SSLRequest:
        this.#answerSslRequest();
        break;
      case FirstPacketKind.GSSENCRequest:
        this.#answerGssRequest();
        break;
      case FirstPacketKind.CancelRequest:
        this.#cancel(packet);
        break;
      case FirstPacketKind.Unsupported:
        this.#refuseOldProtocol(packet);
        break;
      default:
        this.#begin(packet);
    }
  }

  #answerSslRequest(): void {
    // Bytes that came with the request came in the clear, and must not be taken for encrypted ones
    // later (CVE-2021-23222).
    if (this.#pending !== null || this.#sslAnswered || this.#link.encrypted) {
      throw new ProtocolViolation('received unencrypted data after SSL request');
    }
    this.#sslAnswered = true;
    if (this.#tls === null) {
      this.#link.writeAll(sslNo);
      return;
    }
    this.#phase = LoginPhase.Tls;
    this.#link.writeAll(sslYes);
    this.#link.flush();
    acceptTls(this.#link, this.#tls, (error) => {
      if (error === null) this.#phase = LoginPhase.FirstPacket;
      else {
        this.#over(`TLS: ${error.message}`);
        this.#link.destroy();
      }
    });
  }

  #answerGssRequest(): void {
    if (this.#pending !== null || this.#gssAnswered) {
      throw new ProtocolViolation('received unencrypted data after GSSAPI encryption request');
    }
    this.#gssAnswered = true;
    this.#link.writeAll(sslNo);
  }

  /**
   * The connection is closed when the request has arrived: a client that waits for that, as libpq
   * does, may send its next statement without fear that it is the one to be cancelled.
   */
  #cancel(packet: FirstPacket): void {
    const { cancels, meters } = this.#door.context;
    const close = (): void => this.#link.end();
    this.#over(null);
    if (cancels.cancel(packet.processId, packet.key as Buffer, close)) {
      meters.cancelsSent++;
    } else {
      meters.cancelsIgnored++;
      close();
    }
  }

  #refuseOldProtocol(packet: FirstPacket): void {
    const version = `${packet.major}.${packet.minor}`;
    const error = refuse('unsupported_protocol', { values: { version } });
    if (packet.major >= PROTOCOL_MAJOR) {
      this.#refuse(error);
      return;
    }
    // A client that old understands only the error message of its own day.
    encodeLegacyError(this.#writer, error);
    this.#link.writeAll(this.#writer.take());
    this.#over(`it speaks protocol ${version}`);
    this.#link.end();
  }

  // ── Who is it ──────────────────────────────────────────────────────────────────────────────

  #begin(packet: FirstPacket): void {
    this.#packet = packet;
    if (this.#door.context.draining) {
      this.#refuse(refuse('draining'));
      return;
    }
    if (this.#listener.tls.mode === 'require' && !this.#link.encrypted) {
      this.#refuse(refuse('tls_required'));
      return;
    }
    // Counted from here on, so that many who log in at once cannot exceed the limit together.
    if (this.#door.clients + this.#door.proving >= this.#door.limits.maxClients) {
      this.#refuse(refuse('process_client_limit'));
      return;
    }
    this.#door.proving++;
    this.#proving = true;
    if (packet.parameters.has('replication') && isTrue(packet.parameters.get('replication'))) {
      this.#refuse(refuse('replication_unsupported'));
      return;
    }
    if (packet.user === '') {
      throw new ProtocolViolation('no PostgreSQL user name specified in startup packet');
    }
    if (mustNegotiate(packet)) {
      encodeNegotiateProtocolVersion(this.#writer, {
        major: packet.major,
        minor: negotiatedMinor(packet.minor),
        options: packet.options,
      });
      this.#link.writeAll(this.#writer.take());
    }
    if (this.#door.method === 'trust') {
      this.#authenticated(packet);
      return;
    }
    this.#phase = LoginPhase.Authenticating;
    if (this.#pending !== null)
      throw new ProtocolViolation('data before the authentication request');
    this.#scram = new ScramLogin(this.#link, this.#door.users, packet.user, (outcome) =>
      this.#scramOver(outcome),
    );
    this.#scram.begin();
  }

  #scramOver(outcome: 'passed' | 'refused' | Error): void {
    if (this.#phase !== LoginPhase.Authenticating) return;
    const packet = this.#packet as FirstPacket;
    if (outcome === 'passed') this.#authenticated(packet);
    else if (outcome === 'refused') {
      this.#refuse(refuse('password_failed', { values: { user: packet.user } }));
    } else if (outcome instanceof ProtocolViolation) this.#violated(outcome);
    else this.#broken(outcome);
  }

  // ── Where does it belong ───────────────────────────────────────────────────────────────────

  #authenticated(packet: FirstPacket): void {
    this.#phase = LoginPhase.Welcoming;
    const { user, database } = packet;
    if (this.#door.users.find(user)?.mayComeFrom(this.#peer.address) === false) {
      this.#refuse(refuse('client_not_allowed', { values: { user } }));
      return;
    }
    this.#link.writeAll(authenticationOk);
    const settings = startupSettings(packet.parameters);
    if (settings instanceof ProxyError) {
      this.#refuse(settings);
      return;
    }
    const identity = {
      user,
      database,
      listener: this.#listener.name,
      listenerService: this.#listener.service,
      address: this.#peer.address,
    };
    this.#placement = new Placement(this.#door, identity, settings, (result) => {
      this.#placement = null;
      if ('profile' in result) this.#welcome(packet, result);
      else this.#turnAway(result);
    });
    // From here on it is the service that counts it, or nobody.
    this.#proved();
    this.#placement.start();
  }

  #proved(): void {
    if (this.#proving) this.#door.proving--;
    this.#proving = false;
  }

  #welcome(packet: FirstPacket, { service, pool, profile }: Placed): void {
    this.#leave();
    const session = new Session({
      id: this.#door.nextSessionId(),
      context: this.#door.context,
      link: this.#link,
      service,
      pool,
      user: packet.user,
      database: packet.database,
      address: this.#peer.address,
      settings: profile.settings,
      standardConformingStrings: profile.parameters.get('standard_conforming_strings') !== 'off',
      encoding: profile.parameters.get('client_encoding') ?? 'UTF8',
      messageBytesMax: this.#door.limits.messageBytes,
    });
    this.#link.handler = session;
    service.meters.loginsOk++;
    const early = this.#pending;
    this.#pending = null;
    if (!welcome(session, profile, packet.minor >= 2)) return;
    this.#link.resume();
    if (early !== null) session.onData(early);
  }

  /** Ends a login that must not go on. */
  fail(error: ProxyError): void {
    this.#refuse(error);
  }

  // ── Ends ───────────────────────────────────────────────────────────────────────────────────

  #turnAway({ refused, service }: NotPlaced): void {
    if (refused instanceof ProxyError) {
      this.#refuse(refused, service?.meters);
      return;
    }
    // The server's words about a setting the client asked for, as the client would get them there.
    encodeErrorResponse(this.#writer, errorFields('FATAL', refused.sqlstate, refused.message));
    this.#link.writeAll(this.#writer.take());
    service?.meters.error(sqlstateClass(refused.sqlstate), 'client');
    this.#over(`the server says ${refused.sqlstate}: ${refused.message}`, service?.meters);
    this.#link.end();
  }

  /** Bytes of a client that does not wait for its welcome. */
  #keep(chunk: Buffer): void {
    if (this.#phase !== LoginPhase.Welcoming) return;
    const length = (this.#pending?.length ?? 0) + chunk.length;
    if (length > STARTUP_PACKET_LENGTH_MAX) this.#link.pause();
    this.#pending = Buffer.concat([this.#pending ?? NOTHING, chunk]);
  }

  #violated(error: ProtocolViolation): void {
    // Before a valid packet nobody knows what language the peer speaks: Postgres is silent as well.
    if (this.#packet === null) {
      this.#over(error.message);
      this.#link.destroy();
    } else {
      this.#refuse(refuse('protocol_violation', { values: { problem: error.message } }));
    }
  }

  #broken(error: unknown): void {
    this.#door.context.log.error('login failed', { error });
    this.#refuse(refuse('internal'));
  }

  #refuse(error: ProxyError, meters: ServiceMeters = this.#door.strangers): void {
    if (this.#phase === LoginPhase.Over) return;
    const unheard = this.#phase === LoginPhase.Tls;
    encodeProxyError(this.#writer, error, 'FATAL');
    this.#link.writeAll(this.#writer.take());
    meters.refusal(error.code);
    meters.error(sqlstateClass(error.sqlstate), error.fault);
    this.#over(error.message, meters);
    // Nothing can be said in the middle of a TLS handshake, and saying goodbye would wait for its
    // end.
    if (unheard) this.#link.destroy();
    else this.#link.end();
  }

  /** `reason` is null where nothing went wrong. */
  #over(reason: string | null, meters: ServiceMeters = this.#door.strangers): void {
    if (this.#phase === LoginPhase.Over) return;
    if (reason !== null) {
      meters.loginsFailed++;
      this.#door.context.log.info('login failed', {
        user: this.#packet?.user ?? null,
        database: this.#packet?.database ?? null,
        client: this.#peer.address,
        reason,
      });
    }
    this.#leave();
    this.#placement?.abandon();
  }

  #leave(): void {
    this.#phase = LoginPhase.Over;
    this.#proved();
    this.#timer?.cancel();
    this.#door.loggingIn.remove(this);
  }
}

const NOTHING = Buffer.alloc(0);

/** As Postgres reads a boolean; `replication=database` is the logical kind. */
function isTrue(value: string | undefined): boolean {
  return value !== undefined && !/^(?:false|off|no|0)$/i.test(value);
}
