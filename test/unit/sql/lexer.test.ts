import { scanSync } from 'libpg-query';
import { describe, expect, test, vi } from 'vitest';
import { Lexer } from '../../../src/sql/lexer.ts';
import { COMMENT_DEPTH_MAX, PAREN_DEPTH_MAX } from '../../../src/sql/limits.ts';
import { analyse } from '../../../src/sql/statement.ts';
import { LexFault, Token } from '../../../src/sql/tokens.ts';
import { Word } from '../../../src/sql/words.ts';
import { CORPUS } from './corpus.ts';
import './grammar.ts';

interface Seen {
  readonly tokens: readonly (readonly [number, string])[];
  readonly fault: LexFault | null;
}

function lex(text: string, standardConformingStrings = true): Seen {
  const lexer = new Lexer();
  lexer.begin(text, standardConformingStrings);
  const tokens: [number, string][] = [];
  for (;;) {
    const token = lexer.next();
    if (token === Token.End || token === Token.Bad) return { tokens, fault: lexer.fault };
    tokens.push([token, text.slice(lexer.start, lexer.end)]);
  }
}

function texts(seen: Seen): readonly string[] {
  return seen.tokens.map(([, text]) => text);
}

describe('tokens', () => {
  test.each([
    ["'a''b' 'c'", ["'a''b'", "'c'"]],
    ["'a'\n'b'", ["'a'\n'b'"]],
    ["'a' -- c\n  'b'", ["'a' -- c\n  'b'"]],
    ["'a'\n--c\n--d\n'b'", ["'a'\n--c\n--d\n'b'"]],
    ["'a' /* \n */ 'b'", ["'a'", "'b'"]],
    ["'a' --c\n - 1", ["'a'", '-', '1']],
    ["E'\\'' x", ["E'\\''", 'x']],
    ["E'a'\n'\\''", ["E'a'\n'\\''"]],
    ["'a'\n'\\' x", ["'a'\n'\\'", 'x']],
    ["B'0''1'", ["B'0'", "'1'"]],
    ["N'a'", ['N', "'a'"]],
    ["U&'\\0061' U&\"b\" u & 'c'", ["U&'\\0061'", 'U&"b"', 'u', '&', "'c'"]],
    ["foE'a'", ['foE', "'a'"]],
    ['"a""b"c', ['"a""b"', 'c']],
    ['$$a$b$$ $t$ $$ $t$ $1 $x', ['$$a$b$$', '$t$ $$ $t$', '$1', '$', 'x']],
    ['a$b$ c', ['a$b$', 'c']],
    ['$t$a$T$b$t$', ['$t$a$T$b$t$']],
    [
      '1.5e-3 .5 5. 1..2 0x1F 1_000 1e',
      ['1.5e-3', '.5', '5.', '1', '.', '.2', '0x1F', '1_000', '1', 'e'],
    ],
    ['1abc 0x1F$a 1_0$a', ['1', 'abc', '0', 'x1F$a', '1', '_0$a']],
    ['a+-- c\n-b', ['a', '+', '-', 'b']],
    ['a*/**/b', ['a', '*', 'b']],
    ['a<>b::c->>d', ['a', '<>', 'b', ':', ':', 'c', '->>', 'd']],
    ['/* /* */ */ a -- b\rc', ['a', 'c']],
    ['\u00a0x \ufeff', ['\u00a0x', '\ufeff']],
    ['a\vb', ['a', 'b']],
    ['{\\}', ['{', '\\', '}']],
  ])('%j', (text, expected) => {
    const seen = lex(text);
    expect(seen.fault).toBeNull();
    expect(texts(seen)).toEqual(expected);
  });

  test('backslashes escape in plain strings when the session says so', () => {
    expect(texts(lex("'a\\'' b", false))).toEqual(["'a\\''", 'b']);
    expect(texts(lex("N'a\\'' b", false))).toEqual(['N', "'a\\''", 'b']);
    expect(texts(lex("B'a\\' b", false))).toEqual(["B'a\\'", 'b']);
    expect(lex("U&'a'", false).fault).toBe(LexFault.UnsafeEscapes);
  });

  test.each([
    ["'a", LexFault.UnterminatedString],
    ["E'a\\'", LexFault.UnterminatedString],
    ["E'a\\", LexFault.UnterminatedString],
    ["X'a", LexFault.UnterminatedString],
    ["'a'\n'b", LexFault.UnterminatedString],
    ['"a', LexFault.UnterminatedName],
    ['"a""', LexFault.UnterminatedName],
    ['""', LexFault.EmptyName],
    ['U&"', LexFault.UnterminatedName],
    ['$$a$', LexFault.UnterminatedDollarQuote],
    ['$a$b$A$', LexFault.UnterminatedDollarQuote],
    ['/* /* */', LexFault.UnterminatedComment],
    ['a\0b', LexFault.NulCharacter],
  ])('%j cannot be lexed', (text, fault) => {
    expect(lex(text).fault).toBe(fault);
  });

  test('a fault is final', () => {
    const lexer = new Lexer();
    lexer.begin("'a", true);
    expect([lexer.next(), lexer.next()]).toEqual([Token.Bad, Token.Bad]);
    lexer.begin('a', true);
    expect(lexer.next()).toBe(Token.Word);
  });

  test('nests up to the limits are fine, and past them are not', () => {
    const comment = (depth: number) => `${'/*'.repeat(depth)}${'*/'.repeat(depth)} a`;
    expect(lex(comment(COMMENT_DEPTH_MAX)).fault).toBeNull();
    expect(lex(comment(COMMENT_DEPTH_MAX + 1)).fault).toBe(LexFault.TooDeep);
    const parens = (depth: number) => `${'('.repeat(depth)}${')'.repeat(depth)}`;
    expect(lex(parens(PAREN_DEPTH_MAX)).fault).toBeNull();
    expect(lex(parens(PAREN_DEPTH_MAX + 1)).fault).toBe(LexFault.TooDeep);
  });
});

