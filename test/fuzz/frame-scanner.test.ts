/**
 * The frame scanner must not care where chunks begin and end. Every conversation is walked once by
 * an oracle that sees the whole stream and is too simple to be wrong, and then by the scanner, cut
 * at every byte, at every pair of bytes, and at random; whatever the sink answers, it must see the
 * same messages and the peer must get the same bytes.
 */
import { describe, expect, test } from 'vitest';
import { ProtocolViolation } from '../../src/errors/protocol-violation.ts';
import { Backend, Frontend } from '../../src/wire/codes.ts';
import { FrameScanner, type FrameSink, Interest, Scan } from '../../src/wire/frame-scanner.ts';
import * as interests from '../../src/wire/interest.ts';
import { HEAD_BYTES, PEEKED_BODY_BYTES_MAX } from '../../src/wire/limits.ts';
import { conversations } from '../support/conversations.ts';
import { fuzzSeed, Random } from '../support/random.ts';

const LENGTH_MAX = 1 << 26;
/** Every pair of cuts costs the square of the length. */
const PAIR_BYTES_MAX = 150;
/** Above this, cutting at every byte is left to the places where something can go wrong. */
const EVERY_BYTE_MAX = 8_000;

/** Answers for the n-th message shown; Stop is the harness's own, on top of these. */
type Policy = (code: number, index: number) => Scan;

interface Outcome {
  /** One line per message shown: code, length in all, bytes shown. */
  readonly messages: string[];
  /** Bytes that had left before each message, where the sink asked for them to leave. */
  readonly leftBefore: number[];
  readonly forwarded: Buffer;
  readonly violation: string | null;
}

/** What a sink does besides answering: nothing, flush before or through each, stop at some. */
const Behaviour = { Plain: 0, FlushBefore: 1, Stop: 2, FlushThrough: 3 } as const;
type Behaviour = (typeof Behaviour)[keyof typeof Behaviour];

class RecordingSink implements FrameSink {
  scanner: FrameScanner | null = null;
  readonly messages: string[] = [];
  readonly leftBefore: number[] = [];
  readonly runs: Buffer[] = [];
  forwardedBytes = 0;
  readonly policy: Policy;
  readonly behaviour: Behaviour;
  #stoppedAt = -1;

  constructor(policy: Policy, behaviour: Behaviour) {
    this.policy = policy;
    this.behaviour = behaviour;
  }

  forward(chunk: Buffer, start: number, end: number): void {
    if (start >= end || end > chunk.length) throw new Error(`run ${start} to ${end}`);
    this.runs.push(chunk.subarray(start, end));
    this.forwardedBytes += end - start;
  }

  message(code: number, buffer: Buffer, start: number, end: number, total: number): Scan {
    const index = this.messages.length;
    if (this.behaviour === Behaviour.Stop && index % 3 === 0 && this.#stoppedAt !== index) {
      this.#stoppedAt = index;
      return Scan.Stop;
    }
    const answer = this.policy(code, index);
    this.messages.push(shown(code, buffer, start, end, total));
    if (this.behaviour === Behaviour.FlushBefore) this.scanner?.flushBefore();
    if (this.behaviour === Behaviour.FlushThrough && answer === Scan.Keep) {
      this.scanner?.flushThrough();
    }
    const asked =
      this.behaviour === Behaviour.FlushBefore || this.behaviour === Behaviour.FlushThrough;
    this.leftBefore.push(asked && answer === Scan.Keep ? this.forwardedBytes : -1);
    return answer;
  }
}

function shown(code: number, buffer: Buffer, start: number, end: number, total: number): string {
  return `${String.fromCharCode(code)} ${total} ${buffer.toString('hex', start, end)}`;
}

