/**
 * Logging in to a Postgres server, sans-IO: complete messages in, bytes out. The caller owns the
 * socket (TLS is settled before this begins), frames messages, and keeps the deadline.
 *
 *     handshake.start();                     then write handshake.takeOutput()
 *     handshake.message(code, buf, s, e);    per message, then write takeOutput(), look at `state`
 *     options.resumed()                      called when a derivation that was pending has ended:
 *                                            write takeOutput() and look at `state` again
 *
 * Nothing here throws at a server's words: whatever goes wrong becomes state Failed and `failure`.
 *
 * Protocol 3.0 is requested, although 3.2 exists: every server from 13 on speaks it, older poolers
 * in between speak nothing else, and all that 3.2 adds is a cancel key of more than four bytes.
 * Longer keys are taken nevertheless. No `client_encoding` is sent unless `parameters` has one: a
 * client that does not ask for an encoding gets the database's, as it would without a proxy.
 *
 * A password leaves in the clear only where nobody can listen (`secure`). Servers whose links are
 * open are answered md5 or SCRAM or not at all, however kindly they ask.
 */
import type { StoredLogin } from '../auth/key-ring.ts';
import { md5Answer, md5Password } from '../auth/md5.ts';
import { clientBinding, ScramClient } from '../auth/scram-client.ts';
import type { KeyCache, ScramKeys } from '../auth/scram-keys.ts';
import { MECHANISM, MECHANISM_PLUS } from '../auth/scram-messages.ts';
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { assert } from '../util/assert.ts';
import { Backend, codeName, TransactionStatus } from '../wire/codes.ts';
import { decodeErrorResponse, type ErrorFields } from '../wire/error-response.ts';
import { STARTUP_PARAMETERS_MAX } from '../wire/limits.ts';
import {
  type Authentication,
  AuthenticationKind,
  decodeAuthentication,
} from '../wire/messages/authentication.ts';
import { decodeBackendKeyData } from '../wire/messages/backend-key-data.ts';
import { decodeNegotiateProtocolVersion } from '../wire/messages/negotiate-protocol-version.ts';
import { decodeParameterStatus } from '../wire/messages/parameter-status.ts';
import {
  encodePassword,
  encodeSASLInitialResponse,
  encodeSASLResponse,
} from '../wire/messages/password.ts';
import { decodeReadyForQuery } from '../wire/messages/ready-for-query.ts';
import { encodeStartup } from '../wire/startup.ts';
import { Writer } from '../wire/writer.ts';
import { HandshakeState, handshakeStateName, nextHandshakeState } from './handshake-states.ts';

/** See the header. */
const PROTOCOL_MINOR = 0;

/** Big enough for a login without growing; a login's writer is garbage when the login is over. */
const WRITER_BYTES = 512;

export interface HandshakeOptions {
  readonly user: string;
  /** Null: there is none to send. */
  readonly password: string | null;
  /** What a client's login has given in place of a password; null where nothing has. */
  readonly stored: StoredLogin | null;
  /** What SCRAM can be bound to; null on an open link. */
  readonly channelBinding: Buffer | null;
  readonly database: string;
  readonly applicationName: string | null;
  /** Further settings for the startup packet. `user`, `database` and the name above win. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The link is TLS or does not leave this machine: a password may be sent as it is. */
  readonly secure: boolean;
  /** Shared by all logins of the process, so that a storm of them derives once. */
  readonly keys: KeyCache;
  /** A pending derivation has ended. Never called from within `start` or `message`. */
  readonly resumed: () => void;
}

/**
 * - `refused`: the server said no; `fields` has its words, among them the SQLSTATE.
 * - `violation`: what it sent is not the protocol, or it could not prove that it is who it claims.
 * - `unsupported`: it wants a way of logging in that is not known here.
 * - `no-password`: it wants a password and there is none, or not the one it knows.
 * - `insecure`: it wants the password in the clear over an open link.
 * - `internal`: the crypto library failed.
 */
export type HandshakeFailureKind =
  | 'refused'
  | 'violation'
  | 'unsupported'
  | 'no-password'
  | 'insecure'
  | 'internal';

export interface HandshakeFailure {
  readonly kind: HandshakeFailureKind;
  /** For the log, never for a client. */
  readonly message: string;
  readonly fields: ErrorFields | null;
}

export class Handshake {
  state: HandshakeState = HandshakeState.Fresh;
  failure: HandshakeFailure | null = null;
  /** What the server reported of its settings, latest values. */
  readonly parameters = new Map<string, string>();
  /** What a CancelRequest needs; the key is null when the server sent none. */
  processId = 0;
  secretKey: Buffer | null = null;
  readonly #options: HandshakeOptions;
  readonly #writer = new Writer(WRITER_BYTES);
  #scram: ScramClient | null = null;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** What must be sent now, or null. The bytes belong to the caller. */
  takeOutput(): Buffer | null {
    return this.#writer.length === 0 ? null : this.#writer.take();
  }

