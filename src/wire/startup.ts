/**
 * The first packet of a connection, the only one without a code byte: a wish for encryption, a
 * cancel request, or the startup message proper. `firstPacketLength` judges the length from four
 * bytes, before anything is buffered for a peer nobody knows yet; `decodeFirstPacket` reads the
 * complete packet.
 *
 * What a client of another age or taste may legitimately send (protocol 2.0, a newer minor
 * version, no user) is told apart here and answered elsewhere, in the words Postgres uses. Only a
 * packet that contradicts itself is a violation.
 *
 * A caller that answers SSLRequest must make sure that no byte followed it in the clear: such bytes
 * were not sent by who is at the other end of the encrypted channel (CVE-2021-23214).
 */
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { Cursor } from './cursor.ts';
import {
  STARTUP_PACKET_LENGTH_MAX,
  STARTUP_PACKET_LENGTH_MIN,
  STARTUP_PARAMETERS_MAX,
} from './limits.ts';
import { assertCancelKey, decodeCancelKey } from './messages/backend-key-data.ts';
import type { Writer } from './writer.ts';

/** Request codes of `src/include/libpq/pqcomm.h`: major version 1234, which no protocol will be. */
export const CANCEL_REQUEST_CODE = 80_877_102;
export const SSL_REQUEST_CODE = 80_877_103;
export const GSSENC_REQUEST_CODE = 80_877_104;

/** The protocol versions spoken here. A newer minor is answered with NegotiateProtocolVersion. */
export const PROTOCOL_MAJOR = 3;
const PROTOCOL_MINOR_MAX = 2;

/** A ClientHello begins so: direct TLS without an SSLRequest (sslnegotiation=direct). */
const TLS_HANDSHAKE_RECORD = 0x16;
const OPTION_PREFIX = '_pq_.';

export const FirstPacketKind = {
  /** A StartupMessage of protocol 3. */
  Startup: 0,
  SSLRequest: 1,
  GSSENCRequest: 2,
  CancelRequest: 3,
  /** A StartupMessage of another major version; its parameters are not read. */
  Unsupported: 4,
} as const;
export type FirstPacketKind = (typeof FirstPacketKind)[keyof typeof FirstPacketKind];

/** One shape for all kinds: what a kind does not carry is empty, 0 or null. */
export interface FirstPacket {
  readonly kind: FirstPacketKind;
  readonly major: number;
  readonly minor: number;
  /** Settings in the order sent, `_pq_.` options excluded; of two with one name the later wins. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Names of the `_pq_.` options: none is known here, so all are listed when negotiating. */
  readonly options: readonly string[];
  /** Empty when the packet names none: the login is refused (28000), as Postgres does. */
  readonly user: string;
  /** The user's name when the packet names none. */
  readonly database: string;
  readonly processId: number;
  /** CancelRequest: an exact-size copy. */
  readonly key: Buffer | null;
}

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();
const NO_OPTIONS: readonly string[] = [];

/** Whether a connection's first byte opens TLS directly. A packet's length never begins so. */
export function isDirectTls(firstByte: number): boolean {
  return firstByte === TLS_HANDSHAKE_RECORD;
}

/**
 * How long the first packet is in all, from its first bytes [start, start + available): 0 while
 * fewer than four have arrived. Throws when no packet can have that length, which is also what
 * happens to HTTP and other strangers.
 */
export function firstPacketLength(buffer: Buffer, start: number, available: number): number {
  if (available < 4) return 0;
  const length = buffer.readUInt32BE(start);
  if (length < STARTUP_PACKET_LENGTH_MIN || length > STARTUP_PACKET_LENGTH_MAX) {
    throw new ProtocolViolation('invalid length of startup packet');
  }
  return length;
}

