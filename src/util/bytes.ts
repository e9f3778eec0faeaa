/**
 * Strings out of byte ranges, without making a view first and without looking up an encoding by
 * name. Node has had these methods for ever and documents only `toString` above them.
 */
declare global {
  interface Buffer {
    latin1Slice(start: number, end: number): string;
    utf8Slice(start: number, end: number): string;
  }
}

/** One character per byte: nothing is lost, and ASCII is what it says. */
export function latin1(buffer: Buffer, start: number, end: number): string {
  return buffer.latin1Slice(start, end);
}

export function utf8(buffer: Buffer, start: number, end: number): string {
  return buffer.utf8Slice(start, end);
}
