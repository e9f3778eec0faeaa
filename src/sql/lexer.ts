/**
 * PostgreSQL's lexical rules (src/backend/parser/scan.l) in one pass over a JavaScript string.
 *
 * What it guarantees: on every text a server of version 13 or later accepts, the borders of
 * strings, quoted names, dollar quotes and comments are the server's own, so that a `;` or a word
 * is seen exactly where the server sees one. It is linear on every text, does not recurse, does
 * not throw, and allocates nothing but the tag of a dollar quote. What it cannot read (an
 * unterminated quote, a NUL, a nest past `limits.ts`) ends in `Token.Bad`; `fault` says why.
 *
 * Only ASCII decides structure: every other character belongs to an identifier, as every byte from
 * 0x80 does for the server, U+00A0 and the byte order mark included. It therefore does not matter
 * whether the text was decoded as UTF-8 or as latin1. Two settings of the session change the
 * language itself: `standard_conforming_strings` is an input; an encoding whose characters may
 * contain ASCII bytes (see `settings.ts`) cannot be lexed, and must not be brought here.
 *
 * Where versions differ, the older reading is taken: `1abc` is `1` and a name until 14 and an
 * error from 15 on, `0x1F$a$` likewise. A text that is an error does nothing, so the reading under
 * which something runs is the one that counts.
 *
 * Rejected: a generated scanner (scan.l's tables are ten times the code for rules that fit a page)
 * and libpg-query's scan(), which costs 18 times as much, answers in JSON, and differs from every
 * server in one place: it does not continue a string over a line comment.
 *
 * Budget: no allocation per token, about 20 ns per token. Bench: bench/micro/lexer.bench.ts.
 */
import { CLASS, Class, isNamePart } from './characters.ts';
import { COMMENT_DEPTH_MAX, PAREN_DEPTH_MAX, TEXT_LENGTH_MAX } from './limits.ts';
import { LexFault, Token } from './tokens.ts';
import { findWord, hashStep, Word } from './words.ts';

/**
 * `0x1F`, `0o17`, `0b11` and `1_000.0_1`, numbers since version 16. Older servers read a number and
 * a name, which makes no difference to structure as long as nothing follows that belongs to a name.
 */
const MODERN_NUMBER = new RegExp(
  [
    '(?:0[xX](?:_?[0-9a-fA-F])+',
    '|0[oO](?:_?[0-7])+',
    '|0[bB](?:_?[01])+',
    String.raw`|\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?(?:[eE][+-]?\d+(?:_\d+)*)?`,
    String.raw`)(?![\w$\u0080-\uffff])`,
  ].join(''),
  'y',
);

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x27;
const STAR = 0x2a;
const MINUS = 0x2d;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;

/** A hot record: one per reader, used again for every text. */
export class Lexer {
  text = '';
  standardConformingStrings = true;
  /** The current token, the characters `[start, end)` of the text. */
  token: number = Token.End;
  start = 0;
  end = 0;
  /** Which of our words a `Token.Word` is; `Word.None` for every other token. */
  word: Word = Word.None;
  /** Parentheses open after the current token. A `)` too many leaves it at 0. */
  depth = 0;
  fault: LexFault | null = null;

  /** Starts over with a text; the first token is read by `next()`. */
  begin(text: string, standardConformingStrings: boolean): void {
    this.text = text;
    this.standardConformingStrings = standardConformingStrings;
    this.token = Token.End;
    this.start = 0;
    this.end = 0;
    this.word = Word.None;
    this.depth = 0;
    this.fault = null;
    if (text.length > TEXT_LENGTH_MAX) this.#bad(LexFault.TooLong);
    // The protocol ends a text at its first NUL, and so does libpg-query: neither may be guessed.
    else if (text.includes('\0')) this.#bad(LexFault.NulCharacter);
  }

