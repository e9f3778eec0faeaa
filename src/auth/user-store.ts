/**
 * The users of `auth.users`, and what a login is checked against. Built once per configuration;
 * lookups never throw and never say more about a stranger than about a user.
 *
 * The salt of a user is a keyed hash of the name, and so is the salt of somebody who does not
 * exist: nobody can tell one from the other, and neither changes between attempts. The key is the
 * process's own secret, which outlives a reload, so that a reload derives only what it changed.
 *
 * A password may be given as a verifier (`verifier.ts`). It brings its own salt and iterations,
 * which then are the user's, since an attempt has only one of each; plain passwords beside it are
 * derived with those, and a second verifier can only count if it shares them. With a verifier
 * Sluice can let a user in, but has nothing to log in to servers with.
 *
 * Keys are derived by `prepare` in the background, one at a time, and on demand for whoever logs in
 * before their turn. Until a user is prepared, the first login takes some 2 ms longer than a
 * stranger's would: not worth deriving decoys for, which a flood of made-up names would then cost.
 */
import { assert } from '../util/assert.ts';
import { NetworkSet } from '../util/networks.ts';
import type { ScramSecret, StoredKeys } from './scram-server.ts';
import { hmac, ITERATIONS_DEFAULT, type KeyCache } from './scram-keys.ts';
import { parseVerifier, type Verifier } from './verifier.ts';

/** As Postgres's SCRAM_DEFAULT_SALT_LEN. */
const SALT_BYTES = 16;
const SECRET_BYTES_MIN = 32;

/** A user as the configuration describes one (`UserConfig` of the snapshot has this shape). */
export interface UserEntry {
  readonly name: string;
  readonly passwords: readonly string[];
  readonly databases: readonly string[] | null;
  readonly clients: readonly string[] | null;
}

export class User {
  readonly name: string;
  readonly passwords: readonly string[];
  /** What Sluice logs in to servers with when `login` is `client`: the first that is plain. */
  readonly serverPassword: string | null;
  readonly #databases: ReadonlySet<string> | null;
  readonly #networks: NetworkSet | null;

  constructor(entry: UserEntry) {
    this.name = entry.name;
    this.passwords = entry.passwords;
    this.serverPassword = entry.passwords.find((one) => parseVerifier(one) === null) ?? null;
    this.#databases = entry.databases === null ? null : new Set(entry.databases);
    this.#networks = entry.clients === null ? null : new NetworkSet(entry.clients);
  }

  mayOpen(database: string): boolean {
    return this.#databases === null || this.#databases.has(database);
  }

  /** `address` is the peer's, null for a unix socket: no network contains that. */
  mayComeFrom(address: string | null | undefined): boolean {
    return this.#networks === null || this.#networks.has(address);
  }
}

export class UserStore {
  readonly #users = new Map<string, User>();
  readonly #keys: KeyCache;
  readonly #secret: Buffer;
  readonly #secrets = new Map<string, ScramSecret>();
  /** Every attempt is checked against as many passwords as the user with the most has. */
  readonly #passwordsMax: number;

  constructor(entries: Iterable<UserEntry>, keys: KeyCache, secret: Buffer) {
    assert(secret.length >= SECRET_BYTES_MIN, "the user store's secret is too short");
    let passwordsMax = 1;
    for (const entry of entries) {
      this.#users.set(entry.name, new User(entry));
      passwordsMax = Math.max(passwordsMax, entry.passwords.length);
    }
    this.#keys = keys;
    this.#secret = secret;
    this.#passwordsMax = passwordsMax;
  }

  get size(): number {
    return this.#users.size;
  }

  find(name: string): User | null {
    return this.#users.get(name) ?? null;
  }

  /** What a SCRAM attempt in this name is checked against; a decoy for strangers. */
  async scramSecret(name: string): Promise<ScramSecret> {
    const known = this.#secrets.get(name);
    if (known !== undefined) return known;
    const given = this.#users.get(name)?.passwords ?? [];
    const verifiers = given.map(parseVerifier);
    const first = verifiers.find((verifier) => verifier !== null);
    const salt = first?.salt ?? this.#hash('salt', name).subarray(0, SALT_BYTES);
    const iterations = first?.iterations ?? ITERATIONS_DEFAULT;
    const passwords: StoredKeys[] = await Promise.all(
      given.map((password, index) => {
        const verifier = verifiers[index] ?? null;
        if (verifier === null) return this.#keys.get(password, salt, iterations);
        return fits(verifier, salt, iterations) ? verifier : this.#decoy(name, index);
      }),
    );
    for (let index = passwords.length; index < this.#passwordsMax; index++) {
      passwords.push(this.#decoy(name, index));
    }
    const secret: ScramSecret = { salt, iterations, passwords, mock: given.length === 0 };
    // Strangers' names are not kept: there is no end of them.
    if (!secret.mock) this.#secrets.set(name, secret);
    return secret;
  }

  /** Derives everybody's keys, so that logins need not. May be left unawaited. */
  async prepare(): Promise<void> {
    for (const name of this.#users.keys()) await this.scramSecret(name);
  }

  /** Keys nobody can prove to have: they are hashes of a secret, not of a password. */
  #decoy(name: string, index: number): StoredKeys {
    return {
      storedKey: this.#hash(`stored key ${index}`, name),
      serverKey: this.#hash(`server key ${index}`, name),
    };
  }

  /** The purpose keeps hashes of one name apart. */
  #hash(purpose: string, name: string): Buffer {
    return hmac(this.#secret, Buffer.from(`${purpose}\0${name}`, 'utf8').toString('latin1'));
  }
}

/** Whether a verifier can be checked in an attempt with this salt and count. */
function fits(verifier: Verifier, salt: Buffer, iterations: number): boolean {
  return verifier.iterations === iterations && verifier.salt.equals(salt);
}
