/**
 * How a client proves who it is: which way is asked of it, the exchange, and what a failure costs.
 *
 * The way is the HBA file's where there is one, else `auth.method`. Whoever is unknown is asked the
 * same, waits as long and hears the same as who has a wrong password. A wrong password is answered
 * after `auth.failure_delay`, give or take a tenth, which stops nobody but the one who waits.
 */
import { certificateNames } from '../auth/certificate-names.ts';
import { tlsServerEndPoint } from '../auth/channel-binding.ts';
import type { LoginMethod } from '../auth/hba.ts';
import { isMd5Stored } from '../auth/md5.ts';
import type { User, UserStore } from '../auth/user-store.ts';
import { parseVerifier } from '../auth/verifier.ts';
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { type ProxyError, refuse } from '../errors/proxy-error.ts';
import type { Link } from '../net/link.ts';
import { type ServerTlsContext, verifiedClientCertificate } from '../net/tls.ts';
import type { LoginFailureReason } from '../telemetry/login-meters.ts';
import type { Timer } from '../util/clock.ts';
import type { FirstPacket } from '../wire/startup.ts';
import type { Door } from './door.ts';
import { Md5Login } from './md5-login.ts';
import { ScramLogin } from './scram-login.ts';

/** What the client says of itself, and what is known of it besides. */
export interface ClientClaim {
  readonly user: string;
  readonly database: string;
  readonly address: string;
  /** Names in its certificate, if it has shown one that counts. */
  readonly certificates: readonly string[];
  /** The certificate the client was shown, in DER; null on an open link. */
  readonly shownCertificate: Buffer | null;
}

export function clientClaim(
  { user, database }: FirstPacket,
  address: string,
  link: Link,
  listenerTls: ServerTlsContext | null,
): ClientClaim {
  const tls = link.encrypted ? listenerTls : null;
  const certificate = tls?.asksForCertificate === true ? verifiedClientCertificate(link) : null;
  const certificates = certificate === null ? [] : certificateNames(certificate);
  return { user, database, address, certificates, shownCertificate: tls?.certificate ?? null };
}

export interface NotProved {
  readonly error: ProxyError;
  readonly reason: LoginFailureReason;
}

/** `user` is null for who needs no entry: under trust, or with a certificate. */
export type ProofResult = { readonly user: User | null } | NotProved | Error;

/** How much of the delay is left to chance, so that answers tell nothing of what went before. */
const DELAY_JITTER = 0.1;

export class ClientProof {
  readonly #door: Door;
  readonly #link: Link;
  readonly #claim: ClientClaim;
  readonly #done: (result: ProofResult) => void;
  #exchange: ScramLogin | Md5Login | null = null;
  #delay: Timer | null = null;
  #over = false;

  constructor(door: Door, link: Link, claim: ClientClaim, done: (result: ProofResult) => void) {
    this.#door = door;
    this.#link = link;
    this.#claim = claim;
    this.#done = done;
  }

  /** A wrong password is being answered slowly. */
  get delayed(): boolean {
    return this.#delay !== null;
  }

  /** `done` is called now or later, once, unless `abandon` comes first. */
  begin(): void {
    const method = this.#method();
    const { user, certificates } = this.#claim;
    switch (method) {
      case 'trust':
        this.#finish({ user: this.#door.users.find(user) });
        return;
      case 'cert':
        if (certificates.includes(user)) this.#finish({ user: this.#door.users.find(user) });
        else this.#refuseCertificate();
        return;
      case 'md5':
      case 'scram-sha-256':
        this.#askForPassword(method);
        return;
      default:
        this.#finish({ error: method, reason: 'hba' });
    }
  }