  /** Reads the next token and returns it. */
  next(): number {
    if (this.fault !== null) return Token.Bad;
    const text = this.text;
    const length = text.length;
    let at = this.end;
    this.word = Word.None;
    while (at < length) {
      const code = text.charCodeAt(at);
      switch (code < 128 ? CLASS[code] : Class.Name) {
        case Class.Space:
          at++;
          continue;
        case Class.Name:
          return this.#name(at, code);
        case Class.Operator: {
          const second = text.charCodeAt(at + 1);
          if (code === MINUS && second === MINUS) {
            at = this.#lineEnd(at + 2);
            continue;
          }
          if (code === SLASH && second === STAR) {
            at = this.#commentEnd(at + 2);
            if (at === -1) return Token.Bad;
            continue;
          }
          return this.#operator(at, code);
        }
        case Class.Quote:
          return this.#string(at, at + 1, !this.standardConformingStrings);
        case Class.Digit:
          return this.#number(at);
        case Class.Open:
          if (++this.depth > PAREN_DEPTH_MAX) return this.#bad(LexFault.TooDeep);
          return this.#found(Token.Open, at, at + 1);
        case Class.Close:
          if (this.depth > 0) this.depth--;
          return this.#found(Token.Close, at, at + 1);
        case Class.DoubleQuote:
          return this.#quotedName(Token.QuotedName, at, at + 1);
        case Class.Dollar:
          return this.#dollar(at);
        case Class.Dot: {
          const second = text.charCodeAt(at + 1);
          if (second >= 0x30 && second <= 0x39) return this.#number(at);
          return this.#found(Token.Dot, at, at + 1);
        }
        default:
          // Punctuation, or a character no grammar rule takes: the server will say so itself.
          return this.#found(code, at, at + 1);
      }
    }
    return this.#found(Token.End, length, length);
  }

