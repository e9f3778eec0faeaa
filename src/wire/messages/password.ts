/**
 * What a client answers while it logs in (F, code `p`): four messages under one code. Only whoever
 * asked knows which one it must be, so there is a decoder for each and none for all.
 */
import { Frontend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';

export interface SASLInitialResponse {
  readonly mechanism: string;
  /** The client's first message as an exact-size copy; null when it sends none (length -1). */
  readonly data: Buffer | null;
}

/** PasswordMessage: a cleartext password, or `md5` and a digest. */
export function decodePassword(buffer: Buffer, start: number, end: number): string {
  const cursor = new Cursor('Password', buffer, start, end);
  const password = cursor.cstring('password');
  cursor.finish();
  return password;
}

export function encodePassword(writer: Writer, password: string): void {
  writer.begin(Frontend.Password);
  writer.cstring(password);
  writer.end();
}

export function decodeSASLInitialResponse(
  buffer: Buffer,
  start: number,
  end: number,
): SASLInitialResponse {
  const cursor = new Cursor('SASLInitialResponse', buffer, start, end);
  const mechanism = cursor.cstring('mechanism');
  const length = cursor.int32('length of the initial response');
  if (length === -1) {
    cursor.finish();
    return { mechanism, data: null };
  }
  if (length !== cursor.left) {
    throw cursor.violation(`the response's length is ${length}, but ${cursor.left} bytes follow`);
  }
  return { mechanism, data: cursor.copyRest() };
}

export function encodeSASLInitialResponse(
  writer: Writer,
  mechanism: string,
  data: Uint8Array | null,
): void {
  writer.begin(Frontend.Password);
  writer.cstring(mechanism);
  writer.value(data);
  writer.end();
}

/** SASLResponse and GSSResponse: nothing but the mechanism's bytes. An exact-size copy. */
export function decodeSASLResponse(buffer: Buffer, start: number, end: number): Buffer {
  return new Cursor('SASLResponse', buffer, start, end).copyRest();
}

export function encodeSASLResponse(writer: Writer, data: Uint8Array): void {
  writer.begin(Frontend.Password);
  writer.bytes(data);
  writer.end();
}