function scanned(
  stream: Buffer,
  cuts: readonly number[],
  interest: Uint8Array,
  policy: Policy,
  behaviour: Behaviour,
): Outcome {
  const sink = new RecordingSink(policy, behaviour);
  const scanner = new FrameScanner(sink, interest, LENGTH_MAX);
  sink.scanner = scanner;
  let violation: string | null = null;
  let from = 0;
  try {
    for (const cut of [...cuts, stream.length]) {
      // A copy, as a socket's chunks are: nothing of the neighbours is within reach.
      scanner.scan(Buffer.from(stream.subarray(from, cut)));
      while (scanner.stopped) scanner.resume();
      from = cut;
    }
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error;
    violation = error.message;
  }
  return {
    messages: sink.messages,
    leftBefore: sink.leftBefore,
    forwarded: Buffer.concat(sink.runs),
    violation,
  };
}

/** The same by a loop over the whole stream. */
function oracle(
  stream: Buffer,
  interest: Uint8Array,
  policy: Policy,
  behaviour: Behaviour,
): Outcome {
  const messages: string[] = [];
  const leftBefore: number[] = [];
  const parts: Buffer[] = [];
  let left = 0;
  const pass = (start: number, end: number) => {
    parts.push(stream.subarray(start, end));
    left += end - start;
  };
  let violation: string | null = null;
  let at = 0;
  while (at + 5 <= stream.length) {
    const code = stream[at] as number;
    const length = stream.readInt32BE(at + 1);
    const kind = interest[code];
    if (kind === Interest.Refuse || length < 4 || length > LENGTH_MAX) {
      violation = 'refused';
      break;
    }
    const end = Math.min(at + 1 + length, stream.length);
    if (kind === Interest.Forward) pass(at, end);
    if (kind === Interest.Peek) {
      const total = length + 1;
      const head = total > PEEKED_BODY_BYTES_MAX ? HEAD_BYTES : total;
      if (at + head > stream.length) break;
      const answer = policy(code, messages.length);
      messages.push(shown(code, stream, at, at + head, total));
      let before = -1;
      if (answer === Scan.Keep && behaviour === Behaviour.FlushBefore) before = left;
      if (answer === Scan.Keep && behaviour === Behaviour.FlushThrough) before = left + head;
      leftBefore.push(before);
      if (answer === Scan.Keep) pass(at, end);
      if (answer === Scan.Rest) pass(at + head, end);
    }
    at = end;
  }
  return { messages, leftBefore, forwarded: Buffer.concat(parts), violation };
}

function peekAllBut(forward: readonly number[], skip: readonly number[]): Uint8Array {
  const table = new Uint8Array(256).fill(Interest.Peek);
  for (const code of forward) table[code] = Interest.Forward;
  for (const code of skip) table[code] = Interest.Skip;
  return table;
}

const tables: readonly Uint8Array[] = [
  peekAllBut([Backend.DataRow, Backend.CopyData, Backend.RowDescription], []),
  peekAllBut([], [Backend.NoticeResponse, Frontend.Describe, Backend.CopyData]),
  new Uint8Array(256).fill(Interest.Forward),
  new Uint8Array(256).fill(Interest.Skip),
];

const policies: readonly Policy[] = [
  () => Scan.Keep,
  () => Scan.Drop,
  () => Scan.Rest,
  (code, index) => ((code + index) % 3) as Scan,
];

const behaviours = Object.values(Behaviour);

function expectSame(outcome: Outcome, expected: Outcome, what: string): void {
  expect(outcome.messages, what).toEqual(expected.messages);
  expect(outcome.leftBefore, what).toEqual(expected.leftBefore);
  expect(outcome.forwarded.equals(expected.forwarded), `${what}: forwarded bytes`).toBe(true);
  expect(outcome.violation, what).toBe(expected.violation);
}

/** Around each message's beginning, header's end, head's end and end. */
function placesThatMatter(stream: Buffer): number[] {
  const places = new Set<number>();
  for (let at = 0; at < stream.length; at += 1 + stream.readInt32BE(at + 1)) {
    for (const base of [at, at + 5, at + HEAD_BYTES]) {
      for (const place of [base - 1, base, base + 1]) {
        if (place > 0 && place < stream.length) places.add(place);
      }
    }
  }
  return [...places].sort((a, b) => a - b);
}

interface Stream {
  readonly name: string;
  readonly bytes: Buffer;
}