  #found(token: number, start: number, end: number): number {
    this.token = token;
    this.start = start;
    this.end = end;
    return token;
  }

  #bad(fault: LexFault): number {
    this.fault = fault;
    this.token = Token.Bad;
    this.word = Word.None;
    return Token.Bad;
  }

  /** A word, or the letter in front of a quote that gives it its meaning. */
  #name(start: number, first: number): number {
    const text = this.text;
    const second = text.charCodeAt(start + 1);
    if (second === QUOTE) {
      const letter = first | 0x20;
      if (letter === 0x65) return this.#string(start, start + 2, true); // e
      if (letter === 0x62 || letter === 0x78) return this.#bits(start, start + 2); // b, x
      // N'...' is the word NCHAR and a plain string to the server as well: fall through.
    } else if (second === 0x26 && (first | 0x20) === 0x75) {
      const third = text.charCodeAt(start + 2);
      if (third === QUOTE) {
        if (!this.standardConformingStrings) return this.#bad(LexFault.UnsafeEscapes);
        return this.#string(start, start + 3, false);
      }
      if (third === 0x22) return this.#quotedName(Token.EscapedName, start, start + 3);
    }
    let hash = 0;
    let at = start;
    let code = first;
    while (isNamePart(code)) {
      hash = hashStep(hash, code);
      code = text.charCodeAt(++at);
    }
    this.word = findWord(text, start, at, hash);
    return this.#found(Token.Word, start, at);
  }

  #number(start: number): number {
    const text = this.text;
    let at = this.#digits(start);
    let code = text.charCodeAt(at);
    // `1..2` is 1, `..`, 2 (PL/pgSQL's ranges).
    if (code === Token.Dot && text.charCodeAt(at + 1) !== Token.Dot) {
      at = this.#digits(at + 1);
      code = text.charCodeAt(at);
    }
    if ((code | 0x20) === 0x65) {
      const sign = text.charCodeAt(at + 1);
      const digits = sign === 0x2b || sign === MINUS ? at + 2 : at + 1;
      const end = this.#digits(digits);
      if (end > digits) at = end;
    }
    if (isNamePart(text.charCodeAt(at))) {
      MODERN_NUMBER.lastIndex = start;
      if (MODERN_NUMBER.test(text)) at = Math.max(at, MODERN_NUMBER.lastIndex);
    }
    return this.#found(Token.Number, start, at);
  }

  #digits(at: number): number {
    const text = this.text;
    let code = text.charCodeAt(at);
    while (code >= 0x30 && code <= 0x39) code = text.charCodeAt(++at);
    return at;
  }

  /** Runs to the end of the operator characters, or to a comment that begins among them. */
  #operator(start: number, first: number): number {
    const text = this.text;
    let at = start + 1;
    for (;;) {
      const code = text.charCodeAt(at);
      if (!(code < 128) || CLASS[code] !== Class.Operator) break;
      const after = text.charCodeAt(at + 1);
      if (code === MINUS && after === MINUS) break;
      if (code === SLASH && after === STAR) break;
      at++;
    }
    return this.#found(at === start + 1 ? first : Token.Operator, start, at);
  }

  /** `at` is behind the opening quote. */
  #string(start: number, at: number, escapes: boolean): number {
    const text = this.text;
    for (;;) {
      const quote = escapes ? this.#escapedQuote(at) : text.indexOf("'", at);
      if (quote === -1) return this.#bad(LexFault.UnterminatedString);
      at = quote + 1;
      if (text.charCodeAt(at) === QUOTE) {
        at++;
        continue;
      }
      const continued = this.#continuation(at);
      if (continued === -1) return this.#found(Token.String, start, at);
      at = continued;
    }
  }

  /** The next quote that no backslash stands before. */
  #escapedQuote(at: number): number {
    const text = this.text;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) return at;
      if (code === BACKSLASH) at++;
    }
    return -1;
  }

  /** B'' and X'': a doubled quote ends one string and begins another. */
  #bits(start: number, at: number): number {
    for (;;) {
      const quote = this.text.indexOf("'", at);
      if (quote === -1) return this.#bad(LexFault.UnterminatedString);
      const continued = this.#continuation(quote + 1);
      if (continued === -1) return this.#found(Token.String, start, quote + 1);
      at = continued;
    }
  }

  /**
   * A string goes on if nothing but white space with a newline in it, and line comments, stand
   * between its end and another quote. Returns the place behind that quote, or -1. What it looks
   * at in vain is looked at once more as white space, so the pass stays linear.
   */
  #continuation(at: number): number {
    const text = this.text;
    let newline = false;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE || code === RETURN) newline = true;
      else if (code === MINUS && text.charCodeAt(at + 1) === MINUS) {
        at = this.#lineEnd(at + 2);
        continue;
      } else if (!(code < 128) || CLASS[code] !== Class.Space) {
        return newline && code === QUOTE ? at + 1 : -1;
      }
      at++;
    }
  }

  #quotedName(token: number, start: number, at: number): number {
    const text = this.text;
    const first = at;
    for (;;) {
      const quote = text.indexOf('"', at);
      if (quote === -1) return this.#bad(LexFault.UnterminatedName);
      at = quote + 1;
      if (text.charCodeAt(at) === 0x22) {
        at++;
        continue;
      }
      if (quote === first) return this.#bad(LexFault.EmptyName);
      return this.#found(token, start, at);
    }
  }

  /** `$1`, `$tag$...$tag$`, or a stray dollar. */
  #dollar(start: number): number {
    const text = this.text;
    let at = start + 1;
    let code = text.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) {
      return this.#found(Token.Param, start, this.#digits(at));
    }
    while (isNamePart(code) && code !== 0x24) code = text.charCodeAt(++at);
    if (code !== 0x24) return this.#found(0x24, start, start + 1);
    const tag = text.slice(start, at + 1);
    const close = text.indexOf(tag, at + 1);
    if (close === -1) return this.#bad(LexFault.UnterminatedDollarQuote);
    return this.#found(Token.String, start, close + tag.length);
  }

  #lineEnd(at: number): number {
    const text = this.text;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE || code === RETURN) return at;
    }
    return at;
  }

  /** Behind the comment that is open at `at`, or -1. */
  #commentEnd(at: number): number {
    const text = this.text;
    let open = 1;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === STAR && text.charCodeAt(at + 1) === SLASH) {
        at++;
        if (--open === 0) return at + 1;
      } else if (code === SLASH && text.charCodeAt(at + 1) === STAR) {
        at++;
        if (++open > COMMENT_DEPTH_MAX) {
          this.#bad(LexFault.TooDeep);
          return -1;
        }
      }
    }
    this.#bad(LexFault.UnterminatedComment);
    return -1;
  }
}
