/**
 * One client from its first byte to its welcome: encryption, who it is, where it belongs, what its
 * session looks like. Ends by handing the link to a `Session`, or by closing it.
 *
 *     FirstPacket ──► Tls ──► FirstPacket ──► Authenticating ──► Welcoming ──► (Session)
 *          └─► cancel request: passed on, closed
 *
 * All of it within `limits.login_timeout`. Strangers learn nothing: which databases and services
 * exist is answered only to who has proved who he is.
 */
import type { Pool } from '../backend/pool.ts';
import type { DatabaseConfig, ListenConfig } from '../config/snapshot.ts';
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { type ProxyError, ProxyError as ProxyErrorClass, refuse } from '../errors/proxy-error.ts';
import { sqlstateClass } from '../errors/sqlstate.ts';
import type { Link, LinkHandler } from '../net/link.ts';
import type { AcceptedPeer } from '../net/listener.ts';
import { acceptTls, type ServerTlsContext } from '../net/tls.ts';
import { ListNode } from '../util/intrusive-list.ts';
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
} from '../wire/startup.ts';
import { Writer } from '../wire/writer.ts';
import type { Door } from './door.ts';
import { findProfile, type LoginProfile, type ProfileProbe, type ProfileResult } from './login-profile.ts';
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
  #scram: ScramLogin | null = null;
  #probe: ProfileProbe | null = null;

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

  #cancel(packet: FirstPacket): void {
    const { cancels, meters } = this.#door.context;
    if (cancels.cancel(packet.processId, packet.key as Buffer)) meters.cancelsSent++;
    else meters.cancelsIgnored++;
    this.#over(null);
    this.#link.end();
  }

  /** A client that old understands only the error message of its own day. */
  #refuseOldProtocol(packet: FirstPacket): void {
    const version = `${packet.major >>> 16}.${packet.major & 0xffff}`;
    encodeLegacyError(this.#writer, refuse('unsupported_protocol', { values: { version } }));
    this.#link.writeAll(this.#writer.take());
    this.#over(`it speaks protocol ${version}`);
    this.#link.end();
  }

  // ── Who is it ──────────────────────────────────────────────────────────────────────────────

  #begin(packet: FirstPacket): void {
    this.#packet = packet;
    if (this.#door.context.draining) return this.#refuse(refuse('draining'));
    if (this.#listener.tls.mode === 'require' && !this.#link.encrypted) {
      return this.#refuse(refuse('tls_required'));
    }
    if (this.#door.clients + 1 > this.#door.limits.maxClients) {
      return this.#refuse(refuse('process_client_limit'));
    }
    if (packet.parameters.has('replication') && isTrue(packet.parameters.get('replication'))) {
      return this.#refuse(refuse('replication_unsupported'));
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
      this.#authenticated();
      return;
    }
    this.#phase = LoginPhase.Authenticating;
    if (this.#pending !== null) throw new ProtocolViolation('data before the authentication request');
    this.#scram = new ScramLogin(this.#link, this.#door.users, packet.user, (outcome) =>
      this.#scramOver(outcome),
    );
    this.#scram.begin();
  }

  #scramOver(outcome: 'passed' | 'refused' | Error): void {
    if (this.#phase !== LoginPhase.Authenticating) return;
    const { user } = this.#packet as FirstPacket;
    if (outcome === 'passed') this.#authenticated();
    else if (outcome === 'refused') this.#refuse(refuse('password_failed', { values: { user } }));
    else if (outcome instanceof ProtocolViolation) this.#violated(outcome);
    else this.#broken(outcome);
  }

  // ── Where does it belong ───────────────────────────────────────────────────────────────────

  #authenticated(): void {
    this.#phase = LoginPhase.Welcoming;
    const { user, database } = this.#packet as FirstPacket;
    const known = this.#door.users.find(user);
    if (known !== null && !known.mayComeFrom(this.#peer.address)) {
      return this.#refuse(refuse('client_not_allowed', { values: { user } }));
    }
    this.#link.writeAll(authenticationOk);
    const config = this.#door.databases.get(database);
    if (config === undefined) {
      return this.#refuse(refuse('unknown_database', { values: { database } }));
    }
    if (known !== null && !known.mayOpen(database)) {
      return this.#refuse(refuse('database_not_allowed', { values: { database } }));
    }
    const settings = startupSettings((this.#packet as FirstPacket).parameters);
    if (settings instanceof ProxyErrorClass) return this.#refuse(settings);
    this.#findPlace(config, settings);
  }

  #findPlace(database: DatabaseConfig, settings: ReadonlyMap<string, string>): void {
    const { user } = this.#packet as FirstPacket;
    const service = this.#door.services.find({
      user,
      database: database.name,
      listener: this.#listener.name,
      listenerService: this.#listener.service,
      address: this.#peer.address,
    });
    if (service.clients >= service.config.pool.maxClients) {
      return this.#refuse(refuse('client_limit', { values: { service: service.name } }), service.name);
    }
    const target = database.targets[0];
    if (target === undefined) throw new TypeError('a database without targets');
    const pool = this.#door.pools.get(
      service.config,
      database.name,
      target,
      this.#door.credentials(database, user),
    );
    // Counted from here on, so that those who are being welcomed cannot exceed the limit together.
    service.clients++;
    const finish = (result: ProfileResult): void => {
      this.#probe = null;
      if (this.#phase !== LoginPhase.Welcoming) {
        service.clients--;
        return;
      }
      if (typeof result === 'object' && 'settings' in result) {
        this.#welcome(pool, service.name, result);
        return;
      }
      service.clients--;
      this.#turnAway(result, database.name);
    };
    this.#probe = findProfile(pool, settings, finish);
    if (this.#probe !== null) this.#giveUp = () => {
      if (this.#probe?.list !== null) {
        this.#probe?.abandon();
        service.clients--;
      }
    };
  }

  /** Leaves the queue for a server, when the client goes before it has got that far. */
  #giveUp: (() => void) | null = null;

  #turnAway(result: Exclude<ProfileResult, LoginProfile>, database: string): void {
    if (result === 'lost') {
      this.#refuse(refuse('target_down', { values: { database } }));
    } else if (result instanceof ProxyErrorClass) {
      this.#refuse(result);
    } else {
      // The server's words about a setting the client asked for, as the client would get them there.
      encodeErrorResponse(this.#writer, errorFields('FATAL', result.sqlstate, result.message));
      this.#link.writeAll(this.#writer.take());
      this.#over(`the server says ${result.sqlstate}: ${result.message}`);
      this.#link.end();
    }
  }

  // ── Ends ───────────────────────────────────────────────────────────────────────────────────

  #welcome(pool: Pool, serviceName: string, profile: LoginProfile): void {
    const packet = this.#packet as FirstPacket;
    const service = this.#door.services.all.find(({ name }) => name === serviceName);
    if (service === undefined) throw new TypeError('the service has gone');
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

  /** Bytes of a client that does not wait for its welcome. */
  #keep(chunk: Buffer): void {
    if (this.#phase !== LoginPhase.Welcoming) return;
    const length = (this.#pending?.length ?? 0) + chunk.length;
    if (length > STARTUP_PACKET_LENGTH_MAX) this.#link.pause();
    this.#pending = this.#pending === null ? chunk : Buffer.concat([this.#pending, chunk]);
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

  #refuse(error: ProxyError, serviceName = ''): void {
    if (this.#phase === LoginPhase.Over) return;
    encodeProxyError(this.#writer, error, 'FATAL');
    this.#link.writeAll(this.#writer.take());
    const meters = this.#door.services.all.find(({ name }) => name === serviceName)?.meters;
    meters?.refusal(error.code);
    meters?.error(sqlstateClass(error.sqlstate), error.fault);
    this.#over(error.message);
    this.#link.end();
  }

  /** `reason` is null where nothing went wrong. */
  #over(reason: string | null): void {
    if (this.#phase === LoginPhase.Over) return;
    if (reason !== null) {
      this.#door.context.log.info('login refused', {
        user: this.#packet?.user ?? null,
        database: this.#packet?.database ?? null,
        client: this.#peer.address,
        reason,
      });
    }
    this.#leave();
    this.#giveUp?.();
  }

  #leave(): void {
    this.#phase = LoginPhase.Over;
    this.#timer?.cancel();
    this.#door.loggingIn.remove(this);
  }
}

/** As Postgres reads a boolean; `replication=database` is the logical kind. */
function isTrue(value: string | undefined): boolean {
  return value !== undefined && !/^(?:false|off|no|0)$/i.test(value);
}
