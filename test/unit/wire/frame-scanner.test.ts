import { describe, expect, test } from 'vitest';
import { ProtocolViolation } from '../../../src/errors/protocol-violation.ts';
import { AssertionFailed } from '../../../src/util/assert.ts';
import { Backend } from '../../../src/wire/codes.ts';
import { FrameScanner, type FrameSink, Interest, Scan } from '../../../src/wire/frame-scanner.ts';
import { HEAD_BYTES } from '../../../src/wire/limits.ts';

interface Run {
  readonly chunk: Buffer;
  readonly start: number;
  readonly end: number;
}

interface Shown {
  readonly code: string;
  readonly buffer: Buffer;
  readonly bytes: number;
  readonly total: number;
}

/** Writes down what it is told and answers what the test wants. */
class Sink implements FrameSink {
  readonly runs: Run[] = [];
  readonly shown: Shown[] = [];
  answer: (code: string) => Scan = () => Scan.Keep;

  forward(chunk: Buffer, start: number, end: number): void {
    this.runs.push({ chunk, start, end });
  }

  message(code: number, buffer: Buffer, start: number, end: number, total: number): Scan {
    const letter = String.fromCharCode(code);
    this.shown.push({ code: letter, buffer, bytes: end - start, total });
    return this.answer(letter);
  }

  get codes(): string {
    return this.shown.map((shown) => shown.code).join('');
  }

  get forwarded(): string {
    return this.runs.map((run) => run.chunk.toString('latin1', run.start, run.end)).join('');
  }
}

/** DataRow and CopyData pass unseen, `N` is dropped unseen, `x` is not allowed. */
const interest = new Uint8Array(256).fill(Interest.Peek);
interest[Backend.DataRow] = Interest.Forward;
interest[Backend.CopyData] = Interest.Forward;
interest[Backend.NoticeResponse] = Interest.Skip;
interest[0x78] = Interest.Refuse;

function setUp(): { sink: Sink; scanner: FrameScanner } {
  const sink = new Sink();
  return { sink, scanner: new FrameScanner(sink, interest, 1 << 20) };
}

function message(code: string, body = ''): Buffer {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write(`${code}\0\0\0\0${body}`, 'latin1');
  bytes.writeInt32BE(4 + body.length, 1);
  return bytes;
}

function chunkOf(...messages: readonly Buffer[]): Buffer {
  return Buffer.concat(messages);
}

describe('runs', () => {
  test('a chunk whose messages are all kept leaves as the one run it is', () => {
    const { sink, scanner } = setUp();
    const chunk = chunkOf(message('T', 'x'), message('D', 'abc'), message('C'), message('Z', 'I'));
    scanner.scan(chunk);
    expect(sink.codes).toBe('TCZ');
    expect(sink.runs).toEqual([{ chunk, start: 0, end: chunk.length }]);
    expect(sink.runs[0]?.chunk).toBe(chunk);
    expect(sink.shown[0]?.buffer).toBe(chunk);
  });

  test('what is dropped splits the run', () => {
    const { sink, scanner } = setUp();
    sink.answer = (code) => (code === 'C' ? Scan.Drop : Scan.Keep);
    scanner.scan(chunkOf(message('D', 'a'), message('N', 'x'), message('D', 'b'), message('C')));
    expect(sink.runs).toHaveLength(2);
    expect(sink.forwarded).toBe(chunkOf(message('D', 'a'), message('D', 'b')).toString('latin1'));
  });

  test('a message that passes unseen leaves as it arrives', () => {
    const { sink, scanner } = setUp();
    const bytes = message('D', 'abcdef');
    scanner.scan(bytes.subarray(0, 7));
    expect(sink.forwarded).toBe(bytes.toString('latin1', 0, 7));
    expect(scanner.inForwardedMessage).toBe(true);
    scanner.scan(bytes.subarray(7));
    expect(sink.forwarded).toBe(bytes.toString('latin1'));
    expect(scanner.inMessage).toBe(false);
  });

  test('a split message is completed in a buffer of its own, which is what leaves', () => {
    const { sink, scanner } = setUp();
    const bytes = chunkOf(message('C', 'tag'), message('D', 'next'));
    scanner.scan(bytes.subarray(0, 3));
    expect([sink.runs.length, scanner.inMessage, scanner.inForwardedMessage]).toEqual([
      0,
      true,
      false,
    ]);
    scanner.scan(bytes.subarray(3));
    expect(sink.codes).toBe('C');
    expect(sink.forwarded).toBe(bytes.toString('latin1'));
  });

  test('flushBefore and flushThrough let bytes of our own stand at their place', () => {
    for (const through of [false, true]) {
      const { sink, scanner } = setUp();
      const before = chunkOf(message('D', 'a'));
      const chunk = chunkOf(before, message('C', 'tag'), message('D', 'b'));
      let left = -1;
      sink.answer = () => {
        if (through) scanner.flushThrough();
        else scanner.flushBefore();
        left = sink.forwarded.length;
        return Scan.Keep;
      };
      scanner.scan(chunk);
      expect(left).toBe(before.length + (through ? message('C', 'tag').length : 0));
      expect(sink.forwarded).toBe(chunk.toString('latin1'));
    }
  });
});

