/**
 * The users of `auth.users`, those that `auth.query` finds, and what a login is checked against.
 * Built once per configuration; it never says more about a stranger than about a user.
 *
 * The salt of a user is a keyed hash of the name, and so is the salt of somebody who does not
 * exist: nobody can tell one from the other, and neither changes between attempts. The key is the
 * process's own secret, which outlives a reload, so that a reload derives only what it changed.
 *
 * A password may be given as what a server stores. A SCRAM verifier (`verifier.ts`) brings its own
 * salt and iterations, which then are the user's, since an attempt has only one of each; plain
 * passwords beside it are derived with those, and a second verifier can only count if it shares
 * them. An md5 hash counts where md5 is asked for, and nowhere else. With neither has Sluice a
 * password for servers; what a login gives away in its place goes on the key ring.
 *
 * Keys are derived by `prepare` in the background, one at a time, and on demand for whoever logs in
 * before their turn. Until a user is prepared, the first login takes some 2 ms longer than a
 * stranger's would: not worth deriving decoys for, which a flood of made-up names would then cost.
 */
import { assert } from '../util/assert.ts';
import { NetworkSet } from '../util/networks.ts';
import { KeyRing } from './key-ring.ts';
import { isMd5Stored, md5Stored } from './md5.ts';
import type { ScramSecret, ScramSuccess, StoredKeys } from './scram-server.ts';
import { hmac, ITERATIONS_DEFAULT, type KeyCache } from './scram-keys.ts';
import type { UserLookup } from './user-lookup.ts';
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
  /** Found by `auth.query`, and not in the configuration. */
  readonly found: boolean;
  readonly #databases: ReadonlySet<string> | null;
  readonly #networks: NetworkSet | null;

  constructor(entry: UserEntry, found = false) {
    this.name = entry.name;
    this.passwords = entry.passwords;
    this.found = found;
    // What a server stores is never a password, even if one should look like it.
    this.serverPassword = found ? null : (entry.passwords.find(isPlain) ?? null);
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

export interface UserStoreOptions {
  /** Null: only the configuration's users. */
  readonly lookup?: UserLookup | null;
  readonly ring?: KeyRing;
}

export class UserStore {
  readonly ring: KeyRing;
  readonly #users = new Map<string, User>();
  readonly #lookup: UserLookup | null;
  readonly #keys: KeyCache;
  readonly #secret: Buffer;
  readonly #secrets = new Map<string, ScramSecret>();
  /** Every attempt is checked against as many passwords as the user with the most has. */
  readonly #passwordsMax: number;

  constructor(
    entries: Iterable<UserEntry>,
    keys: KeyCache,
    secret: Buffer,
    { lookup = null, ring = new KeyRing() }: UserStoreOptions = {},
  ) {
    assert(secret.length >= SECRET_BYTES_MIN, "the user store's secret is too short");
    let passwordsMax = 1;
    for (const entry of entries) {
      this.#users.set(entry.name, new User(entry));
      passwordsMax = Math.max(passwordsMax, entry.passwords.length);
    }
    this.#keys = keys;
    this.#secret = secret;
    this.#passwordsMax = passwordsMax;
    this.#lookup = lookup;
    this.ring = ring;
    this.#dropKeys();
  }

  get size(): number {
    return this.#users.size;
  }

  /** Whether somebody who is not in the configuration may be a user all the same. */
  get looksUp(): boolean {
    return this.#lookup !== null;
  }

  /** Whether a user, of this store or of one before it, is still who he was. */
  isCurrent(user: User): boolean {
    const now = this.#users.get(user.name);
    if (user.found) return now === undefined && this.looksUp;
    return now !== undefined && isSame(now.passwords, user.passwords);
  }

  /** Users of the configuration only. */
  find(name: string): User | null {
    return this.#users.get(name) ?? null;
  }

  /** Also asks `auth.query`. Rejects when a server should know and cannot be asked. */
  async lookUp(name: string): Promise<User | null> {
    const user = this.#users.get(name);
    if (user !== undefined || this.#lookup === null) return user ?? null;
    const found = await this.#lookup.find(name);
    const passwords = found === null || found.password === null ? [] : [found.password];
    this.ring.retain(name, passwords);
    return found === null
      ? null
      : new User({ name, passwords, databases: null, clients: null }, true);
  }

  /** What a SCRAM attempt in this name is checked against; a decoy for strangers. */
  async scramSecret(name: string, user: User | null = this.find(name)): Promise<ScramSecret> {
    const known = user?.found === true ? undefined : this.#secrets.get(name);
    if (known !== undefined) return known;
    // An md5 hash is not a password: nobody can prove by SCRAM to have it.
    const given = (user?.passwords ?? []).filter((one) => !isMd5Stored(one) && isUsable(user, one));
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
    // Strangers' names are not kept: there is no end of them. Found users come from a cache.
    if (!secret.mock && user?.found === false) this.#secrets.set(name, secret);
    return secret;
  }

  /**
   * What an md5 answer in this name is checked against; a decoy for strangers, and for users of
   * whom nothing but a SCRAM verifier is known.
   */
  md5Secrets(name: string, user: User | null): readonly string[] {
    const stored = (user?.passwords ?? []).flatMap((one) => {
      if (isMd5Stored(one)) return [one];
      return user?.found === false && isPlain(one) ? [md5Stored(name, one)] : [];
    });
    const decoy = `md5${this.#hash('md5', name).toString('hex').slice(0, 32)}`;
    while (stored.length < this.#passwordsMax) stored.push(decoy);
    return stored;
  }

  /** A login has passed: what it gave away may open servers. */
  provedByScram(user: User, secret: ScramSecret, success: ScramSuccess): void {
    const { salt, iterations, passwords } = secret;
    const keys = passwords[success.passwordIndex];
    if (user.serverPassword !== null || keys === undefined) return;
    this.ring.remember(user.name, { salt, iterations, ...keys }, success.clientKey);
  }

  /** The same for users that are known by an md5 hash, however they have proved who they are. */
  proved(user: User): void {
    const stored = user.passwords.find(isMd5Stored);
    if (user.serverPassword === null && stored !== undefined) {
      this.ring.rememberMd5(user.name, stored);
    }
  }

  /** A wrong password, or one that has been changed since `auth.query` was asked. */
  failed(name: string): void {
    if (!this.#users.has(name)) this.#lookup?.doubt(name);
  }

  /** Derives everybody's keys, so that logins need not. May be left unawaited. */
  async prepare(): Promise<void> {
    for (const name of this.#users.keys()) await this.scramSecret(name);
  }

  #dropKeys(): void {
    for (const name of this.ring.users()) {
      const user = this.#users.get(name);
      if (user !== undefined) this.ring.retain(name, user.passwords);
      else if (this.#lookup === null) this.ring.retain(name, []);
    }
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

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}

/** Whether a text is a password and not what a server stores of one. */
function isPlain(text: string): boolean {
  return parseVerifier(text) === null && !isMd5Stored(text);
}

/** A server's answer may hold hashes of kinds unknown here; taken for a password it would let in
 *  whoever has read the table. */
function isUsable(user: User | null, text: string): boolean {
  return user?.found === false || parseVerifier(text) !== null;
}

/** Whether a verifier can be checked in an attempt with this salt and count. */
function fits(verifier: Verifier, salt: Buffer, iterations: number): boolean {
  return verifier.iterations === iterations && verifier.salt.equals(salt);
}