/** Decodes the complete packet [start, end), its length field included. */
export function decodeFirstPacket(buffer: Buffer, start: number, end: number): FirstPacket {
  const length = firstPacketLength(buffer, start, end - start);
  if (length !== end - start) throw new ProtocolViolation('invalid length of startup packet');
  const version = buffer.readUInt32BE(start + 4);
  const body = start + 8;
  switch (version) {
    case CANCEL_REQUEST_CODE:
      return cancelPacket(buffer, body, end);
    case SSL_REQUEST_CODE:
      return requestPacket(FirstPacketKind.SSLRequest, 'SSLRequest', buffer, body, end);
    case GSSENC_REQUEST_CODE:
      return requestPacket(FirstPacketKind.GSSENCRequest, 'GSSENCRequest', buffer, body, end);
  }
  if (version >>> 16 !== PROTOCOL_MAJOR) {
    return emptyPacket(FirstPacketKind.Unsupported, version, 0, null);
  }
  return startupPacket(buffer, body, end, version);
}

/** The minor version the login goes on with. */
export function negotiatedMinor(minorAsked: number): number {
  return Math.min(minorAsked, PROTOCOL_MINOR_MAX);
}

/** Whether NegotiateProtocolVersion must be sent before the login goes on. */
export function mustNegotiate(packet: FirstPacket): boolean {
  return packet.minor > PROTOCOL_MINOR_MAX || packet.options.length > 0;
}

/** A StartupMessage of protocol 3.`minor`. `user` must be among the parameters. */
export function encodeStartup(
  writer: Writer,
  startup: { readonly minor: number; readonly params: ReadonlyMap<string, string> },
): void {
  writer.beginUntyped();
  writer.int32((PROTOCOL_MAJOR << 16) | startup.minor);
  for (const [name, value] of startup.params) {
    writer.cstring(name);
    writer.cstring(value);
  }
  writer.int8(0);
  writer.end();
}

export function encodeSslRequest(writer: Writer): void {
  encodeRequest(writer, SSL_REQUEST_CODE);
}

export function encodeGssEncRequest(writer: Writer): void {
  encodeRequest(writer, GSSENC_REQUEST_CODE);
}

export function encodeCancelRequest(writer: Writer, processId: number, key: Uint8Array): void {
  assertCancelKey(key);
  writer.beginUntyped();
  writer.int32(CANCEL_REQUEST_CODE);
  writer.int32(processId);
  writer.bytes(key);
  writer.end();
}

function encodeRequest(writer: Writer, code: number): void {
  writer.beginUntyped();
  writer.int32(code);
  writer.end();
}

function cancelPacket(buffer: Buffer, start: number, end: number): FirstPacket {
  const cursor = new Cursor('CancelRequest', buffer, start, end);
  const processId = cursor.int32('process id');
  const key = decodeCancelKey(cursor);
  return emptyPacket(FirstPacketKind.CancelRequest, 0, processId, key);
}

function requestPacket(
  kind: FirstPacketKind,
  name: string,
  buffer: Buffer,
  start: number,
  end: number,
): FirstPacket {
  new Cursor(name, buffer, start, end).finish();
  return emptyPacket(kind, 0, 0, null);
}

function startupPacket(buffer: Buffer, start: number, end: number, version: number): FirstPacket {
  const cursor = new Cursor('StartupMessage', buffer, start, end);
  const parameters = new Map<string, string>();
  const options: string[] = [];
  for (;;) {
    const name = cursor.cstring('parameter name');
    if (name === '') break;
    const value = cursor.cstring('parameter value');
    if (name.startsWith(OPTION_PREFIX)) options.push(name);
    else parameters.set(name, value);
    if (parameters.size + options.length > STARTUP_PARAMETERS_MAX) {
      throw cursor.violation(`there are more than ${STARTUP_PARAMETERS_MAX} parameters`);
    }
  }
  cursor.finish();
  const user = parameters.get('user') ?? '';
  return {
    kind: FirstPacketKind.Startup,
    major: version >>> 16,
    minor: version & 0xffff,
    parameters,
    options,
    user,
    database: parameters.get('database') || user,
    processId: 0,
    key: null,
  };
}

function emptyPacket(
  kind: FirstPacketKind,
  version: number,
  processId: number,
  key: Buffer | null,
): FirstPacket {
  return {
    kind,
    major: version >>> 16,
    minor: version & 0xffff,
    parameters: NO_PARAMETERS,
    options: NO_OPTIONS,
    user: '',
    database: '',
    processId,
    key,
  };
}
