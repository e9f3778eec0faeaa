import { Frontend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';

/**
 * Bind (F): makes a portal from a prepared statement and values. How the numbers of formats and
 * values must fit together is the server's to judge (it answers with an ordinary error), so only
 * what cannot be read at all is a violation here.
 */
export interface Bind {
  readonly portal: string;
  readonly statement: string;
  /** None: all text. One: for all values. Otherwise one per value. 0 is text, 1 is binary. */
  readonly formats: readonly number[];
  /** Borrowed views of the decoded buffer; null is SQL's null. */
  readonly values: readonly (Uint8Array | null)[];
  readonly resultFormats: readonly number[];
}

/** What of a Bind can be known from its beginning; the session reads nothing more. */
export interface BindHead {
  readonly portal: string;
  readonly statement: string;
  /** Where everything behind the two names begins: formats, values, result formats. */
  readonly restStart: number;
}

export function decodeBind(buffer: Buffer, start: number, end: number): Bind {
  const cursor = new Cursor('Bind', buffer, start, end);
  const portal = cursor.cstring('portal name');
  const statement = cursor.cstring('statement name');
  const formats = decodeFormats(cursor, 'number of parameter formats');
  const count = cursor.count('number of parameters', 4);
  const values = new Array<Buffer | null>(count);
  for (let i = 0; i < count; i++) values[i] = cursor.value('parameter value');
  const resultFormats = decodeFormats(cursor, 'number of result formats');
  cursor.finish();
  return { portal, statement, formats, values, resultFormats };
}

/** Works on the head of a long Bind too, as long as both names lie within it. */
export function decodeBindHead(buffer: Buffer, start: number, end: number): BindHead {
  const cursor = new Cursor('Bind', buffer, start, end);
  const portal = cursor.cstring('portal name');
  const statement = cursor.cstring('statement name');
  return { portal, statement, restStart: cursor.offset };
}

export function encodeBind(writer: Writer, bind: Bind): void {
  writer.begin(Frontend.Bind);
  writer.cstring(bind.portal);
  writer.cstring(bind.statement);
  encodeFormats(writer, bind.formats);
  writer.int16(bind.values.length);
  for (const value of bind.values) writer.value(value);
  encodeFormats(writer, bind.resultFormats);
  writer.end();
}

/**
 * Bind's code byte, length and the two names, for a body whose rest of `restBytes` is sent as it
 * came: how a statement's name is replaced by the server's without touching the values.
 */
export function encodeBindHead(
  writer: Writer,
  portal: string,
  statement: string,
  restBytes: number,
): void {
  writer.begin(Frontend.Bind);
  writer.cstring(portal);
  writer.cstring(statement);
  writer.endWith(restBytes);
}

/** A count and as many Int16 codes; shared by the messages that have one. */
export function decodeFormats(cursor: Cursor, field: string): number[] {
  const count = cursor.count(field, 2);
  const formats = new Array<number>(count);
  for (let i = 0; i < count; i++) formats[i] = cursor.uint16('format code');
  return formats;
}

export function encodeFormats(writer: Writer, formats: readonly number[]): void {
  writer.int16(formats.length);
  for (const format of formats) writer.int16(format);
}