const streams: readonly Stream[] = conversations.flatMap((conversation) => {
  // What a server says to a client of protocol 2 has no frames.
  const both = [{ name: `${conversation.name}, client`, bytes: conversation.frontend }];
  if (conversation.name !== 'protocol 2') {
    both.push({ name: `${conversation.name}, server`, bytes: conversation.backend });
  }
  return both.filter((stream) => stream.bytes.length > 0);
});

const seed = fuzzSeed();

test('there are streams of both directions', () => {
  expect(streams.length).toBeGreaterThan(16);
});

describe.each(streams)('$name', ({ bytes }) => {
  const every = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
  const single = bytes.length <= EVERY_BYTE_MAX ? every : placesThatMatter(bytes);

  test('is the same cut at any one byte', { timeout: 30_000 }, () => {
    const interest = tables[0] as Uint8Array;
    for (const behaviour of behaviours) {
      const policy = policies[3] as Policy;
      const expected = oracle(bytes, interest, policy, behaviour);
      for (const cut of single) {
        const outcome = scanned(bytes, [cut], interest, policy, behaviour);
        expectSame(outcome, expected, `cut at ${cut}, behaviour ${behaviour}`);
      }
    }
  });

  test('is the same byte by byte, whatever the sink answers', () => {
    const cuts = bytes.length <= EVERY_BYTE_MAX ? every : single;
    for (const interest of tables) {
      for (const policy of policies) {
        for (const behaviour of behaviours) {
          const expected = oracle(bytes, interest, policy, behaviour);
          const what = `table ${tables.indexOf(interest)}, policy ${policies.indexOf(policy)}`;
          expectSame(scanned(bytes, [], interest, policy, behaviour), expected, what);
          expectSame(scanned(bytes, cuts, interest, policy, behaviour), expected, what);
        }
      }
    }
  });

  if (bytes.length <= PAIR_BYTES_MAX) {
    test('is the same cut at any two bytes', { timeout: 30_000 }, () => {
      const interest = tables[0] as Uint8Array;
      const policy = policies[0] as Policy;
      const expected = oracle(bytes, interest, policy, Behaviour.Stop);
      for (let a = 1; a < bytes.length; a++) {
        for (let b = a + 1; b < bytes.length; b++) {
          const outcome = scanned(bytes, [a, b], interest, policy, Behaviour.Stop);
          expectSame(outcome, expected, `cut at ${a} and ${b}`);
        }
      }
    });
  }

  test(`is the same cut at random (seed ${seed})`, () => {
    const random = new Random(seed);
    for (let round = 0; round < 60; round++) {
      const interest = tables[random.below(tables.length)] as Uint8Array;
      const policy = policies[random.below(policies.length)] as Policy;
      const behaviour = behaviours[random.below(behaviours.length)] as Behaviour;
      const cuts = random.cuts(bytes.length, 1 + random.below(40));
      const expected = oracle(bytes, interest, policy, behaviour);
      const outcome = scanned(bytes, cuts, interest, policy, behaviour);
      expectSame(outcome, expected, `round ${round}: cut at ${cuts}`);
    }
  });

  test(`changed bytes cause events or a violation, nothing else (seed ${seed})`, () => {
    const random = new Random(seed);
    const all = [...tables, ...Object.values(interests)];
    for (let round = 0; round < 150; round++) {
      const interest = all[random.below(all.length)] as Uint8Array;
      const policy = policies[random.below(policies.length)] as Policy;
      const mutated = random.mutate(bytes, 1 + random.below(8));
      const cuts = random.cuts(mutated.length, random.below(10));
      const expected = oracle(mutated, interest, policy, Behaviour.Plain);
      const outcome = scanned(mutated, cuts, interest, policy, Behaviour.Plain);
      expect(outcome.messages, `round ${round}`).toEqual(expected.messages);
      expect(outcome.violation === null, `round ${round}`).toBe(expected.violation === null);
      // A violation stops the link: what was still in the run of that chunk does not leave.
      const length = outcome.forwarded.length;
      if (outcome.violation === null) expect(length).toBe(expected.forwarded.length);
      expect(outcome.forwarded.equals(expected.forwarded.subarray(0, length))).toBe(true);
    }
  });
});