describe('long messages', () => {
  const long = message('Q', 'x'.repeat(300_000));

  test.each([
    ['Keep', Scan.Keep, long.length],
    ['Drop', Scan.Drop, 0],
    ['Rest', Scan.Rest, long.length - HEAD_BYTES],
  ])('are shown by their head; %s', (_, answer, forwardedBytes) => {
    const { sink, scanner } = setUp();
    sink.answer = () => answer;
    for (let at = 0; at < long.length; at += 65_536) scanner.scan(long.subarray(at, at + 65_536));
    expect(sink.shown).toHaveLength(1);
    expect(sink.shown[0]).toMatchObject({ bytes: HEAD_BYTES, total: long.length });
    expect(sink.forwarded.length).toBe(forwardedBytes);
    expect(scanner.inMessage).toBe(false);
  });
});

describe('stop', () => {
  test('shows the same message again at resume, and nothing in between', () => {
    const { sink, scanner } = setUp();
    let stops = 1;
    sink.answer = (code) => (code === 'C' && stops-- > 0 ? Scan.Stop : Scan.Keep);
    const chunk = chunkOf(message('T'), message('C'), message('Z', 'I'));
    scanner.scan(chunk);
    expect([sink.codes, scanner.stopped]).toEqual(['TC', true]);
    expect(sink.forwarded).toBe(message('T').toString('latin1'));
    expect(() => scanner.scan(message('S'))).toThrow(AssertionFailed);
    scanner.resume();
    expect([sink.codes, scanner.stopped]).toEqual(['TCCZ', false]);
    expect(sink.forwarded).toBe(chunk.toString('latin1'));
  });

  test('keeps the chunk behind a split message', () => {
    const { sink, scanner } = setUp();
    let stops = 2;
    sink.answer = () => (stops-- > 0 ? Scan.Stop : Scan.Keep);
    const stream = chunkOf(message('C', 'tag'), message('Z', 'I'));
    scanner.scan(stream.subarray(0, 6));
    scanner.scan(stream.subarray(6));
    scanner.resume();
    scanner.resume();
    expect(sink.codes).toBe('CCCZ');
    expect(sink.forwarded).toBe(stream.toString('latin1'));
  });

  test('what is left unread can be asked for its end', () => {
    const { sink, scanner } = setUp();
    const last = message('X');
    let stops = 1;
    sink.answer = (code) => (code === 'C' && stops-- > 0 ? Scan.Stop : Scan.Keep);
    expect(scanner.heldEndsWith(last)).toBe(false);
    scanner.scan(Buffer.concat([message('T'), message('C', 'c'), last]));
    expect(scanner.heldEndsWith(last)).toBe(true);
    expect(scanner.heldEndsWith(message('X', 'longer than what is held'))).toBe(false);
    scanner.resume();
    expect(scanner.heldEndsWith(last)).toBe(false);
  });
});

describe('in the middle of a chunk', () => {
  test('the owner may close', () => {
    const { sink, scanner } = setUp();
    sink.answer = (code) => {
      if (code === 'C') scanner.close();
      return Scan.Keep;
    };
    scanner.scan(chunkOf(message('T'), message('C'), message('Z', 'I')));
    scanner.scan(message('Z', 'I'));
    expect(sink.codes).toBe('TC');
  });

  test('the owner may change what is of interest', () => {
    const { sink, scanner } = setUp();
    const copying = Uint8Array.from(interest);
    copying[0x53] = Interest.Forward;
    sink.answer = () => {
      scanner.interest = copying;
      return Scan.Keep;
    };
    scanner.scan(chunkOf(message('S'), message('S'), message('S')));
    expect(sink.codes).toBe('S');
    expect(sink.forwarded.length).toBe(15);
  });
});

describe('limits, before anything is kept', () => {
  test.each([
    ['a length below 4', '4300000003', 'the invalid length 3'],
    ['a negative length', '43ffffffff', 'the invalid length -1'],
    ['a length above the limit', '4300100001', 'the invalid length 1048577'],
    ['a message that is not allowed now', '7800000004', 'unexpected message type 0x78'],
  ])('%s', (_, hex, text) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(() => setUp().scanner.scan(bytes)).toThrow(ProtocolViolation);
    expect(() => setUp().scanner.scan(bytes)).toThrow(text);
    const split = setUp();
    split.scanner.scan(bytes.subarray(0, 2));
    expect(() => split.scanner.scan(bytes.subarray(2))).toThrow(text);
  });
});