describe('words', () => {
  test.each([
    ['select', Word.Select],
    ['SeLeCt', Word.Select],
    ['pg_try_advisory_lock_shared', Word.PgTryAdvisoryLockShared],
    ['PG_TEMP', Word.PgTemp],
    ['selects', Word.None],
    ['selec', Word.None],
    ['s\u0131nce', Word.None],
    // U+017F folds to s, and U+212A to k, in Unicode; not for the server.
    ['\u017felect', Word.None],
    ['loc\u212a', Word.None],
    // The same letters but for bit 5.
    ['pg\x7ftemp', Word.None],
  ])('%j', (text, word) => {
    const lexer = new Lexer();
    lexer.begin(text, true);
    lexer.next();
    expect(lexer.word).toBe(word);
  });

  test('every word finds itself, in either case', () => {
    const lexer = new Lexer();
    for (const [key, word] of Object.entries(Word)) {
      if (word === Word.None) continue;
      const spelling = key.replace(/(?<!^)[A-Z]/g, '_$&');
      for (const text of [spelling.toLowerCase(), spelling.toUpperCase()]) {
        lexer.begin(text, true);
        lexer.next();
        expect([text, lexer.word]).toEqual([text, word]);
      }
    }
    expect(new Set(Object.values(Word)).size).toBe(Object.keys(Word).length);
  });
});

/** Tokens whose borders decide structure; operators and comments are cut differently there. */
const STRUCTURAL = /^[A-Za-z_0-9"'$;()]/;

test("borders are those of PostgreSQL's scanner on the corpus", () => {
  let compared = 0;
  for (const text of CORPUS) {
    // It counts in bytes, and takes N'...' for one token.
    if (/[^\0-\x7f]|\bn'/i.test(text) || text === '') continue;
    const expected = scanSync(text)
      .tokens.map(({ start, end }) => text.slice(start, end))
      .filter((token) => STRUCTURAL.test(token));
    expect([text, texts(lex(text)).filter((token) => STRUCTURAL.test(token))]).toEqual([
      text,
      expected,
    ]);
    compared += expected.length;
  }
  expect(compared).toBeGreaterThan(1_500);
});

describe('work grows with the length of the text and no faster', () => {
  const shapes: readonly (readonly [string, (size: number) => string])[] = [
    ['parentheses', (n) => `SELECT ${'('.repeat(Math.min(n, 4_000))}${'1,'.repeat(n)}`],
    ['open dollars', (n) => `SELECT ${'$a '.repeat(n)}`],
    ['one long dollar tag', (n) => `SELECT $${'a'.repeat(n)}`],
    ['dollar tags that never close', (n) => `SELECT $a$${'$b'.repeat(n)}`],
    ['strings that might go on', (n) => `SELECT ${"'a' \t ".repeat(n)}`],
    ['blank lines behind strings', (n) => `SELECT ${`'a'${'\n'.repeat(50)}x `.repeat(n / 50)}`],
    ['dashes behind strings', (n) => `SELECT ${"'a' - ".repeat(n)}`],
    ['line comments', (n) => `SELECT ${'--\n'.repeat(n)}`],
    ['line comments without end', (n) => `SELECT 'a'${' --'.repeat(n)}`],
    ['block comments', (n) => `SELECT ${'/**/'.repeat(n)}`],
    ['slashes and stars', (n) => `SELECT /*${'*/ /*'.repeat(n)}`],
    ['operators', (n) => `SELECT 1 ${'+*<>='.repeat(n)}`],
    ['numbers with underscores', (n) => `SELECT 1${'_1'.repeat(n)}$`],
    [
      'calls of set_config',
      (n) => `SELECT ${'set_config('.repeat(Math.min(n, 4_000))}${'1,'.repeat(n)}`,
    ],
    ['semicolons', (n) => ';'.repeat(n)],
    ['statements', (n) => 'SET a=1;'.repeat(n)],
    ['expressions', (n) => `WITH ${'a AS (SELECT 1),'.repeat(n)}`],
    ['quotes', (n) => `SELECT '${"''".repeat(n)}`],
    ['names', (n) => `SELECT "${'""'.repeat(n)}`],
    ['backslashes', (n) => `SELECT E'${'\\\\'.repeat(n)}`],
    ['a DO body', (n) => `DO $$ ${'x; '.repeat(n)} $$`],
  ];

  test.each(shapes)('%s', (_name, shape) => {
    const small = steps(shape(5_000));
    const large = steps(shape(10_000));
    expect(large).toBeGreaterThan(5_000);
    expect(large / small).toBeLessThan(2.2);
  });

  /** Characters looked at one by one, and those skipped by a search. */
  function steps(text: string): number {
    let count = 0;
    const charCodeAt = String.prototype.charCodeAt;
    const indexOf = String.prototype.indexOf;
    const one = vi.spyOn(String.prototype, 'charCodeAt').mockImplementation(function (
      this: string,
      at,
    ) {
      count++;
      return charCodeAt.call(this, at);
    });
    const many = vi.spyOn(String.prototype, 'indexOf').mockImplementation(function (
      this: string,
      needle,
      from = 0,
    ) {
      const found = indexOf.call(this, needle, from);
      count += (found === -1 ? this.length : found) - from;
      return found;
    });
    try {
      analyse(text, true);
      return count;
    } finally {
      one.mockRestore();
      many.mockRestore();
    }
  }
});
