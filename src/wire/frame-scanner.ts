/**
 * Walks the message boundaries of one direction of one connection, without I/O and without
 * decoding. It decides per message, by one array read, whether the message is passed on unseen,
 * shown to the sink, or dropped; neighbouring bytes that are passed on leave as one run.
 *
 *     0 ......... runStart ......... messageStart ....... messageEnd ......... buffer end
 *       given to    to be given to      the message shown    not looked at
 *       the sink    the sink as one     to the sink now      yet
 *                   run
 *
 * Guarantees:
 *  - FORWARD messages are never completed, copied or kept: what has arrived goes on at once.
 *  - A PEEK message is shown whole. It is copied only when it is split over chunks, and then
 *    exactly once, into a buffer of its own that the sink may forward.
 *  - A PEEK message above `PEEKED_BODY_BYTES_MAX` is shown by its head only, and its body streams.
 *  - A length below 4 or above the limit, or a code that is not expected now, throws
 *    ProtocolViolation before anything is allocated for it; what came before it has been handed on.
 *  - The sink hears of bytes in the order of the stream. Whoever wants to write bytes of its own
 *    between them calls `flushBefore` or `flushThrough` first.
 *
 * Between chunks it holds nothing but a split message, or what a `Stop` left unread.
 *
 * Budget: no allocation per message; one per message that is split over chunks.
 * Bench: bench/micro/frame-scanner.bench.ts
 */
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { assert } from '../util/assert.ts';
import { HEAD_BYTES, HEADER_BYTES, MESSAGE_LENGTH_MIN, PEEKED_BODY_BYTES_MAX } from './limits.ts';

/** What to do with a message, by its code. The tables are in `interest.ts`. */
export const Interest = {
  /** Not allowed in this phase: a protocol violation. */
  Refuse: 0,
  /** Passed on without being looked at. */
  Forward: 1,
  /** Shown to the sink, which decides. */
  Peek: 2,
  /** Dropped without being looked at. */
  Skip: 3,
} as const;

export const Scan = {
  /** Pass the message on; with the head of a long one, its rest too. */
  Keep: 0,
  /** Do not pass it on; with the head of a long one, its rest neither. */
  Drop: 1,
  /** The sink has dealt with the bytes it was shown; the rest of a long message is passed on. */
  Rest: 2,
  /** Look at nothing further; this message is shown again at `resume`. */
  Stop: 3,
} as const;
export type Scan = (typeof Scan)[keyof typeof Scan];

export interface FrameSink {
  /** Bytes `[start, end)` go to the peer. Borrowed until return; copy what you keep. */
  forward(chunk: Buffer, start: number, end: number): void;
  /**
   * One message: `[start, end)` with its five header bytes. `end - start === total` unless it is
   * a long message, of which only the head is shown. Borrowed until return; copy what you keep.
   */
  message(code: number, buffer: Buffer, start: number, end: number, total: number): Scan;
}

export class FrameScanner {
  /** Indexed by message code; the owner switches tables by assigning this field. */
  interest: Uint8Array;
  /** The longest message accepted, in bytes, its code byte not counted (as the wire counts). */
  lengthMax: number;
  /** Set by `close`: nothing more is looked at, even in the middle of a chunk. */
  closed: boolean;
  /** A `Stop` was answered and `resume` has not been called. */
  stopped: boolean;
  readonly #sink: FrameSink;

  // The buffer being walked.
  #buffer: Buffer;
  #runStart: number;
  #messageStart: number;
  #messageEnd: number;

  /** The beginning of a split message: its header, or as much of a PEEK message as has come. */
  #carry: Buffer | null;
  #carryLength: number;
  /** How many bytes of the message under way are still to stream, and where they go. */
  #streamBytes: number;
  #streamForward: boolean;

  // What a Stop left: a carried message that was shown, and the chunk behind it.
  #heldCarry: Buffer | null;
  #heldChunk: Buffer | null;
  #heldOffset: number;
  /** What is being walked is such a leftover, and needs no second copy. */
  #owned: boolean;

  constructor(sink: FrameSink, interest: Uint8Array, lengthMax: number) {
    this.interest = interest;
    this.lengthMax = lengthMax;
    this.closed = false;
    this.stopped = false;
    this.#sink = sink;
    this.#buffer = NOTHING;
    this.#runStart = 0;
    this.#messageStart = 0;
    this.#messageEnd = 0;
    this.#carry = null;
    this.#carryLength = 0;
    this.#streamBytes = 0;
    this.#streamForward = false;
    this.#heldCarry = null;
    this.#heldChunk = null;
    this.#heldOffset = 0;
    this.#owned = false;
  }