  start(): void {
    const { user, database, applicationName, parameters } = this.#options;
    const params = new Map([['user', user], ['database', database], ...parameters]);
    params.set('user', user).set('database', database);
    if (applicationName !== null) params.set('application_name', applicationName);
    encodeStartup(this.#writer, { minor: PROTOCOL_MINOR, params });
    this.#move(HandshakeState.AwaitingRequest);
  }

  /** Gives up: a derivation that is still pending will change nothing. */
  abandon(): void {
    if (this.state === HandshakeState.Ready || this.state === HandshakeState.Failed) return;
    this.#fail('internal', 'the login was given up');
  }

  /** One complete message; the body is bytes [bodyStart, bodyEnd) of a buffer that is not kept. */
  message(code: number, buffer: Buffer, bodyStart: number, bodyEnd: number): void {
    // The rest of a chunk in which the login failed.
    if (this.state === HandshakeState.Failed) return;
    assert(this.state !== HandshakeState.Ready, 'the login is over');
    assert(this.state !== HandshakeState.Fresh, 'the login has not begun');
    try {
      this.#dispatch(code, buffer, bodyStart, bodyEnd);
    } catch (thrown) {
      if (!(thrown instanceof ProtocolViolation)) throw thrown;
      this.#fail('violation', thrown.message);
    }
  }

  #dispatch(code: number, buffer: Buffer, start: number, end: number): void {
    switch (code) {
      case Backend.ErrorResponse:
        this.#refused(decodeErrorResponse(buffer, start, end));
        return;
      case Backend.NoticeResponse:
        // Addressed to whoever logs in, and that is not one client: nobody to pass it on to.
        return;
      case Backend.Authentication:
        this.#authentication(decodeAuthentication(buffer, start, end));
        return;
      case Backend.NegotiateProtocolVersion:
        this.#negotiate(buffer, start, end);
        return;
    }
    if (this.state !== HandshakeState.Starting) throw this.#unexpected(codeName('B', code));
    switch (code) {
      case Backend.ParameterStatus:
        this.#parameter(buffer, start, end);
        return;
      case Backend.BackendKeyData: {
        const { processId, key } = decodeBackendKeyData(buffer, start, end);
        this.processId = processId;
        this.secretKey = key;
        return;
      }
      case Backend.ReadyForQuery:
        if (decodeReadyForQuery(buffer, start, end) !== TransactionStatus.Idle) {
          throw new ProtocolViolation('the server begins inside a transaction');
        }
        this.#move(HandshakeState.Ready);
        return;
      default:
        throw this.#unexpected(codeName('B', code));
    }
  }

