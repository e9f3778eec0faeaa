/**
 * The four texts of a SCRAM exchange (RFC 5802, section 7), taken apart. Both roles use them, and
 * both answer anything that is not exactly in form with a `ProtocolViolation`: whoever speaks SCRAM
 * at all speaks it by machine, so bad form is a defect or an attack, never a typing error.
 *
 *     client-first   n,,n=user,r=CNONCE
 *     server-first   r=CNONCE+SNONCE,s=SALT,i=ITERATIONS
 *     client-final   c=biws,r=CNONCE+SNONCE,p=PROOF
 *     server-final   v=SIGNATURE                              (or e=ERROR)
 *
 * Texts are latin1 strings, one character per byte: the proof is computed over the bytes as they
 * came, so nothing may be lost by decoding a user name that is not UTF-8.
 *
 * Unknown optional attributes at the end of a text are ignored, as the RFC and Postgres do. `m=`,
 * the mandatory extension, is refused: it says that whoever does not know it must not go on.
 */
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { decodeBase64 } from './base64.ts';
import { KEY_BYTES } from './scram-keys.ts';

export const MECHANISM = 'SCRAM-SHA-256';
/** With channel binding, under TLS. */
export const MECHANISM_PLUS = 'SCRAM-SHA-256-PLUS';

/** Printable ASCII without the comma. */
const NONCE = /^[\x21-\x2b\x2d-\x7e]+$/;
const ITERATIONS = /^[1-9]\d{0,9}$/;

/**
 * `n`: the client has no channel binding. `y`: it has, but believes that the server has not.
 * `p`: it binds, by the type that is named.
 */
export type BindingFlag = 'n' | 'y' | 'p';

export interface ClientFirst {
  readonly bindingFlag: BindingFlag;
  /** Only with the flag `p`, else empty. */
  readonly bindingType: string;
  /** Everything before `n=`; comes back base64-encoded in `c=` of the client's final message. */
  readonly gs2Header: string;
  readonly bare: string;
  readonly nonce: string;
}

export interface ServerFirst {
  readonly nonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

export interface ClientFinal {
  /** The value of `c=`, still in base64. */
  readonly channelBinding: string;
  readonly nonce: string;
  readonly proof: Buffer;
  /** The part that the proof covers. */
  readonly withoutProof: string;
}

/** Either a signature or the server's reason, never both. */
export interface ServerFinal {
  readonly signature: Buffer | null;
  readonly error: string | null;
}

export function parseClientFirst(text: string): ClientFirst {
  const flagEnd = text.indexOf(',');
  const binding = parseBindingFlag(flagEnd < 0 ? text : text.slice(0, flagEnd));
  const headerEnd = text.indexOf(',', flagEnd + 1);
  if (flagEnd < 0 || headerEnd < 0) throw malformed('the header of client-first is not complete');
  if (headerEnd !== flagEnd + 1) {
    throw new ProtocolViolation('SCRAM: authorization identities are not supported');
  }
  const bare = text.slice(headerEnd + 1);
  const attributes = new Attributes(bare, 'client-first');
  // The user is the one of the startup packet; what stands here is not looked at, as in Postgres.
  attributes.take('n');
  const nonce = attributes.take('r');
  if (!NONCE.test(nonce)) throw malformed('the nonce in client-first is not printable');
  attributes.skipOptional();
  return { ...binding, gs2Header: text.slice(0, headerEnd + 1), bare, nonce };
}

function parseBindingFlag(flag: string): Pick<ClientFirst, 'bindingFlag' | 'bindingType'> {
  if (flag === 'n' || flag === 'y') return { bindingFlag: flag, bindingType: '' };
  if (flag.startsWith('p=')) return { bindingFlag: 'p', bindingType: flag.slice(2) };
  throw malformed('the channel-binding flag is none of n, y and p');
}

export function parseServerFirst(text: string): ServerFirst {
  const attributes = new Attributes(text, 'server-first');
  const nonce = attributes.take('r');
  const salt = decodeBase64(attributes.take('s'));
  const iterations = attributes.take('i');
  attributes.skipOptional();
  if (!NONCE.test(nonce)) throw malformed('the nonce in server-first is not printable');
  if (salt === null) throw malformed('the salt is not base64');
  if (!ITERATIONS.test(iterations)) throw malformed('the iteration count is not a number');
  return { nonce, salt, iterations: Number(iterations) };
}

export function parseClientFinal(text: string): ClientFinal {
  // The proof comes last, and base64 has no comma, so the last comma is where it begins.
  const proofAt = text.lastIndexOf(',');
  const withoutProof = text.slice(0, Math.max(proofAt, 0));
  const attributes = new Attributes(withoutProof, 'client-final');
  const channelBinding = attributes.take('c');
  const nonce = attributes.take('r');
  attributes.skipOptional();
  const last = new Attributes(text.slice(proofAt + 1), 'client-final');
  const proof = decodeBase64(last.take('p'));
  if (proof?.length !== KEY_BYTES) throw malformed('the proof is not 32 bytes in base64');
  return { channelBinding, nonce, proof, withoutProof };
}

export function parseServerFinal(text: string): ServerFinal {
  const attributes = new Attributes(text, 'server-final');
  if (text.startsWith('e=')) return { signature: null, error: attributes.take('e') };
  const signature = decodeBase64(attributes.take('v'));
  attributes.skipOptional();
  if (signature?.length !== KEY_BYTES) throw malformed('the signature is not 32 bytes in base64');
  return { signature, error: null };
}

function malformed(problem: string): ProtocolViolation {
  return new ProtocolViolation(`malformed SCRAM message: ${problem}`);
}

/** Reads `a=value,b=value` in the order that the grammar demands. */
class Attributes {
  readonly #text: string;
  readonly #message: string;
  #at = 0;

  constructor(text: string, message: string) {
    // Postgres reads these as C strings: a zero would hide from it what follows.
    if (text.includes('\0')) throw malformed(`${message} contains a zero byte`);
    this.#text = text;
    this.#message = message;
  }

  take(name: string): string {
    if (this.#text.startsWith('m=', this.#at)) {
      throw new ProtocolViolation('SCRAM: a mandatory extension is not supported');
    }
    if (!this.#text.startsWith(`${name}=`, this.#at)) {
      throw malformed(`${this.#message} has no ${name}= where it belongs`);
    }
    return this.#value();
  }

  /** Checks that whatever is left is well-formed attributes, which nobody needs to know. */
  skipOptional(): void {
    while (this.#at <= this.#text.length) {
      const wellFormed = /^[A-Za-z]=/.test(this.#text.slice(this.#at, this.#at + 2));
      if (!wellFormed) throw malformed(`garbage at the end of ${this.#message}`);
      this.#value();
    }
  }

  #value(): string {
    const comma = this.#text.indexOf(',', this.#at);
    const end = comma < 0 ? this.#text.length : comma;
    const value = this.#text.slice(this.#at + 2, end);
    // One past the end means that nothing is left; at the end, that a comma was the last thing.
    this.#at = end + 1;
    return value;
  }
}
