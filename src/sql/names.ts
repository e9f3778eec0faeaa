/** Names as the server understands them: folded, unquoted, cut to length. */
import type { Lexer } from './lexer.ts';
import { IDENTIFIER_BYTES_MAX } from './limits.ts';
import { Token } from './tokens.ts';
import { type Word, wordOf } from './words.ts';

/**
 * The name the current token stands for, or null when it is none, or one whose letters are hidden
 * behind Unicode escapes. Only ASCII is folded, as in every multi-byte encoding (scansup.c).
 */
export function nameAt(lexer: Lexer): string | null {
  if (lexer.token === Token.Word) {
    return truncate(lexer.text.slice(lexer.start, lexer.end).replace(/[A-Z]+/g, lower));
  }
  if (lexer.token === Token.QuotedName) {
    return truncate(lexer.text.slice(lexer.start + 1, lexer.end - 1).replaceAll('""', '"'));
  }
  return null;
}

function lower(letters: string): string {
  return letters.toLowerCase();
}

/** Cuts to 63 bytes of UTF-8 without splitting a character (pg_mbcliplen). */
function truncate(name: string): string {
  if (name.length * 3 <= IDENTIFIER_BYTES_MAX) return name;
  let bytes = 0;
  let end = 0;
  for (const char of name) {
    bytes += Buffer.byteLength(char);
    if (bytes > IDENTIFIER_BYTES_MAX) return name.slice(0, end);
    end += char.length;
  }
  return name;
}

/** Which of our words the name at the current token is, quoted or not. */
export function wordOfName(lexer: Lexer): Word {
  if (lexer.token !== Token.QuotedName) return lexer.word;
  return wordOf(lexer.text.slice(lexer.start + 1, lexer.end - 1));
}
