import { Backend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';

/**
 * NegotiateProtocolVersion (B): the answer to a startup packet that asks for a newer minor version
 * or for `_pq_.` options nobody here knows. The login goes on in the version named.
 */
export interface NegotiateProtocolVersion {
  readonly major: number;
  readonly minor: number;
  /** The options that were not understood, as the client wrote them. */
  readonly options: readonly string[];
}

export function decodeNegotiateProtocolVersion(
  buffer: Buffer,
  start: number,
  end: number,
): NegotiateProtocolVersion {
  const cursor = new Cursor('NegotiateProtocolVersion', buffer, start, end);
  // The documentation says "minor version", but servers send the whole number (3 << 16 | minor),
  // and libpq reads it so.
  const version = cursor.uint32('protocol version');
  const count = cursor.uint32('number of options');
  // An option has at least its terminating zero.
  if (count > cursor.left) {
    throw cursor.violation(`number of options is ${count}, but ${cursor.left} bytes follow`);
  }
  const options = new Array<string>(count);
  for (let i = 0; i < count; i++) options[i] = cursor.cstring('option');
  cursor.finish();
  return { major: version >>> 16, minor: version & 0xffff, options };
}

export function encodeNegotiateProtocolVersion(
  writer: Writer,
  negotiate: NegotiateProtocolVersion,
): void {
  writer.begin(Backend.NegotiateProtocolVersion);
  writer.int32((negotiate.major << 16) | negotiate.minor);
  writer.int32(negotiate.options.length);
  for (const option of negotiate.options) writer.cstring(option);
  writer.end();
}
