/**
 * The Authentication family (B): one code, the first Int32 says which message it is. The proxy
 * sends some of them to clients and receives them from servers, so all are here both ways; the
 * exchanges themselves live in `auth/`.
 */
import { Backend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';

/** Numbers of `src/include/libpq/protocol.h` (AUTH_REQ_*). */
export const AuthenticationKind = {
  Ok: 0,
  /** Kerberos 4 (1), 5 (2), crypt (4) and SCM (6) are history: named so that logs can. */
  KerberosV4: 1,
  KerberosV5: 2,
  CleartextPassword: 3,
  Crypt: 4,
  MD5Password: 5,
  SCMCredential: 6,
  GSS: 7,
  GSSContinue: 8,
  SSPI: 9,
  SASL: 10,
  SASLContinue: 11,
  SASLFinal: 12,
} as const;
export type AuthenticationKind = (typeof AuthenticationKind)[keyof typeof AuthenticationKind];

/** One shape for the whole family: what a kind does not carry is null or empty. */
export interface Authentication {
  readonly kind: AuthenticationKind;
  /** MD5Password: four bytes. An exact-size copy. */
  readonly salt: Buffer | null;
  /** SASL: the server's mechanisms, most wanted first. */
  readonly mechanisms: readonly string[];
  /** GSSContinue, SASLContinue, SASLFinal: the mechanism's own bytes. An exact-size copy. */
  readonly data: Buffer | null;
}

const NO_MECHANISMS: readonly string[] = [];
const SALT_BYTES = 4;

export function decodeAuthentication(buffer: Buffer, start: number, end: number): Authentication {
  const cursor = new Cursor('Authentication', buffer, start, end);
  const kind = knownKind(cursor, cursor.int32('kind'));
  let salt: Buffer | null = null;
  let mechanisms = NO_MECHANISMS;
  let data: Buffer | null = null;
  switch (kind) {
    case AuthenticationKind.MD5Password:
      if (cursor.left !== SALT_BYTES) {
        throw cursor.violation(`the salt has ${cursor.left} bytes instead of ${SALT_BYTES}`);
      }
      salt = cursor.copyRest();
      break;
    case AuthenticationKind.SASL:
      mechanisms = decodeMechanisms(cursor);
      break;
    case AuthenticationKind.GSSContinue:
    case AuthenticationKind.SASLContinue:
    case AuthenticationKind.SASLFinal:
      data = cursor.copyRest();
      break;
    case AuthenticationKind.Crypt:
      // Two bytes of salt for a method no server since 8.4 asks for.
      cursor.copyRest();
      break;
    default:
      break;
  }
  cursor.finish();
  return { kind, salt, mechanisms, data };
}

/** AuthenticationCleartextPassword, GSS or SSPI; AuthenticationOk is a constant. */
export function encodeAuthentication(writer: Writer, kind: AuthenticationKind): void {
  writer.begin(Backend.Authentication);
  writer.int32(kind);
  writer.end();
}

export function encodeAuthenticationMD5Password(writer: Writer, salt: Uint8Array): void {
  encodeAuthenticationData(writer, AuthenticationKind.MD5Password, salt);
}

export function encodeAuthenticationSASL(writer: Writer, mechanisms: readonly string[]): void {
  writer.begin(Backend.Authentication);
  writer.int32(AuthenticationKind.SASL);
  for (const mechanism of mechanisms) writer.cstring(mechanism);
  writer.int8(0);
  writer.end();
}

export function encodeAuthenticationSASLContinue(writer: Writer, data: Uint8Array): void {
  encodeAuthenticationData(writer, AuthenticationKind.SASLContinue, data);
}

export function encodeAuthenticationSASLFinal(writer: Writer, data: Uint8Array): void {
  encodeAuthenticationData(writer, AuthenticationKind.SASLFinal, data);
}

function encodeAuthenticationData(
  writer: Writer,
  kind: AuthenticationKind,
  data: Uint8Array,
): void {
  writer.begin(Backend.Authentication);
  writer.int32(kind);
  writer.bytes(data);
  writer.end();
}

function knownKind(cursor: Cursor, kind: number): AuthenticationKind {
  if (kind < AuthenticationKind.Ok || kind > AuthenticationKind.SASLFinal) {
    throw cursor.violation(`authentication method ${kind} is not known`);
  }
  return kind as AuthenticationKind;
}

/** Names until an empty one. The list itself must not be empty: nothing could be chosen. */
function decodeMechanisms(cursor: Cursor): readonly string[] {
  const mechanisms: string[] = [];
  for (;;) {
    const mechanism = cursor.cstring('SASL mechanism');
    if (mechanism === '') break;
    mechanisms.push(mechanism);
  }
  if (mechanisms.length === 0) throw cursor.violation('the list of SASL mechanisms is empty');
  return mechanisms;
}
