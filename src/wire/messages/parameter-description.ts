import { Backend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';

/** ParameterDescription (B): object ids of a prepared statement's parameter types. */
export function decodeParameterDescription(buffer: Buffer, start: number, end: number): number[] {
  const cursor = new Cursor('ParameterDescription', buffer, start, end);
  const count = cursor.count('number of parameters', 4);
  const types = new Array<number>(count);
  for (let i = 0; i < count; i++) types[i] = cursor.uint32('parameter type');
  cursor.finish();
  return types;
}

export function encodeParameterDescription(writer: Writer, types: readonly number[]): void {
  writer.begin(Backend.ParameterDescription);
  writer.int16(types.length);
  for (const type of types) writer.int32(type);
  writer.end();
}
