import { describe, expect, test } from 'vitest';
import { decodeText, isForeign, showText, textBytes, writeText } from '../../../src/wire/text.ts';

function decode(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes);
  return decodeText(buffer, 0, buffer.length);
}

function encode(text: string): Buffer {
  const buffer = Buffer.alloc(text.length * 3);
  return buffer.subarray(0, writeText(buffer, 0, text));
}

describe('text', () => {
  test.each(['', 'select 1', 'grüße', '日本語', '😀 emoji', 'a real \uFFFD'])(
    '%j is itself',
    (text) => {
      const bytes = Buffer.from(text, 'utf8');
      expect(decode(bytes)).toBe(text);
      expect(isForeign(text)).toBe(false);
      expect(encode(text).equals(bytes)).toBe(true);
      expect(textBytes(text)).toBe(bytes.length);
    },
  );

  test('different foreign bytes are different strings', () => {
    const acute = decode(Buffer.from("select 'caf\u00e9'", 'latin1'));
    const grave = decode(Buffer.from("select 'caf\u00e8'", 'latin1'));
    expect(acute).not.toBe(grave);
    expect(isForeign(acute)).toBe(true);
    expect(showText(acute)).toBe("select 'caf\uFFFD'");
    expect(acute.startsWith("select 'caf")).toBe(true);
  });

  test('every sequence of two bytes comes back as it was, and none is mistaken for another', () => {
    const seen = new Set<string>();
    for (let pair = 0; pair < 65_536; pair++) {
      const bytes = Buffer.of(pair >> 8, pair & 0xff);
      const text = decode(bytes);
      seen.add(text);
      if (!encode(text).equals(bytes)) expect.fail(`0x${pair.toString(16)} was lost`);
      if (textBytes(text) !== 2) expect.fail(`0x${pair.toString(16)} is counted wrongly`);
    }
    expect(seen.size).toBe(65_536);
  });

  test('foreign bytes, text and characters beyond the first plane can be mixed', () => {
    const text = `a${decode(Buffer.of(0xe9, 0x80))}😀z`;
    expect(encode(text).toString('hex')).toBe('61e980f09f98807a');
  });

  test('a long foreign text survives being decoded in pieces', () => {
    const bytes = Buffer.alloc(20_001, 0xe9);
    bytes[0] = 0x20;
    expect(encode(decode(bytes)).equals(bytes)).toBe(true);
  });

  test('a lone half of a pair, which no decoding makes, is written as a replacement', () => {
    expect(encode('x\ud83d').toString('hex')).toBe('78efbfbd');
  });
});