  #authentication(request: Authentication): void {
    switch (request.kind) {
      case AuthenticationKind.Ok:
        this.#expect(request.kind, HandshakeState.AwaitingRequest, HandshakeState.AwaitingVerdict);
        this.#move(HandshakeState.Starting);
        return;
      case AuthenticationKind.CleartextPassword:
      case AuthenticationKind.MD5Password:
        this.#expect(request.kind, HandshakeState.AwaitingRequest);
        this.#sendPassword(request.salt);
        return;
      case AuthenticationKind.SASL:
        this.#expect(request.kind, HandshakeState.AwaitingRequest);
        this.#beginScram(request.mechanisms);
        return;
      case AuthenticationKind.SASLContinue:
        this.#expect(request.kind, HandshakeState.AwaitingChallenge);
        this.#answerChallenge(request.data!);
        return;
      case AuthenticationKind.SASLFinal:
        this.#expect(request.kind, HandshakeState.AwaitingProof);
        this.#scram!.verify(request.data!);
        this.#move(HandshakeState.AwaitingVerdict);
        return;
      default:
        this.#expect(request.kind, HandshakeState.AwaitingRequest);
        this.#fail(
          'unsupported',
          `the server wants ${authenticationName(request.kind)} authentication`,
        );
    }
  }

  #sendPassword(salt: Buffer | null): void {
    const { password, secure } = this.#options;
    if (salt !== null) this.#sendMd5(salt);
    else if (password === null) this.#failWithoutPassword();
    else if (!secure) {
      this.#fail('insecure', 'the server wants the password in the clear on an unencrypted link');
    } else {
      encodePassword(this.#writer, password);
      this.#move(HandshakeState.AwaitingVerdict);
    }
  }

  #sendMd5(salt: Buffer): void {
    const { user, password, stored } = this.#options;
    const hash = password === null ? (stored?.md5() ?? null) : null;
    if (password === null && hash === null) {
      this.#failWithoutPassword();
      return;
    }
    let digest: string;
    try {
      digest = hash === null ? md5Password(user, password!, salt) : md5Answer(hash, salt);
    } catch {
      this.#fail('unsupported', 'the server wants an md5 password, and MD5 is disabled here');
      return;
    }
    encodePassword(this.#writer, digest);
    this.#move(HandshakeState.AwaitingVerdict);
  }

  #beginScram(mechanisms: readonly string[]): void {
    const { password, stored, channelBinding } = this.#options;
    const plus = channelBinding !== null && mechanisms.includes(MECHANISM_PLUS);
    if (!plus && !mechanisms.includes(MECHANISM)) {
      this.#fail('unsupported', `the server offers no ${MECHANISM}, but ${mechanisms.join(', ')}`);
    } else if (password === null && stored === null) {
      this.#failWithoutPassword();
    } else {
      this.#scram = new ScramClient(undefined, clientBinding(channelBinding, plus));
      const mechanism = plus ? MECHANISM_PLUS : MECHANISM;
      encodeSASLInitialResponse(this.#writer, mechanism, this.#scram.first());
      this.#move(HandshakeState.AwaitingChallenge);
    }
  }

  #answerChallenge(data: Buffer): void {
    const { keys, password, stored } = this.#options;
    const { salt, iterations } = this.#scram!.challenge(data);
    if (password === null) {
      const passed = stored?.scramKeys(salt, iterations) ?? null;
      if (passed !== null) this.#prove(passed);
      else this.#failWithoutPassword();
      return;
    }
    const known = keys.peek(password, salt, iterations);
    if (known !== null) {
      this.#prove(known);
      return;
    }
    this.#move(HandshakeState.Deriving);
    keys.get(password, salt, iterations).then(
      (derived) => this.#derived(derived),
      (error: Error) => this.#derived(error),
    );
  }

  #derived(result: ScramKeys | Error): void {
    // The server lost patience meanwhile, or the caller did.
    if (this.state !== HandshakeState.Deriving) return;
    if (result instanceof Error) this.#fail('internal', `no keys: ${result.message}`);
    else this.#prove(result);
    this.#options.resumed();
  }

  #prove(keys: ScramKeys): void {
    encodeSASLResponse(this.#writer, this.#scram!.finish(keys));
    this.#move(HandshakeState.AwaitingProof);
  }

  #parameter(buffer: Buffer, start: number, end: number): void {
    const { name, value } = decodeParameterStatus(buffer, start, end);
    this.parameters.set(name, value);
    if (this.parameters.size > STARTUP_PARAMETERS_MAX) {
      throw new ProtocolViolation(`the server reports over ${STARTUP_PARAMETERS_MAX} parameters`);
    }
  }

  /** Nothing newer than 3.0 was asked for, so there is nothing to negotiate but unknown options. */
  #negotiate(buffer: Buffer, start: number, end: number): void {
    if (this.state !== HandshakeState.AwaitingRequest) {
      throw this.#unexpected('NegotiateProtocolVersion');
    }
    const { major, minor } = decodeNegotiateProtocolVersion(buffer, start, end);
    if (major !== 3 || minor > PROTOCOL_MINOR) {
      throw new ProtocolViolation(`the server wants protocol ${major}.${minor} instead of 3.0`);
    }
  }

  #refused(fields: ErrorFields): void {
    const { severityCode, sqlstate, message } = fields;
    this.#fail('refused', `the server says ${severityCode} ${sqlstate}: ${message}`, fields);
  }

  #failWithoutPassword(): void {
    const words =
      this.#options.stored === null
        ? 'the server wants a password, and none is configured'
        : 'the server wants a password, and what the login of the user gave does not fit it';
    this.#fail('no-password', words);
  }

  #fail(kind: HandshakeFailureKind, message: string, fields: ErrorFields | null = null): void {
    this.failure = { kind, message, fields };
    this.#writer.reset();
    this.#move(HandshakeState.Failed);
  }

  #expect(kind: AuthenticationKind, ...states: readonly HandshakeState[]): void {
    if (states.includes(this.state)) return;
    throw this.#unexpected(`Authentication${authenticationName(kind)}`);
  }

  #unexpected(what: string): ProtocolViolation {
    const state = handshakeStateName(this.state);
    return new ProtocolViolation(`the server sent ${what} during login, in state ${state}`);
  }

  #move(to: HandshakeState): void {
    this.state = nextHandshakeState(this.state, to);
  }
}

function authenticationName(kind: AuthenticationKind): string {
  const entry = Object.entries(AuthenticationKind).find(([, value]) => value === kind);
  return entry?.[0] ?? String(kind);
}