  /** Whether a message has begun whose last byte has not been seen. */
  get inMessage(): boolean {
    return this.#carry !== null || this.#streamBytes > 0;
  }

  /** Whether part of a message has been passed on and the rest has not arrived. */
  get inForwardedMessage(): boolean {
    return this.#streamBytes > 0 && this.#streamForward;
  }

  /** Whether these bytes are the last of what a `Stop` has left unread. */
  heldEndsWith(bytes: Buffer): boolean {
    const chunk = this.#heldChunk;
    if (chunk === null || chunk.length - this.#heldOffset < bytes.length) return false;
    return chunk.compare(bytes, 0, bytes.length, chunk.length - bytes.length) === 0;
  }

  /** Takes the next bytes of the stream; `chunk` is borrowed until return. */
  scan(chunk: Buffer): void {
    assert(!this.stopped, 'scan after stop');
    this.#owned = false;
    if (this.closed) return;
    let offset = 0;
    if (this.#carry !== null) {
      offset = this.#fillCarry(chunk, offset);
      if (offset < 0) return;
      const carry = this.#carry;
      this.#carry = null;
      if (!this.#walkCarry(carry, chunk, offset)) return;
    }
    this.#walk(chunk, offset, chunk.length);
  }

  /** Keeps a copy of bytes that came after a `Stop`; how many are kept in all. */
  keep(chunk: Buffer): number {
    assert(this.stopped, 'keep without stop');
    const held = (this.#heldChunk ?? NOTHING).subarray(this.#heldOffset);
    this.#heldChunk = Buffer.concat([held, chunk]);
    this.#heldOffset = 0;
    return this.#heldChunk.length;
  }

  /** Goes on where a `Stop` left off, showing the same message again. */
  resume(): void {
    assert(this.stopped, 'resume without stop');
    this.stopped = false;
    this.#owned = true;
    if (this.closed) return;
    const carry = this.#heldCarry;
    const chunk = this.#heldChunk as Buffer;
    const offset = this.#heldOffset;
    this.#heldCarry = null;
    this.#heldChunk = null;
    if (carry !== null && !this.#walkCarry(carry, chunk, offset)) return;
    this.#walk(chunk, offset, chunk.length);
  }

  /** Forgets everything held; the stream is over. */
  close(): void {
    this.closed = true;
    this.#carry = null;
    this.#heldCarry = null;
    this.#heldChunk = null;
    this.#buffer = NOTHING;
  }

  /** Hands the sink the run up to the message being shown, which is not part of it. */
  flushBefore(): void {
    this.#flushTo(this.#messageStart);
  }

  /** Hands the sink the run including the message being shown; answer `Keep` after this. */
  flushThrough(): void {
    this.#flushTo(this.#messageEnd);
  }

  /** Hands the sink the run before the message being shown, which goes nowhere. */
  dropThrough(): void {
    this.#flushTo(this.#messageStart);
    if (this.#runStart < this.#messageEnd) this.#runStart = this.#messageEnd;
  }

  #flushTo(end: number): void {
    const start = this.#runStart;
    if (end <= start) return;
    this.#runStart = end;
    this.#sink.forward(this.#buffer, start, end);
  }

  /** Walks a completed carry; false when the sink stopped or closed, with `chunk` held. */
  #walkCarry(carry: Buffer, chunk: Buffer, offset: number): boolean {
    this.#walk(carry, 0, carry.length);
    if (this.stopped) {
      this.#heldCarry = carry;
      this.#hold(chunk, offset);
    }
    return !this.stopped && !this.closed;
  }

  #walk(buffer: Buffer, start: number, end: number): void {
    this.#buffer = buffer;
    this.#runStart = start;
    this.#messageStart = start;
    this.#messageEnd = start;
    let position = start;
    while (position < end) {
      if (this.#streamBytes > 0) {
        position = this.#stream(position, end);
        continue;
      }
      if (end - position < HEADER_BYTES) {
        this.#stash(position, end, HEADER_BYTES);
        break;
      }
      const code = buffer[position] as number;
      const total = this.#messageTotal(buffer, position, code);
      const interest = this.interest[code] as number;
      if (interest !== Interest.Peek) {
        this.#streamBytes = total;
        this.#streamForward = interest === Interest.Forward;
        continue;
      }
      const shown = total > PEEKED_BODY_BYTES_MAX ? HEAD_BYTES : total;
      if (end - position < shown) {
        this.#stash(position, end, shown);
        break;
      }
      position = this.#show(code, buffer, position, position + shown, total);
      if (position < 0) return;
    }
    this.#flushTo(end);
    this.#buffer = NOTHING;
  }

  /** Shows one message; returns where to go on, or -1 after a stop or close. */
  #show(code: number, buffer: Buffer, start: number, end: number, total: number): number {
    this.#messageStart = start;
    this.#messageEnd = end;
    const answer = this.#sink.message(code, buffer, start, end, total);
    if (this.closed) return -1;
    if (answer === Scan.Stop) {
      this.#flushTo(start);
      this.stopped = true;
      this.#hold(buffer, start);
      this.#buffer = NOTHING;
      return -1;
    }
    if (answer !== Scan.Keep && this.#runStart < end) {
      this.#flushTo(start);
      this.#runStart = end;
    }
    this.#streamBytes = total - (end - start);
    this.#streamForward = answer !== Scan.Drop;
    return end;
  }

  /** Keeps what a stop left unread: a copy, because the chunk is only borrowed. */
  #hold(buffer: Buffer, start: number): void {
    this.#heldChunk = this.#owned ? buffer : Buffer.from(buffer.subarray(start));
    this.#heldOffset = this.#owned ? start : 0;
  }

