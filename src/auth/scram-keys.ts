/**
 * What SCRAM makes of a password (RFC 5802, section 3), and a cache so that it is made once.
 *
 * PBKDF2 is slow on purpose: about 2 ms of processor time at Postgres's 4096 iterations. It runs on
 * Node's thread pool, never on the event loop, and once per (password, salt, iterations): a role's
 * salt changes only when its password does, so ten thousand reconnects after a failover derive one
 * set of keys per role. Requests for keys that are being derived wait for that derivation.
 *
 * Keys are as good as the password for logging in. They stay in this process's memory, and cache
 * keys are keyed hashes, so that the cache adds no second copy of a password.
 */
import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { SingleFlight } from '../util/single-flight.ts';
import { preparePassword } from './saslprep.ts';

/** Bytes of a SHA-256 hash, and so of every key and proof. */
export const KEY_BYTES = 32;

/** What Postgres uses unless `scram_iterations` says otherwise. */
export const ITERATIONS_DEFAULT = 4096;

/** One entry is some 200 bytes. More roles than this still work, the rarest are derived again. */
const CACHED_KEYS_MAX = 10_000;

export interface ScramKeys {
  /** Proves to a server that its owner knows the password. */
  readonly clientKey: Buffer;
  /** The hash of `clientKey`: checks a proof without being able to make one. */
  readonly storedKey: Buffer;
  /** Proves to a client that its owner knows the stored password. */
  readonly serverKey: Buffer;
}

/** Derives the keys on the thread pool. Use a `KeyCache` unless this password is seen once only. */
export function deriveKeys(
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<ScramKeys> {
  return new Promise((resolve, reject) => {
    pbkdf2(preparePassword(password), salt, iterations, KEY_BYTES, 'sha256', (error, salted) => {
      if (error !== null) reject(error);
      else resolve(keysOf(salted));
    });
  });
}

function keysOf(saltedPassword: Buffer): ScramKeys {
  const clientKey = hmac(saltedPassword, 'Client Key');
  const storedKey = sha256(clientKey);
  const serverKey = hmac(saltedPassword, 'Server Key');
  return { clientKey, storedKey, serverKey };
}

/** Text is hashed as latin1, one byte per character: see `scram-messages.ts`. */
export function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'latin1').digest();
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

export function xor(a: Uint8Array, b: Uint8Array): Buffer {
  const result = Buffer.allocUnsafeSlow(KEY_BYTES);
  for (let i = 0; i < KEY_BYTES; i++) result[i] = (a[i] ?? 0) ^ (b[i] ?? 0);
  return result;
}

export class KeyCache {
  readonly #derive: typeof deriveKeys;
  readonly #secret = randomBytes(KEY_BYTES);
  readonly #keys = new LRUCache<string, ScramKeys>({ max: CACHED_KEYS_MAX });
  readonly #derivations = new SingleFlight<ScramKeys>();

  /** `derive` is replaced by tests that count or hold derivations. */
  constructor(derive: typeof deriveKeys = deriveKeys) {
    this.#derive = derive;
  }

  /** The keys if they are known already, so that a caller need not wait a turn for them. */
  peek(password: string, salt: Uint8Array, iterations: number): ScramKeys | null {
    return this.#keys.get(this.#cacheKey(password, salt, iterations)) ?? null;
  }

  get(password: string, salt: Uint8Array, iterations: number): Promise<ScramKeys> {
    const cacheKey = this.#cacheKey(password, salt, iterations);
    const known = this.#keys.get(cacheKey);
    if (known !== undefined) return Promise.resolve(known);
    return this.#derivations.run(cacheKey, async () => {
      const keys = await this.#derive(password, salt, iterations);
      this.#keys.set(cacheKey, keys);
      return keys;
    });
  }

  /** The lengths keep apart what would run together: a salt is bytes, and so may look like text. */
  #cacheKey(password: string, salt: Uint8Array, iterations: number): string {
    return createHmac('sha256', this.#secret)
      .update(`${iterations}:${salt.length}:`)
      .update(salt)
      .update(password, 'utf8')
      .digest('base64');
  }
}