  /** Throws ProtocolViolation. */
  onData(chunk: Buffer): void {
    if (this.#exchange === null) throw new ProtocolViolation('data before it was asked for');
    this.#exchange.onData(chunk);
  }

  abandon(): void {
    this.#over = true;
    this.#exchange = null;
    this.#delay?.cancel();
    this.#delay = null;
  }

  #method(): Exclude<LoginMethod, 'reject'> | ProxyError {
    const { hba, method } = this.#door;
    if (hba === null) return method;
    const { user, database, address } = this.#claim;
    const { encrypted } = this.#link;
    const rule = hba.find({ user, database, address, encrypted });
    if (rule !== null && rule.method !== 'reject') return rule.method;
    const encryption = encrypted ? 'SSL encryption' : 'no encryption';
    const claim = `host "${address}", user "${user}", database "${database}", ${encryption}`;
    return refuse(rule === null ? 'hba_no_entry' : 'hba_rejects', { values: { claim } });
  }

  #refuseCertificate(): void {
    const { user, certificates } = this.#claim;
    const error =
      certificates.length === 0
        ? refuse('certificate_required')
        : refuse('certificate_failed', { values: { user } });
    this.#finish({ error, reason: 'certificate' });
  }

  /** The user may have to be looked up, or its keys be derived; nothing is asked before. */
  #askForPassword(method: 'md5' | 'scram-sha-256'): void {
    const { users } = this.#door;
    const name = this.#claim.user;
    this.#link.pause();
    users.lookUp(name).then(
      async (user) => {
        try {
          if (method === 'md5' && !hasOnlyVerifiers(user)) this.#beginMd5(user);
          else await this.#beginScram(user);
        } catch (error) {
          this.#finish(error as Error);
        }
      },
      (error: unknown) => {
        this.#door.context.log.warn('users cannot be looked up', { error });
        this.#finish({ error: refuse('users_unavailable'), reason: 'lookup' });
      },
    );
  }

  async #beginScram(user: User | null): Promise<void> {
    const { users } = this.#door;
    const { user: name, shownCertificate } = this.#claim;
    const secret = await users.scramSecret(name, user);
    const binding = shownCertificate === null ? null : tlsServerEndPoint(shownCertificate);
    const exchange = new ScramLogin(this.#link, secret, binding, (success) => {
      if (success !== null && user !== null) {
        this.#proved(user, (now) => now.provedByScram(user, secret, success));
      } else this.#wrong();
    });
    this.#start(exchange);
  }

  #beginMd5(user: User | null): void {
    const { users } = this.#door;
    const stored = users.md5Secrets(this.#claim.user, user);
    const mock = user === null || user.passwords.length === 0;
    const exchange = new Md5Login(this.#link, stored, mock, (passed) => {
      if (passed && user !== null) this.#proved(user, () => {});
      else this.#wrong();
    });
    this.#start(exchange);
  }

  #start(exchange: ScramLogin | Md5Login): void {
    if (this.#over) return;
    this.#exchange = exchange;
    exchange.begin();
    this.#link.resume();
  }

  /** What the login gave away is kept, unless a reload has changed the user since it began. */
  #proved(user: User, remember: (users: UserStore) => void): void {
    const { users } = this.#door;
    if (users.isCurrent(user)) {
      remember(users);
      users.proved(user);
    }
    this.#finish({ user });
  }

  #wrong(): void {
    const { users, context, failureDelayMs } = this.#door;
    const { user } = this.#claim;
    users.failed(user);
    const result = {
      error: refuse('password_failed', { values: { user } }),
      reason: 'password',
    } as const;
    if (failureDelayMs === 0) {
      this.#finish(result);
      return;
    }
    this.#link.pause();
    const jitter = 1 + DELAY_JITTER * (2 * Math.random() - 1);
    this.#delay = context.clock.after(failureDelayMs * jitter, () => this.#finish(result));
  }

  #finish(result: ProofResult): void {
    if (this.#over) return;
    this.#over = true;
    this.#delay = null;
    this.#exchange = null;
    this.#link.resume();
    this.#done(result);
  }
}

/** As Postgres: who is known by a SCRAM verifier alone is asked for SCRAM, also under md5. */
function hasOnlyVerifiers(user: User | null): boolean {
  if (user === null || user.passwords.length === 0) return false;
  return user.passwords.every((one) => !isMd5Stored(one) && parseVerifier(one) !== null);
}
