import { Frontend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';

/** What Describe and Close are about. */
export const ObjectKind = {
  /** S: a prepared statement. */
  Statement: 0x53,
  /** P: a portal. */
  Portal: 0x50,
} as const;
export type ObjectKind = (typeof ObjectKind)[keyof typeof ObjectKind];

/** Describe (F) and Close (F): the same body under two codes. */
export interface ObjectName {
  readonly kind: ObjectKind;
  readonly name: string;
}

export function decodeDescribe(buffer: Buffer, start: number, end: number): ObjectName {
  return decodeObjectName(new Cursor('Describe', buffer, start, end));
}

export function decodeClose(buffer: Buffer, start: number, end: number): ObjectName {
  return decodeObjectName(new Cursor('Close', buffer, start, end));
}

export function encodeDescribe(writer: Writer, kind: ObjectKind, name: string): void {
  encodeObjectName(writer, Frontend.Describe, kind, name);
}

export function encodeClose(writer: Writer, kind: ObjectKind, name: string): void {
  encodeObjectName(writer, Frontend.Close, kind, name);
}

/** Postgres calls another kind a protocol violation too (exec_describe: "invalid subtype"). */
function decodeObjectName(cursor: Cursor): ObjectName {
  const kind = cursor.int8('kind');
  if (kind !== ObjectKind.Statement && kind !== ObjectKind.Portal) {
    throw cursor.violation(`the kind is 0x${kind.toString(16).padStart(2, '0')}, not S or P`);
  }
  const name = cursor.cstring('name');
  cursor.finish();
  return { kind, name };
}

function encodeObjectName(writer: Writer, code: number, kind: ObjectKind, name: string): void {
  writer.begin(code);
  writer.int8(kind);
  writer.cstring(name);
  writer.end();
}
