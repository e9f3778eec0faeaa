/** What the lexer can find, and what can keep it from finding anything. */

/** What `next()` found. Every other single character is a token of its own, named by its code. */
export const Token = {
  End: 0,
  /** The text cannot be lexed from here on; see `fault`. Every further `next()` says so again. */
  Bad: 1,
  /** An unquoted identifier or keyword; `word` says which of ours it is. */
  Word: 2,
  /** `"..."`. */
  QuotedName: 3,
  /** `U&"..."`: a name whose letters may be hidden behind escapes. */
  EscapedName: 4,
  /** Any kind of string constant, with its continuations on further lines. */
  String: 5,
  Number: 6,
  /** `$1`. */
  Param: 7,
  /** An operator of two or more characters. */
  Operator: 8,
  Open: 0x28,
  Close: 0x29,
  Comma: 0x2c,
  Dot: 0x2e,
  Semicolon: 0x3b,
  Equals: 0x3d,
} as const;

/** Why a text cannot be lexed. */
export const LexFault = {
  UnterminatedString: 'unterminated quoted string',
  UnterminatedName: 'unterminated quoted identifier',
  UnterminatedDollarQuote: 'unterminated dollar-quoted string',
  UnterminatedComment: 'unterminated comment',
  EmptyName: 'zero-length delimited identifier',
  /** The server refuses U&'' while standard_conforming_strings is off. */
  UnsafeEscapes: 'unsafe use of string constant with Unicode escapes',
  NulCharacter: 'NUL character',
  TooLong: 'text too long to be lexed',
  UnsafeEncoding: 'client encoding that cannot be lexed',
  TooDeep: 'comments or parentheses nested too deeply',
} as const;
export type LexFault = (typeof LexFault)[keyof typeof LexFault];
