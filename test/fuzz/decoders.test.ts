/** Bytes nobody meant: every decoder gives a value or a ProtocolViolation, and the trace a line. */
import { describe, expect, test } from 'vitest';
import { ProtocolViolation } from '../../src/errors/protocol-violation.ts';
import { decodeFirstPacket } from '../../src/wire/startup.ts';
import { Tracer } from '../../src/wire/trace.ts';
import { Writer } from '../../src/wire/writer.ts';
import { conversations, recorded } from '../support/conversations.ts';
import { fuzzSeed, Random } from '../support/random.ts';
import { samples } from '../support/wire-samples.ts';

const seed = fuzzSeed();
const ROUNDS = 400;

/** Runs `decode`; false when it refused. Anything but a violation fails the test. */
function accepts(decode: () => unknown): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    if (error instanceof ProtocolViolation) return false;
    throw error;
  }
}

describe(`with seed ${seed}`, () => {
  test.each(samples)('$name', (sample) => {
    const random = new Random(seed);
    const writer = new Writer();
    sample.encode(writer);
    const body = writer.take().subarray(5);
    let accepted = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const mutated = random.mutate(body, random.below(6));
      const end = random.below(4) === 0 ? random.below(mutated.length + 1) : mutated.length;
      if (accepts(() => sample.decode(mutated, 0, end))) accepted++;
    }
    // Some rounds change nothing, so a decoder that refuses all is broken as well.
    expect(accepted).toBeGreaterThan(0);
  });

  test('first packets', () => {
    const random = new Random(seed);
    const packets = recorded.flatMap((conversation) => conversation.firstPackets);
    let accepted = 0;
    for (let round = 0; round < ROUNDS * 10; round++) {
      const packet = packets[round % packets.length] as Buffer;
      const mutated = random.mutate(packet, random.below(4));
      if (accepts(() => decodeFirstPacket(mutated, 0, mutated.length))) accepted++;
    }
    expect(accepted).toBeGreaterThan(0);
  });

  test('the trace never throws, and has one line per message', () => {
    const random = new Random(seed);
    for (const conversation of conversations) {
      for (let round = 0; round < 20; round++) {
        const tracer = new Tracer({ redact: round % 2 === 0, regress: round % 3 === 0 });
        for (const direction of ['F', 'B'] as const) {
          const bytes = direction === 'F' ? conversation.frontend : conversation.backend;
          if (bytes.length > 10_000) continue;
          const lines = tracer.stream(direction, random.mutate(bytes, random.below(20)));
          expect(lines.filter((line) => /[\n\r]/.test(line))).toEqual([]);
        }
        for (const packet of conversation.firstPackets) {
          const mutated = random.mutate(packet, random.below(6));
          expect(tracer.firstPacket(mutated, 0, mutated.length)).toMatch(/^F\t\d+\t[^\n\r]+$/);
        }
      }
    }
  });
});
