import { Backend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import { decodeText } from '../text.ts';
import type { Writer } from '../writer.ts';

/**
 * DataRow (B). Clients' rows are forwarded unseen; decoding is for statements of our own, encoding
 * for the console. The values are borrowed views of the buffer; null is SQL's null.
 */
export function decodeDataRow(buffer: Buffer, start: number, end: number): (Buffer | null)[] {
  const cursor = new Cursor('DataRow', buffer, start, end);
  const count = cursor.count('number of columns', 4);
  const values = new Array<Buffer | null>(count);
  for (let i = 0; i < count; i++) values[i] = cursor.value('column value');
  cursor.finish();
  return values;
}

/** The same row as texts, for results in text format. The strings are independent. */
export function decodeDataRowTexts(buffer: Buffer, start: number, end: number): (string | null)[] {
  const cursor = new Cursor('DataRow', buffer, start, end);
  const count = cursor.count('number of columns', 4);
  const texts = new Array<string | null>(count);
  for (let i = 0; i < count; i++) {
    const value = cursor.value('column value');
    texts[i] = value === null ? null : decodeText(value, 0, value.length);
  }
  cursor.finish();
  return texts;
}

export function encodeDataRow(writer: Writer, values: readonly (Uint8Array | null)[]): void {
  writer.begin(Backend.DataRow);
  writer.int16(values.length);
  for (const value of values) writer.value(value);
  writer.end();
}

export function encodeDataRowTexts(writer: Writer, texts: readonly (string | null)[]): void {
  writer.begin(Backend.DataRow);
  writer.int16(texts.length);
  for (const text of texts) writer.textValue(text);
  writer.end();
}
