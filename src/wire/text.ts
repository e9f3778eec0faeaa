/**
 * Bytes to strings and back without losing any.
 *
 * A client says in `client_encoding` how its texts are encoded, and it need not be UTF-8. Decoding
 * such bytes as UTF-8 would turn every foreign byte into the same U+FFFD, and two different
 * statements would become equal strings: a prepared statement found by its text would run somebody
 * else's. So bytes that are not valid UTF-8 become lone surrogates, one per byte (0xE9 → U+DCE9, as
 * in Python's PEP 383), and are written back as the same bytes. Valid UTF-8 never contains a lone
 * surrogate, so different bytes are always different strings.
 *
 * The lexer may read the result as it reads any text: a foreign byte is "some letter". That holds
 * for every encoding whose non-ASCII characters consist of bytes above 0x7F. The others a client
 * may choose (SJIS, BIG5, GBK, UHC, GB18030, JOHAB, SHIFT_JIS_2004) hide quotes and backslashes in
 * second bytes: whoever reads SQL must not trust its boundaries under those.
 *
 * Rejected: decoding everything as Latin-1, which is lossless too, but then every log line, name
 * and comparison with the configuration would need a second decoding that somebody will forget.
 */
import { isUtf8 } from 'node:buffer';

const ESCAPE = 0xdc00;
const REPLACEMENT = '\uFFFD';

/** The text of bytes [start, end); an independent string, the bytes are not kept. */
export function decodeText(buffer: Buffer, start: number, end: number): string {
  const text = buffer.toString('utf8', start, end);
  // Without a replacement character nothing was invalid; with one, it may be a genuine U+FFFD.
  if (!text.includes(REPLACEMENT) || isUtf8(buffer.subarray(start, end))) return text;
  return decodeForeign(buffer, start, end);
}

/** Whether `decodeText` found bytes that are not UTF-8. Show such texts with `showText`. */
export function isForeign(text: string): boolean {
  return !text.isWellFormed();
}

/** For people and logs: each marked byte becomes U+FFFD, so that the text is valid everywhere. */
export function showText(text: string): string {
  return text.toWellFormed();
}

/**
 * Writes `text` at `offset` and returns the bytes written. The caller has made room for three
 * bytes per UTF-16 unit, the most there can be.
 */
export function writeText(buffer: Buffer, offset: number, text: string): number {
  if (text.isWellFormed()) return buffer.write(text, offset, 'utf8');
  return writeForeign(buffer, offset, text);
}

/** How many bytes `writeText` would write. */
export function textBytes(text: string): number {
  if (text.isWellFormed()) return Buffer.byteLength(text, 'utf8');
  return writeForeign(Buffer.allocUnsafe(text.length * 3), 0, text);
}

/** Every byte above 0x7F is marked, also where some of them would happen to be valid UTF-8. */
function decodeForeign(buffer: Buffer, start: number, end: number): string {
  const parts: string[] = [];
  const units: number[] = [];
  for (let offset = start; offset < end; offset++) {
    const byte = buffer[offset] as number;
    units.push(byte < 0x80 ? byte : ESCAPE | byte);
    // The spread below is an argument list; 4096 stays far under what a call accepts.
    if (units.length === 4096) parts.push(String.fromCharCode(...units.splice(0)));
  }
  parts.push(String.fromCharCode(...units));
  return parts.join('');
}

function writeForeign(buffer: Buffer, offset: number, text: string): number {
  let at = offset;
  let runStart = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      // The first half of a pair: the second half is a character, not a mark.
      const next = text.charCodeAt(index + 1);
      if (next >= 0xdc00 && next <= 0xdfff) index++;
      continue;
    }
    if (unit < (ESCAPE | 0x80) || unit > (ESCAPE | 0xff)) continue;
    at += buffer.write(text.slice(runStart, index), at, 'utf8');
    buffer[at++] = unit & 0xff;
    runStart = index + 1;
  }
  at += buffer.write(text.slice(runStart), at, 'utf8');
  return at - offset;
}
