/**
 * FunctionCall (F) and FunctionCallResponse (B): the old fast-path interface, still what libpq's
 * large-object functions use. It needs no Sync; the server answers with ReadyForQuery by itself.
 */
import { Backend, Frontend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';
import { decodeFormats, encodeFormats } from './bind.ts';

export interface FunctionCall {
  /** The function's object id. */
  readonly functionId: number;
  readonly formats: readonly number[];
  /** Borrowed views of the decoded buffer. */
  readonly values: readonly (Uint8Array | null)[];
  readonly resultFormat: number;
}

export function decodeFunctionCall(buffer: Buffer, start: number, end: number): FunctionCall {
  const cursor = new Cursor('FunctionCall', buffer, start, end);
  const functionId = cursor.uint32('function id');
  const formats = decodeFormats(cursor, 'number of argument formats');
  const count = cursor.count('number of arguments', 4);
  const values = new Array<Buffer | null>(count);
  for (let i = 0; i < count; i++) values[i] = cursor.value('argument value');
  const resultFormat = cursor.uint16('result format');
  cursor.finish();
  return { functionId, formats, values, resultFormat };
}

export function encodeFunctionCall(writer: Writer, call: FunctionCall): void {
  writer.begin(Frontend.FunctionCall);
  writer.int32(call.functionId);
  encodeFormats(writer, call.formats);
  writer.int16(call.values.length);
  for (const value of call.values) writer.value(value);
  writer.int16(call.resultFormat);
  writer.end();
}

/** The result's bytes, borrowed; null is SQL's null. */
export function decodeFunctionCallResponse(
  buffer: Buffer,
  start: number,
  end: number,
): Buffer | null {
  const cursor = new Cursor('FunctionCallResponse', buffer, start, end);
  const value = cursor.value('function result');
  cursor.finish();
  return value;
}

export function encodeFunctionCallResponse(writer: Writer, value: Uint8Array | null): void {
  writer.begin(Backend.FunctionCallResponse);
  writer.value(value);
  writer.end();
}
