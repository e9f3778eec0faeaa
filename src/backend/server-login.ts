/**
 * From "a server is wanted" to "a server is logged in": dials, encrypts, runs the handshake, and
 * hands the link to its `ServerConnection`. All of it within `timeouts.connect`.
 */
import { tlsServerEndPoint } from '../auth/channel-binding.ts';
import type { ProxyError } from '../errors/proxy-error.ts';
import { refuse } from '../errors/proxy-error.ts';
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import type { Link } from '../net/link.ts';
import { shownCertificate } from '../net/tls.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { isLoopback } from '../util/networks.ts';
import { FrameScanner, type FrameSink, Scan } from '../wire/frame-scanner.ts';
import { SERVER_LOGIN } from '../wire/interest.ts';
import { HEADER_BYTES, PEEKED_BODY_BYTES_MAX } from '../wire/limits.ts';
import { Handshake, type HandshakeFailure } from './handshake.ts';
import { HandshakeState } from './handshake-states.ts';
import { type OpenLinkHandler, openLink } from './open-link.ts';
import type { PoolSpec } from './pool-spec.ts';
import type { ServerConnection } from './server-connection.ts';

export interface LoginFailure {
  /** For the log: with addresses and the server's words. */
  readonly reason: string;
  /** For the clients that waited. */
  readonly error: ProxyError;
}

/** `invalid_authorization_specification`: what Postgres says when pg_hba wants encryption. */
const SQLSTATE_NOT_AUTHORIZED = '28000';

export class ServerLogin implements OpenLinkHandler, FrameSink {
  link: Link | null = null;
  readonly #server: ServerConnection;
  readonly #spec: PoolSpec;
  readonly #clock: Clock;
  readonly #done: (failure: LoginFailure | null) => void;
  readonly #timer: Timer;
  #handshake: Handshake | null = null;
  #scanner: FrameScanner | null = null;
  #retriedWithTls = false;
  #over = false;

  constructor(
    server: ServerConnection,
    spec: PoolSpec,
    clock: Clock,
    done: (failure: LoginFailure | null) => void,
  ) {
    this.#server = server;
    this.#spec = spec;
    this.#clock = clock;
    this.#done = done;
    this.#timer = clock.after(spec.timeouts.connectMs, () => this.#fail('it took too long'));
    openLink(spec.target.server, spec.timeouts.connectMs, clock, this);
  }

  opened(link: Link): void {
    if (this.#over) {
      link.destroy();
      return;
    }
    this.#scanner = new FrameScanner(this, SERVER_LOGIN, PEEKED_BODY_BYTES_MAX);
    const { login, target, credentialKeys } = this.#spec;
    this.#handshake = new Handshake({
      user: login.user,
      password: login.password,
      stored: login.stored,
      channelBinding: bindingOf(link),
      database: target.database,
      applicationName: null,
      parameters: login.parameters,
      secure: link.encrypted || isLoopback(target.server.host),
      keys: credentialKeys,
      resumed: () => {
        try {
          this.#proceed();
        } catch (error) {
          // A promise has brought us here: nobody else would catch this.
          link.broken(error);
        }
      },
    });
    this.#handshake.start();
    this.#proceed();
  }

  onData(chunk: Buffer): void {
    try {
      this.#scanner?.scan(chunk);
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.#fail(error.message);
    }
  }

  onDrain(): void {}

  onEnd(): void {
    this.link?.destroy();
  }

  onClose(error: Error | null): void {
    this.#fail(error?.message ?? 'it closed the connection during login');
  }

  forward(): void {}

  message(code: number, buffer: Buffer, start: number, end: number): Scan {
    this.#handshake?.message(code, buffer, start + HEADER_BYTES, end);
    this.#proceed();
    return Scan.Drop;
  }

  /** Sends what the handshake has to say and looks at where it stands. */
  #proceed(): void {
    const handshake = this.#handshake;
    const link = this.link;
    if (handshake === null || link === null || this.#over) return;
    const output = handshake.takeOutput();
    if (output !== null) link.writeAll(output);
    if (handshake.state === HandshakeState.Ready) this.#succeed(handshake, link);
    else if (handshake.state === HandshakeState.Failed) this.#refused(handshake);
  }

  #succeed(handshake: Handshake, link: Link): void {
    this.#over = true;
    this.#timer.cancel();
    this.#scanner?.close();
    this.#server.loggedIn(link, {
      processId: handshake.processId,
      secretKey: handshake.secretKey,
      parameters: handshake.parameters,
    });
    this.#done(null);
  }

  #refused(handshake: Handshake): void {
    const failure = handshake.failure;
    const { server } = this.#spec.target;
    const plain = server.tls.mode === 'allow' && this.link?.encrypted === false;
    if (plain && !this.#retriedWithTls && failure?.fields?.sqlstate === SQLSTATE_NOT_AUTHORIZED) {
      this.#retriedWithTls = true;
      this.#scanner?.close();
      const link = this.link as Link;
      link.handler = DISCARDED;
      link.destroy();
      openLink(server, this.#spec.timeouts.connectMs, this.#clock, this, 'require');
      return;
    }
    this.#fail(failure?.message ?? 'the login failed', refusalFor(failure, this.#spec));
  }

  #fail(reason: string, error?: ProxyError): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer.cancel();
    this.#handshake?.abandon();
    this.#scanner?.close();
    this.link?.destroy();
    this.#done({
      reason,
      error: error ?? refuse('target_down', { values: { database: this.#spec.database } }),
    });
  }
}

function bindingOf(link: Link): Buffer | null {
  const certificate = shownCertificate(link);
  return certificate === null ? null : tlsServerEndPoint(certificate);
}

/** What a client is told of a server's refusal: enough to act on, nothing about the server. */
function refusalFor(failure: HandshakeFailure | null, { database, login }: PoolSpec): ProxyError {
  const values = { database };
  switch (failure?.kind) {
    case 'no-password':
      return refuse('no_server_password', { values: { database, user: login.user } });
    case 'unsupported':
    case 'insecure':
      return refuse('server_login_failed', { values });
  }
  switch (failure?.fields?.sqlstate.slice(0, 2)) {
    case '28': // not authorized
      return refuse('server_login_failed', { values });
    case '3D': // no such database
      return refuse('unknown_database', { values });
    default: // starting up, shutting down, too many connections: it will pass
      return refuse('target_down', { values });
  }
}

const DISCARDED = {
  onData: () => {},
  onDrain: () => {},
  onEnd: () => {},
  onClose: () => {},
};
