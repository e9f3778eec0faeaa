/**
 * The client's half of SCRAM-SHA-256 (RFC 5802, RFC 7677), for logging in to servers. Sans-IO: the
 * caller carries the texts, and derives the keys between `challenge` and `finish`, because that
 * takes time and may be cached.
 *
 *     first() → challenge(serverFirst) → keys from KeyCache → finish(keys) → verify(serverFinal)
 *
 * The exchange is over only when `verify` has passed: it proves that the other side knows the
 * password too. A server that cannot is as bad as a server that refuses, and worse than one.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { assert } from '../util/assert.ts';
import { BINDING_TYPE } from './channel-binding.ts';
import { parseServerFinal, parseServerFirst } from './scram-messages.ts';
import { hmac, type ScramKeys, xor } from './scram-keys.ts';

/** As libpq's SCRAM_RAW_NONCE_LEN: 18 bytes are 24 characters of base64 without padding. */
export const NONCE_BYTES = 18;

/**
 * What a server may make us compute: two hundred times Postgres's default, half a second of one
 * thread. There is no useful lower bound: servers may be set to 1, and libpq accepts it.
 */
const ITERATIONS_ACCEPTED_MAX = 1_000_000;

/** Postgres uses 16. Anything this long is no salt. */
const SALT_BYTES_MAX = 1024;

/** How the exchange is tied to its channel: `gs2Header`, and what comes behind it in `c=`. */
export interface ClientBinding {
  readonly gs2Header: string;
  readonly data: Buffer;
}

/** There is nothing to bind to. */
const UNBOUND: ClientBinding = { gs2Header: 'n,,', data: Buffer.alloc(0) };

/**
 * How to bind, given the channel's data (null where it has none) and whether the server offers to.
 * A server that could but was made not to offer it learns of that by the `y`.
 */
export function clientBinding(channelBinding: Buffer | null, offered: boolean): ClientBinding {
  if (channelBinding === null) return UNBOUND;
  if (!offered) return { gs2Header: 'y,,', data: Buffer.alloc(0) };
  return { gs2Header: `p=${BINDING_TYPE},,`, data: channelBinding };
}

export interface Challenge {
  readonly salt: Buffer;
  readonly iterations: number;
}

export class ScramClient {
  readonly #nonce: string;
  readonly #binding: ClientBinding;
  #firstBare = '';
  #serverFirst = '';
  #fullNonce = '';
  #serverKey: Buffer | null = null;
  #authMessage = '';

  /** `nonce` is given by tests that replay a known exchange. */
  constructor(
    nonce: string = randomBytes(NONCE_BYTES).toString('base64'),
    binding: ClientBinding = UNBOUND,
  ) {
    this.#nonce = nonce;
    this.#binding = binding;
  }

  /** `user` stays empty with Postgres, which takes it from the startup packet. */
  first(user: string = ''): Buffer {
    assert(this.#firstBare === '', 'the SCRAM exchange has begun already');
    this.#firstBare = `n=${user},r=${this.#nonce}`;
    return Buffer.from(this.#binding.gs2Header + this.#firstBare, 'latin1');
  }

  challenge(data: Buffer): Challenge {
    assert(this.#firstBare !== '' && this.#serverFirst === '', 'no challenge is expected now');
    const serverFirst = data.toString('latin1');
    const { nonce, salt, iterations } = parseServerFirst(serverFirst);
    // A replayed challenge bears somebody else's nonce, and one that adds nothing is no challenge.
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) {
      throw new ProtocolViolation("SCRAM: the server's nonce does not continue ours");
    }
    if (iterations > ITERATIONS_ACCEPTED_MAX) {
      throw new ProtocolViolation(
        `SCRAM: the server demands ${iterations} iterations, over ${ITERATIONS_ACCEPTED_MAX}`,
      );
    }
    if (salt.length > SALT_BYTES_MAX) {
      throw new ProtocolViolation(`SCRAM: the server's salt is over ${SALT_BYTES_MAX} bytes`);
    }
    this.#serverFirst = serverFirst;
    this.#fullNonce = nonce;
    return { salt, iterations };
  }

  finish(keys: ScramKeys): Buffer {
    assert(this.#fullNonce !== '' && this.#serverKey === null, 'there is no challenge to answer');
    const { gs2Header, data } = this.#binding;
    const channelBinding = Buffer.concat([Buffer.from(gs2Header, 'latin1'), data]);
    const withoutProof = `c=${channelBinding.toString('base64')},r=${this.#fullNonce}`;
    this.#authMessage = `${this.#firstBare},${this.#serverFirst},${withoutProof}`;
    this.#serverKey = keys.serverKey;
    const proof = xor(keys.clientKey, hmac(keys.storedKey, this.#authMessage));
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`, 'latin1');
  }

  /** Throws unless the server has proved that it knows the password. */
  verify(data: Buffer): void {
    assert(this.#serverKey !== null, 'the SCRAM exchange is not that far');
    const { signature, error } = parseServerFinal(data.toString('latin1'));
    if (error !== null) throw new ProtocolViolation(`SCRAM: the server answers "${error}"`);
    const expected = hmac(this.#serverKey, this.#authMessage);
    if (signature === null || !timingSafeEqual(signature, expected)) {
      throw new ProtocolViolation('SCRAM: the server does not know the password');
    }
  }
}
