import { Frontend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';

/** Parse (F): makes a prepared statement. */
export interface Parse {
  /** The statement's name; empty is the unnamed one. */
  readonly name: string;
  readonly text: string;
  /** Object ids of the parameters' types; 0, or a missing one, leaves it to the server. */
  readonly parameterTypes: readonly number[];
}

/** What of a Parse can be known from its beginning. */
export interface ParseHead {
  readonly name: string;
  /** Where the statement's text begins. */
  readonly textStart: number;
}

export function decodeParse(buffer: Buffer, start: number, end: number): Parse {
  const cursor = new Cursor('Parse', buffer, start, end);
  const name = cursor.cstring('statement name');
  const text = cursor.cstring('query string');
  const count = cursor.count('number of parameter types', 4);
  const parameterTypes = new Array<number>(count);
  for (let i = 0; i < count; i++) parameterTypes[i] = cursor.uint32('parameter type');
  cursor.finish();
  return { name, text, parameterTypes };
}

/** Works on the head of a long Parse too, as long as the name lies within it. */
export function decodeParseHead(buffer: Buffer, start: number, end: number): ParseHead {
  const cursor = new Cursor('Parse', buffer, start, end);
  const name = cursor.cstring('statement name');
  return { name, textStart: cursor.offset };
}

export function encodeParse(
  writer: Writer,
  name: string,
  text: string,
  parameterTypes: readonly number[],
): void {
  writer.begin(Frontend.Parse);
  writer.cstring(name);
  writer.cstring(text);
  writer.int16(parameterTypes.length);
  for (const type of parameterTypes) writer.int32(type);
  writer.end();
}
