/**
 * Appends messages to one growing buffer. `begin` leaves room for the length and `end` fills it in,
 * so nobody counts bytes by hand, and a batch of small messages becomes one write to a socket.
 *
 * Strings are written as UTF-8: everything this program writes of its own is UTF-8 or ASCII. What
 * a client wrote in another encoding comes back byte for byte, because `decodeText` marks such
 * bytes and `text` turns the marks into the same bytes again (see `text.ts`).
 *
 * Ownership: `buffer` belongs to the writer and is overwritten by the next message. Whoever hands
 * bytes to a socket (which keeps them until they are flushed) uses `take()`, an exact-size copy
 * that belongs to the caller. Between messages a writer holds at most WRITER_BYTES_KEPT_MAX.
 */
import { assert } from '../util/assert.ts';
import { HEADER_BYTES, WRITER_BYTES_INITIAL, WRITER_BYTES_KEPT_MAX } from './limits.ts';
import { writeText } from './text.ts';

const NO_MESSAGE = -1;

export class Writer {
  /** Bytes [0, length) are written; the rest is garbage. Replaced when it grows: do not keep it. */
  buffer: Buffer;
  length: number;
  /** Where the open message's length field is, or NO_MESSAGE. */
  lengthAt: number;

  constructor(bytesInitial: number = WRITER_BYTES_INITIAL) {
    this.buffer = Buffer.allocUnsafeSlow(bytesInitial);
    this.length = 0;
    this.lengthAt = NO_MESSAGE;
  }

  /** Opens a message: code byte, then a length that `end` fills in. */
  begin(code: number): void {
    assert(this.lengthAt === NO_MESSAGE, 'the previous message was not ended');
    this.reserve(HEADER_BYTES);
    this.buffer[this.length] = code;
    this.lengthAt = this.length + 1;
    this.length += HEADER_BYTES;
  }

  /** Opens a packet without a code byte: the startup family only. */
  beginUntyped(): void {
    assert(this.lengthAt === NO_MESSAGE, 'the previous message was not ended');
    this.reserve(4);
    this.lengthAt = this.length;
    this.length += 4;
  }

  end(): void {
    this.endWith(0);
  }

  /** Ends a message whose last `bytes` the caller sends itself, right behind what is written. */
  endWith(bytes: number): void {
    assert(this.lengthAt !== NO_MESSAGE, 'no message to end');
    this.buffer.writeInt32BE(this.length - this.lengthAt + bytes, this.lengthAt);
    this.lengthAt = NO_MESSAGE;
  }

  int8(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  /** Signed and unsigned values alike: the low 16 bits are written. */
  int16(value: number): void {
    this.reserve(2);
    const { buffer, length } = this;
    buffer[length] = value >>> 8;
    buffer[length + 1] = value;
    this.length = length + 2;
  }

  /** Signed and unsigned values alike (object ids are unsigned): the low 32 bits are written. */
  int32(value: number): void {
    this.reserve(4);
    const { buffer, length } = this;
    buffer[length] = value >>> 24;
    buffer[length + 1] = value >>> 16;
    buffer[length + 2] = value >>> 8;
    buffer[length + 3] = value;
    this.length = length + 4;
  }

  /** UTF-8 text and its terminating zero. A zero inside would end the string early on the wire. */
  cstring(text: string): void {
    assert(!text.includes('\0'), 'a zero byte cannot be part of a protocol string');
    this.text(text);
    this.int8(0);
  }

  /** UTF-8 text without a terminator, for bodies that run to the end of the message. */
  text(text: string): void {
    // Three bytes is the most a UTF-16 unit can become, so the exact length need not be counted.
    this.reserve(text.length * 3);
    this.length += writeText(this.buffer, this.length, text);
  }

  bytes(source: Uint8Array, start: number = 0, end: number = source.length): void {
    assert(start >= 0 && start <= end && end <= source.length, 'byte range outside its source');
    this.reserve(end - start);
    this.buffer.set(
      start === 0 && end === source.length ? source : source.subarray(start, end),
      this.length,
    );
    this.length += end - start;
  }

  /** An Int32 length and the bytes; null is length -1, as everywhere in the protocol. */
  value(value: Uint8Array | null): void {
    if (value === null) {
      this.int32(-1);
      return;
    }
    this.int32(value.length);
    this.bytes(value);
  }

  /** The same for a text: its length in bytes is filled in once it is known. */
  textValue(text: string | null): void {
    this.int32(-1);
    if (text === null) return;
    const start = this.length;
    this.text(text);
    this.buffer.writeInt32BE(this.length - start, start - 4);
  }

  /** The written bytes as an exact-size copy that belongs to the caller; the writer is empty. */
  take(): Buffer {
    assert(this.lengthAt === NO_MESSAGE, 'a message is still open');
    const taken = Buffer.allocUnsafeSlow(this.length);
    this.buffer.copy(taken, 0, 0, this.length);
    this.reset();
    return taken;
  }

  /** Forgets what was written, an open message included. */
  reset(): void {
    this.length = 0;
    this.lengthAt = NO_MESSAGE;
    if (this.buffer.length > WRITER_BYTES_KEPT_MAX) {
      this.buffer = Buffer.allocUnsafeSlow(WRITER_BYTES_INITIAL);
    }
  }

  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    let size = this.buffer.length * 2;
    while (size < needed) size *= 2;
    const grown = Buffer.allocUnsafeSlow(size);
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}
