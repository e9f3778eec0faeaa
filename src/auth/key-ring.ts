/**
 * What clients' logins have given Sluice to log in to servers with, as users whose passwords it
 * does not know.
 *
 * - SCRAM: a proof reveals the ClientKey to whoever has the StoredKey; that is how SCRAM checks it.
 *   With it Sluice can prove itself to a server that stores the very verifier the client was
 *   checked against (same password, salt and iteration count).
 * - md5: what is stored is all that a login takes.
 *
 * Both exist only after a login, live in memory only, and are dropped when what they belong to is
 * no longer the user's: a password that was changed must not go on opening servers. One ring per
 * process: a reload makes a new user store, and `retain` then drops what went away.
 */
import { isMd5Stored } from './md5.ts';
import type { ScramKeys } from './scram-keys.ts';
import { formatVerifier, type Verifier } from './verifier.ts';

/** As many as keys are cached; the user who logged in longest ago gives way. */
const HELD_MAX = 10_000;

interface Held {
  /** As it stands in the configuration or on the server. */
  readonly stored: string;
  readonly verifier: Verifier | null;
  readonly keys: ScramKeys | null;
}

/** What of one user is held, as of the moment it is asked. */
export interface StoredLogin {
  /** What the configuration said of the user's passwords; empty where it said nothing. */
  readonly known: readonly string[];
  /** Keys for a server that asks with this salt and count; null where the user's are others. */
  scramKeys(salt: Buffer, iterations: number): ScramKeys | null;
  /** `md5` and 32 hex digits. */
  md5(): string | null;
}

export class KeyRing {
  readonly #held = new Map<string, Held>();

  get size(): number {
    return this.#held.size;
  }

  /** The user has proved to have the password behind the verifier. */
  remember(user: string, verifier: Verifier, clientKey: Buffer): void {
    const { storedKey, serverKey } = verifier;
    const keys = { clientKey, storedKey, serverKey };
    this.#hold(user, { stored: formatVerifier(verifier), verifier, keys });
  }

  rememberMd5(user: string, stored: string): void {
    if (isMd5Stored(stored)) this.#hold(user, { stored, verifier: null, keys: null });
  }

  of(user: string, known: readonly string[] = []): StoredLogin {
    return {
      known,
      scramKeys: (salt, iterations) => {
        const held = this.#held.get(user);
        const verifier = held?.verifier ?? null;
        if (held === undefined || verifier === null) return null;
        const fits = verifier.iterations === iterations && verifier.salt.equals(salt);
        return fits ? held.keys : null;
      },
      md5: () => {
        const held = this.#held.get(user);
        return held === undefined || held.verifier !== null ? null : held.stored;
      },
    };
  }

  /** Drops what is held for the user unless it belongs to one of these. */
  retain(user: string, stored: readonly string[]): void {
    const held = this.#held.get(user);
    if (held !== undefined && !stored.includes(held.stored)) this.#held.delete(user);
  }

  users(): string[] {
    return [...this.#held.keys()];
  }

  #hold(user: string, held: Held): void {
    this.#held.delete(user);
    if (this.#held.size >= HELD_MAX) this.#held.delete(this.#held.keys().next().value as string);
    this.#held.set(user, held);
  }
}
