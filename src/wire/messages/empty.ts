import { type Direction, codeName } from '../codes.ts';
import { Cursor } from '../cursor.ts';

/**
 * Messages without a body: Sync, Flush, Terminate, CopyDone, ParseComplete, BindComplete,
 * CloseComplete, NoData, EmptyQueryResponse, PortalSuspended. The bytes to send are in
 * `constants.ts`; reading one is checking that nothing came with it.
 */
export function decodeEmpty(direction: Direction, code: number, start: number, end: number): void {
  if (start === end) return;
  new Cursor(codeName(direction, code), NO_BYTES, start, end).finish();
}

const NO_BYTES = Buffer.alloc(0);
