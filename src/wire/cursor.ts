/**
 * A bounds-checked reader over one message body, bytes [start, end) of a borrowed buffer. Every
 * read names the field it is after, so that a short or overlong body is reported as what is wrong
 * with it, and every count is held against the bytes that are left before anything is allocated.
 *
 * For decoders only. The forwarding path reads headers in place and has no use for an object.
 */
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { decodeText } from './text.ts';

export class Cursor {
  readonly message: string;
  readonly buffer: Buffer;
  offset: number;
  readonly end: number;

  constructor(message: string, buffer: Buffer, start: number, end: number) {
    this.message = message;
    this.buffer = buffer;
    this.offset = start;
    this.end = end;
  }

  /** Bytes not yet read. */
  get left(): number {
    return this.end - this.offset;
  }

  int8(field: string): number {
    this.#need(1, field);
    return this.buffer[this.offset++] as number;
  }

  /** Unsigned, as Postgres itself reads counts and formats (pq_getmsgint). */
  uint16(field: string): number {
    this.#need(2, field);
    const value = this.buffer.readUInt16BE(this.offset);
    this.offset += 2;
    return value;
  }

  int16(field: string): number {
    this.#need(2, field);
    const value = this.buffer.readInt16BE(this.offset);
    this.offset += 2;
    return value;
  }

  int32(field: string): number {
    this.#need(4, field);
    const value = this.buffer.readInt32BE(this.offset);
    this.offset += 4;
    return value;
  }

  uint32(field: string): number {
    this.#need(4, field);
    const value = this.buffer.readUInt32BE(this.offset);
    this.offset += 4;
    return value;
  }

  /** A UInt16 count of things of at least `bytesEach` bytes; never more than can still follow. */
  count(field: string, bytesEach: number): number {
    const count = this.uint16(field);
    if (count * bytesEach > this.left) {
      throw this.violation(`${field} is ${count}, but only ${this.left} bytes follow`);
    }
    return count;
  }

  /** A zero-terminated string. */
  cstring(field: string): string {
    const zero = this.#zero(field);
    const text = decodeText(this.buffer, this.offset, zero);
    this.offset = zero + 1;
    return text;
  }

  /** Steps over a zero-terminated string without making one. */
  skipCstring(field: string): void {
    this.offset = this.#zero(field) + 1;
  }

  /** An Int32 length and as many bytes; null for -1. A borrowed view: copy what you keep. */
  value(field: string): Buffer | null {
    const length = this.int32(field);
    if (length === -1) return null;
    if (length < 0) throw this.violation(`${field} has the length ${length}`);
    return this.view(length, field);
  }

  /** The next `length` bytes as a borrowed view. */
  view(length: number, field: string): Buffer {
    this.#need(length, field);
    const view = this.buffer.subarray(this.offset, this.offset + length);
    this.offset += length;
    return view;
  }

  /** All remaining bytes as an exact-size copy that belongs to the caller. */
  copyRest(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.left);
    this.buffer.copy(copy, 0, this.offset, this.end);
    this.offset = this.end;
    return copy;
  }

  /** Every decoder's last word: a body with bytes left over is as wrong as a short one. */
  finish(): void {
    if (this.offset !== this.end) {
      throw this.violation(`${this.left} bytes are left over at the end`);
    }
  }

  violation(text: string): ProtocolViolation {
    return new ProtocolViolation(`invalid ${this.message} message: ${text}`);
  }

  #zero(field: string): number {
    const zero = this.buffer.indexOf(0, this.offset);
    if (zero === -1 || zero >= this.end) {
      throw this.violation(`${field} has no terminating zero`);
    }
    return zero;
  }

  #need(bytes: number, field: string): void {
    if (this.end - this.offset < bytes) {
      throw this.violation(`${field} needs ${bytes} bytes, ${this.left} are left`);
    }
  }
}
