import { Frontend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';

/** Execute (F): runs a portal. */
export interface Execute {
  readonly portal: string;
  /** After this many rows the server answers PortalSuspended; 0 is no limit. */
  readonly rowsMax: number;
}

export function decodeExecute(buffer: Buffer, start: number, end: number): Execute {
  const cursor = new Cursor('Execute', buffer, start, end);
  const portal = cursor.cstring('portal name');
  const rowsMax = cursor.int32('maximum number of rows');
  cursor.finish();
  return { portal, rowsMax };
}

export function encodeExecute(writer: Writer, portal: string, rowsMax: number): void {
  writer.begin(Frontend.Execute);
  writer.cstring(portal);
  writer.int32(rowsMax);
  writer.end();
}
