import { Frontend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';

/** Query (F): a simple-protocol string of any number of statements; its text is all there is. */
export function decodeQuery(buffer: Buffer, start: number, end: number): string {
  const cursor = new Cursor('Query', buffer, start, end);
  const text = cursor.cstring('query string');
  cursor.finish();
  return text;
}

export function encodeQuery(writer: Writer, text: string): void {
  writer.begin(Frontend.Query);
  writer.cstring(text);
  writer.end();
}
