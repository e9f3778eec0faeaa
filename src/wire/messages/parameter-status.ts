import { Backend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';

/** ParameterStatus (B): a setting's value, at login and whenever a reported setting changes. */
export interface ParameterStatus {
  readonly name: string;
  readonly value: string;
}

export function decodeParameterStatus(buffer: Buffer, start: number, end: number): ParameterStatus {
  const cursor = new Cursor('ParameterStatus', buffer, start, end);
  const name = cursor.cstring('name');
  const value = cursor.cstring('value');
  cursor.finish();
  return { name, value };
}

export function encodeParameterStatus(writer: Writer, name: string, value: string): void {
  writer.begin(Backend.ParameterStatus);
  writer.cstring(name);
  writer.cstring(value);
  writer.end();
}