  /** Passes on or drops the next bytes of a message that is not looked at. */
  #stream(position: number, end: number): number {
    const bytes = Math.min(this.#streamBytes, end - position);
    this.#streamBytes -= bytes;
    if (!this.#streamForward) {
      this.#flushTo(position);
      this.#runStart = position + bytes;
    }
    return position + bytes;
  }

  /** Keeps the bytes of an incomplete header or PEEK message; the run before them leaves. */
  #stash(position: number, end: number, need: number): void {
    this.#flushTo(position);
    const carry = Buffer.allocUnsafe(need);
    this.#buffer.copy(carry, 0, position, end);
    this.#carry = carry;
    this.#carryLength = end - position;
    this.#runStart = end;
  }

  /** Completes the carry from `chunk`; the new offset, or -1 when the chunk did not suffice. */
  #fillCarry(chunk: Buffer, offset: number): number {
    let position = offset;
    for (;;) {
      const carry = this.#carry as Buffer;
      const bytes = Math.min(carry.length - this.#carryLength, chunk.length - position);
      chunk.copy(carry, this.#carryLength, position, position + bytes);
      this.#carryLength += bytes;
      position += bytes;
      if (this.#carryLength < carry.length) return -1;
      const code = carry[0] as number;
      const total = this.#messageTotal(carry, 0, code);
      if (this.interest[code] !== Interest.Peek) return position;
      const need = total > PEEKED_BODY_BYTES_MAX ? HEAD_BYTES : total;
      if (carry.length >= need) return position;
      const larger = Buffer.allocUnsafe(need);
      carry.copy(larger, 0, 0, this.#carryLength);
      this.#carry = larger;
    }
  }

  #messageTotal(buffer: Buffer, position: number, code: number): number {
    const length =
      ((buffer[position + 1] as number) << 24) |
      ((buffer[position + 2] as number) << 16) |
      ((buffer[position + 3] as number) << 8) |
      (buffer[position + 4] as number);
    if (this.interest[code] === Interest.Refuse) {
      throw this.#violation(
        buffer,
        position,
        `unexpected message type 0x${code.toString(16).padStart(2, '0')}`,
      );
    }
    if (length < MESSAGE_LENGTH_MIN || length > this.lengthMax) {
      throw this.#violation(
        buffer,
        position,
        `message type 0x${code.toString(16).padStart(2, '0')} has the invalid length ${length}`,
      );
    }
    return length + 1;
  }

  /** The run before it is complete, and owed to whoever it is for. */
  #violation(buffer: Buffer, position: number, problem: string): ProtocolViolation {
    if (buffer === this.#buffer) this.#flushTo(position);
    return new ProtocolViolation(problem);
  }
}

const NOTHING = Buffer.alloc(0);
