/**
 * One client from its first byte to its welcome: encryption, who it is, where it belongs, what its
 * session looks like. Ends by handing the link to a `Session`, or by closing it.
 *
 *     Greeting ──► Authenticating ──► Welcoming ──► (Session)
 *        └─► cancel request: passed on, closed
 *
 * All of it within `limits.login_timeout`. Strangers learn nothing: which databases and services
 * exist is answered only to who has proved who he is.
 */
import type { User } from '../auth/user-store.ts';
import type { ListenConfig } from '../config/snapshot.ts';
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { ProxyError, refuse } from '../errors/proxy-error.ts';
import { sqlstateClass } from '../errors/sqlstate.ts';
import { HandlerFailed, type Link, type LinkHandler } from '../net/link.ts';
import type { AcceptedPeer } from '../net/listener.ts';
import type { ServerTlsContext } from '../net/tls.ts';
import type { LoginFailureReason } from '../telemetry/login-meters.ts';
import type { ServiceMeters } from '../telemetry/meters.ts';
import type { Timer } from '../util/clock.ts';
import { ListNode } from '../util/intrusive-list.ts';
import { authenticationOk } from '../wire/constants.ts';
import {
  encodeErrorResponse,
  encodeLegacyError,
  encodeProxyError,
  errorFields,
} from '../wire/error-response.ts';
import { STARTUP_PACKET_LENGTH_MAX } from '../wire/limits.ts';
import { encodeNegotiateProtocolVersion } from '../wire/messages/negotiate-protocol-version.ts';
import {
  type FirstPacket,
  FirstPacketKind,
  mustNegotiate,
  negotiatedMinor,
  PROTOCOL_MAJOR,
} from '../wire/startup.ts';
import { Writer } from '../wire/writer.ts';
import { ClientProof, clientClaim, type ProofResult } from './client-proof.ts';
import type { Door } from './door.ts';
import { Greeting } from './greeting.ts';
import { failureReason } from './login-failures.ts';
import { LoginTurn } from './login-gate.ts';
import { LoginPhase } from './login-phases.ts';
import { type NotPlaced, type Placed, Placement } from './placement.ts';
import { Session } from './session.ts';
import { startupSettings } from './startup-options.ts';
import { unwelcome } from './unwelcome.ts';
import { welcome } from './welcome.ts';

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
  readonly #listener: ListenConfig;
  readonly #tls: ServerTlsContext | null;
  readonly #timer: Timer | null;
  readonly #sinceMs: number;
  readonly #greeting: Greeting;
  readonly #turn: LoginTurn;
  readonly #writer = new Writer(256);
  /** The client's, or what the balancer in front of it says is the client's. */
  #address: string;
  #phase: LoginPhase = LoginPhase.Greeting;
  /** What came behind the startup packet, too early. */
  #pending: Buffer | null = null;
  #packet: FirstPacket | null = null;
  /** Whether `door.proving` counts it. */
  #counted = false;
  #certificates: readonly string[] = [];
  #proof: ClientProof | null = null;
  #placement: Placement | null = null;

  constructor(options: LoginOptions) {
    super();
    const { door, link, peer, listener, tls } = options;
    const { clock, meters } = door.context;
    this.#door = door;
    this.#link = link;
    this.#address = peer.address;
    this.#listener = listener;
    this.#tls = tls;
    this.#sinceMs = clock.nowMs();
    this.#timer = door.deadline(clock, () => this.#refuse(refuse('login_timeout')));
    this.#greeting = new Greeting({
      link,
      tls,
      proxyProtocol: listener.proxyProtocol,
      gate: door.gate,
      announced: (source) => {
        this.#address = source.address;
      },
      received: (packet, rest) => this.#received(packet, rest),
      tlsEnded: (error) => this.#tlsEnded(error),
    });
    this.#turn = new LoginTurn(() => link.resume());
    link.handler = this;
    door.loggingIn.push(this);
    meters.connectionsAccepted++;
    if (!door.entrance.enter(this.#turn)) link.pause();
    // Far more than may log in have come, and have not even said what they want.
    if (door.loggingIn.length > 2 * door.limits.maxLogins) {
      this.#over('too many connections are logging in', 'limit');
      link.destroy();
    }
  }

  /** For metrics and for people. */
  get phaseName(): 'greeting' | 'tls' | 'authenticating' | 'delayed' | 'welcoming' {
    if (this.#phase === LoginPhase.Greeting) return this.#greeting.inTls ? 'tls' : 'greeting';
    if (this.#phase === LoginPhase.Welcoming) return 'welcoming';
    return this.#proof?.delayed === true ? 'delayed' : 'authenticating';
  }

  // ── LinkHandler ────────────────────────────────────────────────────────────────────────────

  onData(chunk: Buffer): void {
    try {
      if (this.#phase === LoginPhase.Greeting) this.#greeting.onData(chunk);
      else if (this.#phase === LoginPhase.Authenticating) this.#proof?.onData(chunk);
      else this.#keep(chunk);
    } catch (error) {
      if (error instanceof ProtocolViolation) this.#violated(error);
      else this.#broken(error);
    }
  }

  onDrain(): void {}

  onEnd(): void {
    this.#over('it disconnected during login', 'disconnected');
    this.#link.end();
  }

  onClose(error: Error | null): void {
    if (error instanceof HandlerFailed) {
      this.#door.context.log.error('login failed', { error: error.cause });
    }
    this.#over(error?.message ?? 'it disconnected during login', 'disconnected');
  }

  // ── What does it want ──────────────────────────────────────────────────────────────────────

  #tlsEnded(error: Error | null): void {
    const { meters } = this.#door;
    if (error === null) {
      meters.tlsOk++;
      return;
    }
    meters.tlsFailed++;
    this.#over(`TLS: ${error.message}`, 'tls');
    this.#link.destroy();
  }

  #received(packet: FirstPacket, rest: Buffer | null): void {
    this.#pending = rest;
    if (packet.kind === FirstPacketKind.CancelRequest) this.#cancel(packet);
    else if (packet.kind === FirstPacketKind.Unsupported) this.#refuseOldProtocol(packet);
    else this.#begin(packet);
  }

  /**
   * The connection is closed when the request has arrived: a client that waits for that, as libpq
   * does, may send its next statement without fear that it is the one to be cancelled.
   */
  #cancel(packet: FirstPacket): void {
    const { cancels, meters } = this.#door.context;
    const close = (): void => this.#link.end();
    this.#over(null, 'protocol');
    const sent = cancels.cancel(packet.processId, packet.key as Buffer, close);
    if (sent) meters.cancelsSent++;
    else meters.cancelsIgnored++;
    if (!sent) close();
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
    this.#over(`it speaks protocol ${version}`, 'protocol');
    this.#link.end();
  }

  // ── Who is it ──────────────────────────────────────────────────────────────────────────────

  #begin(packet: FirstPacket): void {
    this.#packet = packet;
    this.#door.meters.attempts++;
    const refused = unwelcome(this.#door, this.#listener, packet, this.#link.encrypted);
    if (refused !== null) {
      this.#refuse(refused);
      return;
    }
    // Counted from here on, so that many who log in at once cannot exceed the limit together.
    this.#door.proving++;
    this.#counted = true;
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
    this.#prove(packet);
  }

  #prove(packet: FirstPacket): void {
    const claim = clientClaim(packet, this.#address, this.#link, this.#tls);
    this.#certificates = claim.certificates;
    this.#phase = LoginPhase.Authenticating;
    this.#proof = new ClientProof(this.#door, this.#link, claim, (result) => {
      this.#proof = null;
      this.#proved(packet, result);
    });
    this.#proof.begin();
    // Who is asked something answers when asked, and not before.
    if (this.#proof !== null && this.#pending !== null) {
      throw new ProtocolViolation('data before the authentication request');
    }
  }

  #proved(packet: FirstPacket, result: ProofResult): void {
    if ('user' in result) this.#authenticated(packet, result.user);
    else if ('error' in result) this.#refuse(result.error, this.#door.strangers, result.reason);
    else this.#broken(result);
  }

  // ── Where does it belong ───────────────────────────────────────────────────────────────────

  #authenticated(packet: FirstPacket, entry: User | null): void {
    this.#phase = LoginPhase.Welcoming;
    const { user, database } = packet;
    if (entry?.mayComeFrom(this.#address) === false) {
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
      address: this.#address,
      certificates: this.#certificates,
    };
    this.#placement = new Placement(this.#door, identity, entry, settings, (result) => {
      this.#placement = null;
      if ('profile' in result) this.#welcome(packet, result);
      else this.#turnAway(result);
    });
    // From here on it is the service that counts it, or nobody.
    this.#uncount();
    this.#placement.start();
  }

  #uncount(): void {
    if (this.#counted) this.#door.proving--;
    this.#counted = false;
  }

  #welcome(packet: FirstPacket, { service, pool, profile }: Placed): void {
    this.#leave();
    const { context } = this.#door;
    const session = new Session({
      id: this.#door.nextSessionId(),
      context,
      link: this.#link,
      service,
      pool,
      user: packet.user,
      database: packet.database,
      address: this.#address,
      settings: profile.settings,
      standardConformingStrings: profile.parameters.get('standard_conforming_strings') !== 'off',
      encoding: profile.parameters.get('client_encoding') ?? 'UTF8',
      messageBytesMax: this.#door.limits.messageBytes,
    });
    this.#link.handler = session;
    service.meters.loginsOk++;
    this.#door.meters.duration.observe(context.clock.nowMs() - this.#sinceMs);
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
    if (refused instanceof ProxyError) return void this.#refuse(refused, service?.meters);
    // The server's words about a setting the client asked for, as the client would get them there.
    encodeErrorResponse(this.#writer, errorFields('FATAL', refused.sqlstate, refused.message));
    this.#link.writeAll(this.#writer.take());
    service?.meters.error(sqlstateClass(refused.sqlstate), 'client');
    const reason = `the server says ${refused.sqlstate}: ${refused.message}`;
    this.#over(reason, 'server', service?.meters);
    this.#link.end();
  }

  /** Bytes of a client that does not wait for its welcome. */
  #keep(chunk: Buffer): void {
    if (this.#phase !== LoginPhase.Welcoming) return;
    const length = (this.#pending?.length ?? 0) + chunk.length;
    if (length > STARTUP_PACKET_LENGTH_MAX) this.#link.pause();
    this.#pending = Buffer.concat(this.#pending === null ? [chunk] : [this.#pending, chunk]);
  }

  #violated(error: ProtocolViolation): void {
    // Before a valid packet nobody knows what language the peer speaks: Postgres is silent as well.
    if (this.#packet === null) {
      this.#over(error.message, 'protocol');
      this.#link.destroy();
    } else {
      this.#refuse(refuse('protocol_violation', { values: { problem: error.message } }));
    }
  }

  #broken(error: unknown): void {
    this.#door.context.log.error('login failed', { error });
    this.#refuse(refuse('internal'));
  }

  #refuse(
    error: ProxyError,
    meters: ServiceMeters = this.#door.strangers,
    reason: LoginFailureReason = failureReason(error.code),
  ): void {
    if (this.#phase === LoginPhase.Over) return;
    const unheard = this.#greeting.inTls;
    encodeProxyError(this.#writer, error, 'FATAL');
    this.#link.writeAll(this.#writer.take());
    meters.refusal(error.code);
    meters.error(sqlstateClass(error.sqlstate), error.fault);
    this.#over(error.message, reason, meters);
    // Nothing can be said in the middle of a TLS handshake, and a goodbye would wait for its end.
    if (unheard) this.#link.destroy();
    else this.#link.end();
  }

  /** `words` is null where nothing went wrong. */
  #over(
    words: string | null,
    reason: LoginFailureReason,
    meters: ServiceMeters = this.#door.strangers,
  ): void {
    if (this.#phase === LoginPhase.Over) return;
    if (words !== null) {
      meters.loginsFailed++;
      this.#door.meters.failed(reason);
      this.#door.context.log.info('login failed', {
        user: this.#packet?.user ?? null,
        database: this.#packet?.database ?? null,
        client: this.#address,
        reason: words,
      });
    }
    this.#leave();
    this.#greeting.abandon();
    this.#proof?.abandon();
    this.#placement?.abandon();
  }

  #leave(): void {
    this.#phase = LoginPhase.Over;
    this.#uncount();
    this.#timer?.cancel();
    this.#door.loggingIn.remove(this);
    this.#door.entrance.leave(this.#turn);
  }
}
