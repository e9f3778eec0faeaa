import { assert } from '../../util/assert.ts';
import { Backend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import { CANCEL_KEY_BYTES_MAX, CANCEL_KEY_BYTES_MIN } from '../limits.ts';
import type { Writer } from '../writer.ts';

/** BackendKeyData (B): what a CancelRequest must show. Protocol 3.0 has 4 key bytes, 3.2 more. */
export interface BackendKeyData {
  readonly processId: number;
  /** An exact-size copy. A secret: whoever has it can cancel the session's statements. */
  readonly key: Buffer;
}

export function decodeBackendKeyData(buffer: Buffer, start: number, end: number): BackendKeyData {
  const cursor = new Cursor('BackendKeyData', buffer, start, end);
  const processId = cursor.int32('process id');
  const key = decodeCancelKey(cursor);
  return { processId, key };
}

export function encodeBackendKeyData(writer: Writer, processId: number, key: Uint8Array): void {
  assertCancelKey(key);
  writer.begin(Backend.BackendKeyData);
  writer.int32(processId);
  writer.bytes(key);
  writer.end();
}

/** The key is whatever is left of a BackendKeyData or CancelRequest. */
export function decodeCancelKey(cursor: Cursor): Buffer {
  const bytes = cursor.left;
  if (bytes < CANCEL_KEY_BYTES_MIN || bytes > CANCEL_KEY_BYTES_MAX) {
    throw cursor.violation(
      `the cancel key has ${bytes} bytes, not ${CANCEL_KEY_BYTES_MIN} to ${CANCEL_KEY_BYTES_MAX}`,
    );
  }
  return cursor.copyRest();
}

export function assertCancelKey(key: Uint8Array): void {
  assert(
    key.length >= CANCEL_KEY_BYTES_MIN && key.length <= CANCEL_KEY_BYTES_MAX,
    'a cancel key has 4 to 256 bytes',
  );
}
