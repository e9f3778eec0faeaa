import { describe, expect, test } from 'vitest';
import { AssertionFailed } from '../../../src/util/assert.ts';
import { WRITER_BYTES_INITIAL, WRITER_BYTES_KEPT_MAX } from '../../../src/wire/limits.ts';
import { Writer } from '../../../src/wire/writer.ts';

describe('Writer', () => {
  test('puts several messages one behind the other', () => {
    const writer = new Writer();
    writer.begin(0x51);
    writer.cstring('ü');
    writer.end();
    writer.begin(0x53);
    writer.end();
    expect(writer.take().toString('hex')).toBe('5100000007c3bc005300000004');
    expect(writer.length).toBe(0);
  });

  test('leaves out the code byte of the startup family', () => {
    const writer = new Writer();
    writer.beginUntyped();
    writer.int32(80_877_103);
    writer.end();
    expect(writer.take().toString('hex')).toBe('0000000804d2162f');
  });

  test('writes signed and unsigned numbers by their low bits', () => {
    const writer = new Writer();
    writer.int8(255);
    writer.int16(-1);
    writer.int16(65_535);
    writer.int32(-2);
    writer.int32(4_294_967_294);
    expect(writer.take().toString('hex')).toBe('fffffffffffffffffefffffffe');
  });

  test('grows by what is needed, and gives much memory back', () => {
    const writer = new Writer(1);
    const bytes = Buffer.alloc(WRITER_BYTES_KEPT_MAX + 1, 7);
    writer.begin(0x64);
    writer.bytes(bytes);
    writer.end();
    const taken = writer.take();
    expect(taken.subarray(5).equals(bytes)).toBe(true);
    expect(writer.buffer.length).toBe(WRITER_BYTES_INITIAL);
  });

  test('takes an exact-size copy that later writing does not change', () => {
    const writer = new Writer();
    writer.text('first');
    const taken = writer.take();
    writer.text('other');
    expect(taken.toString()).toBe('first');
    expect(taken.buffer.byteLength).toBe(5);
  });

  test('copies a part of a source', () => {
    const writer = new Writer();
    writer.bytes(Buffer.from('abcdef'), 2, 4);
    expect(writer.take().toString()).toBe('cd');
  });

  test('counts the length of texts in bytes', () => {
    const writer = new Writer();
    writer.textValue('€');
    writer.textValue(null);
    writer.value(Buffer.alloc(0));
    expect(writer.take().toString('hex')).toBe('00000003e282acffffffff00000000');
  });

  test('announces bytes somebody else will send', () => {
    const writer = new Writer();
    writer.begin(0x42);
    writer.cstring('x');
    writer.endWith(1_000);
    expect(writer.take().readInt32BE(1)).toBe(4 + 2 + 1_000);
  });

  test.each<[string, (writer: Writer) => void]>([
    ['a message inside a message', (writer) => opened(writer).begin(0x51)],
    ['an end without a beginning', (writer) => writer.end()],
    ['taking with a message open', (writer) => opened(writer).take()],
    ['a zero inside a string', (writer) => writer.cstring('a\0b')],
    ['a range outside its source', (writer) => writer.bytes(Buffer.alloc(2), 1, 3)],
  ])('asserts against %s', (_, misuse) => {
    expect(() => misuse(new Writer())).toThrow(AssertionFailed);
  });
});

function opened(writer: Writer): Writer {
  writer.begin(0x51);
  return writer;
}
