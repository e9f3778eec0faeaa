/**
 * The server's half of SCRAM-SHA-256 (RFC 5802, RFC 7677), for clients that log in to Sluice.
 * Sans-IO: the bytes of messages in, the bytes of answers out.
 *
 * Several passwords. While a password is being rotated, the old and the new one both let a user in.
 * SCRAM has room for one salt and one iteration count per attempt, sent before anything is known
 * about the password. So all passwords of a user are derived with one salt (the user store sees to
 * it), and the client's proof is checked against each. Verifiers with salts of their own cannot be
 * offered together; trying them in turn would need several logins and tell strangers how many there
 * are.
 *
 * Strangers. A user who does not exist gets the same exchange as one who does, with a salt that
 * stays the same from one attempt to the next and that an attacker cannot tell from a real one, and
 * is refused at the end like a wrong password. Every secret is checked against every password,
 * without stopping at the first that fits, in constant time each.
 *
 * Channel binding. Under TLS SCRAM-SHA-256-PLUS is offered first. Whoever takes it proves that both
 * ends see one channel. Whoever says that he could but that we could not (`y`) was shown another
 * offer than the one we made: somebody in between has taken PLUS out of it, and the login ends.
 *
 * Outcomes: bad form is a `ProtocolViolation` (08P01), a wrong proof is `null` (28P01).
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { assert } from '../util/assert.ts';
import { BINDING_TYPE } from './channel-binding.ts';
import { NONCE_BYTES } from './scram-client.ts';
import {
  type ClientFirst,
  MECHANISM,
  MECHANISM_PLUS,
  parseClientFinal,
  parseClientFirst,
} from './scram-messages.ts';
import { hmac, sha256, xor } from './scram-keys.ts';

const PLAIN_ONLY: readonly string[] = [MECHANISM];
const PLUS_AND_PLAIN: readonly string[] = [MECHANISM_PLUS, MECHANISM];

/** What AuthenticationSASL offers; `channelBinding` is null where the channel has none. */
export function offeredMechanisms(channelBinding: Buffer | null): readonly string[] {
  return channelBinding === null ? PLAIN_ONLY : PLUS_AND_PLAIN;
}

export interface StoredKeys {
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** What one attempt is checked against. */
export interface ScramSecret {
  readonly salt: Buffer;
  readonly iterations: number;
  /** One per password, all made with the salt above. Never empty: strangers get a decoy. */
  readonly passwords: readonly StoredKeys[];
  /** The user does not exist: no proof will do. */
  readonly mock: boolean;
}

export interface ScramSuccess {
  /** The data of AuthenticationSASLFinal; AuthenticationOk follows it. */
  readonly serverFinal: Buffer;
  /** Which of the passwords it was: a log can say when the old one is out of use. */
  readonly passwordIndex: number;
  /** What the proof gave away: enough to log in to a server that stores the same verifier. */
  readonly clientKey: Buffer;
}

export class ScramServer {
  readonly #secret: ScramSecret;
  readonly #serverNonce: string;
  readonly #channelBinding: Buffer | null;
  #clientFirst: ClientFirst | null = null;
  #serverFirst = '';
  #finished = false;

  /**
   * `channelBinding` is the data of the TLS channel the client is on, null where it has none.
   * `serverNonce` is given by tests that replay a known exchange.
   */
  constructor(
    secret: ScramSecret,
    serverNonce: string = randomBytes(NONCE_BYTES).toString('base64'),
    channelBinding: Buffer | null = null,
  ) {
    assert(secret.passwords.length > 0, 'a SCRAM secret without a password');
    this.#secret = secret;
    this.#serverNonce = serverNonce;
    this.#channelBinding = channelBinding;
  }

  /** A new exchange on a channel that may bind. */
  static on(secret: ScramSecret, channelBinding: Buffer | null): ScramServer {
    return new ScramServer(secret, undefined, channelBinding);
  }

  /** Whether the client's next message is its last one. */
  get challenged(): boolean {
    return this.#clientFirst !== null;
  }

  /**
   * Takes SASLInitialResponse and returns the data of AuthenticationSASLContinue. A client may send
   * no data with it (null); the answer is then empty and `first` is called again with its next one.
   */
  first(mechanism: string, data: Buffer | null): Buffer {
    if (!offeredMechanisms(this.#channelBinding).includes(mechanism)) {
      throw new ProtocolViolation('client selected an invalid SASL authentication mechanism');
    }
    if (data === null) return Buffer.alloc(0);
    assert(this.#clientFirst === null, 'the SCRAM exchange has begun already');
    const clientFirst = parseClientFirst(data.toString('latin1'));
    this.#checkBinding(mechanism, clientFirst);
    this.#clientFirst = clientFirst;
    const { salt, iterations } = this.#secret;
    const nonce = clientFirst.nonce + this.#serverNonce;
    this.#serverFirst = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
    return Buffer.from(this.#serverFirst, 'latin1');
  }

  #checkBinding(mechanism: string, { bindingFlag, bindingType }: ClientFirst): void {
    if (mechanism === MECHANISM_PLUS) {
      if (bindingFlag !== 'p') {
        throw new ProtocolViolation(`SCRAM: ${MECHANISM_PLUS} without channel binding`);
      }
      if (bindingType !== BINDING_TYPE) {
        throw new ProtocolViolation('SCRAM: unsupported type of channel binding');
      }
    } else if (bindingFlag === 'p') {
      throw new ProtocolViolation('SCRAM: channel binding was asked for but not offered');
    } else if (bindingFlag === 'y' && this.#channelBinding !== null) {
      throw new ProtocolViolation(
        'SCRAM: the client supports channel binding but was told that the server does not',
      );
    }
  }

  /** Takes the client's final message. Null: wrong password, or no such user. */
  finish(data: Buffer): ScramSuccess | null {
    const clientFirst = this.#clientFirst;
    assert(clientFirst !== null && !this.#finished, 'the SCRAM exchange is not that far');
    this.#finished = true;
    const final = parseClientFinal(data.toString('latin1'));
    if (final.nonce !== clientFirst.nonce + this.#serverNonce) {
      throw new ProtocolViolation('SCRAM: the nonce of client-final does not match');
    }
    const bound = clientFirst.bindingFlag === 'p' ? this.#channelBinding : null;
    const expected = Buffer.concat([
      Buffer.from(clientFirst.gs2Header, 'latin1'),
      bound ?? Buffer.alloc(0),
    ]);
    if (final.channelBinding !== expected.toString('base64')) {
      throw new ProtocolViolation('SCRAM: the channel binding of client-final does not match');
    }
    const authMessage = `${clientFirst.bare},${this.#serverFirst},${final.withoutProof}`;
    return this.#check(final.proof, authMessage);
  }

  #check(proof: Buffer, authMessage: string): ScramSuccess | null {
    let success: ScramSuccess | null = null;
    for (const [passwordIndex, { storedKey, serverKey }] of this.#secret.passwords.entries()) {
      const clientKey = xor(proof, hmac(storedKey, authMessage));
      const signature = hmac(serverKey, authMessage);
      if (!timingSafeEqual(sha256(clientKey), storedKey) || this.#secret.mock) continue;
      const serverFinal = Buffer.from(`v=${signature.toString('base64')}`, 'latin1');
      success ??= { serverFinal, passwordIndex, clientKey };
    }
    return success;
  }
}
