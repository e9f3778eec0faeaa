/**
 * COPY: three messages that open it (B), and CopyData and CopyFail. CopyDone has no body and is a
 * constant. CopyData streams through unseen; decoding it is for own traffic and for tests.
 */
import { type Backend, Frontend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';
import { decodeFormats, encodeFormats } from './bind.ts';

/** CopyInResponse, CopyOutResponse, CopyBothResponse (B). */
export interface CopyResponse {
  /** 0 is textual, 1 is binary, for the copy as a whole. */
  readonly format: number;
  /** One per column. */
  readonly columnFormats: readonly number[];
}

export type CopyResponseCode =
  | typeof Backend.CopyInResponse
  | typeof Backend.CopyOutResponse
  | typeof Backend.CopyBothResponse;

export function decodeCopyResponse(buffer: Buffer, start: number, end: number): CopyResponse {
  const cursor = new Cursor('CopyResponse', buffer, start, end);
  const format = cursor.int8('overall format');
  const columnFormats = decodeFormats(cursor, 'number of columns');
  cursor.finish();
  return { format, columnFormats };
}

export function encodeCopyResponse(
  writer: Writer,
  code: CopyResponseCode,
  response: CopyResponse,
): void {
  writer.begin(code);
  writer.int8(response.format);
  encodeFormats(writer, response.columnFormats);
  writer.end();
}

/** The body is the data: a borrowed view. */
export function decodeCopyData(buffer: Buffer, start: number, end: number): Buffer {
  return buffer.subarray(start, end);
}

/** The same in both directions. */
export function encodeCopyData(writer: Writer, data: Uint8Array): void {
  writer.begin(Frontend.CopyData);
  writer.bytes(data);
  writer.end();
}

/** CopyFail (F): the client gives up; its reason becomes part of the server's error. */
export function decodeCopyFail(buffer: Buffer, start: number, end: number): string {
  const cursor = new Cursor('CopyFail', buffer, start, end);
  const reason = cursor.cstring('reason');
  cursor.finish();
  return reason;
}

export function encodeCopyFail(writer: Writer, reason: string): void {
  writer.begin(Frontend.CopyFail);
  writer.cstring(reason);
  writer.end();
}
