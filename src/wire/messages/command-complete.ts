import { Backend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';

/** A command tag taken apart: `INSERT 0 5` is the command INSERT and 5 rows. */
export interface CommandTag {
  readonly command: string;
  /** -1 when the tag counts nothing (`CREATE TABLE`, `BEGIN`). */
  readonly rows: number;
}

/** CommandComplete (B): the tag of a statement that has ended well. */
export function decodeCommandComplete(buffer: Buffer, start: number, end: number): string {
  const cursor = new Cursor('CommandComplete', buffer, start, end);
  const tag = cursor.cstring('command tag');
  cursor.finish();
  return tag;
}

export function encodeCommandComplete(writer: Writer, tag: string): void {
  writer.begin(Backend.CommandComplete);
  writer.cstring(tag);
  writer.end();
}

/** Counts follow the command as trailing numbers; of INSERT's two the first is history (an oid). */
export function parseCommandTag(tag: string): CommandTag {
  const counts = /(?: \d+)+$/.exec(tag);
  if (counts === null) return { command: tag, rows: -1 };
  const rows = Number(tag.slice(tag.lastIndexOf(' ') + 1));
  return { command: tag.slice(0, counts.index), rows };
}
