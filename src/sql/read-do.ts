/**
 * DO: an anonymous code block. Its body is the one place where code that is about to run stands in
 * the text, so it is worth a look: most blocks are a migration's "unless it exists", which leave
 * nothing behind, and tying a session down for each would be a nuisance. The body is read with the
 * same lexer, and anything that could leave something behind, dynamic SQL included, pins. What the
 * functions it calls do is not known, here as anywhere.
 */
import type { Facts } from './facts.ts';
import { Lexer } from './lexer.ts';
import { nameAt, wordOfName } from './names.ts';
import { PinReason } from './pin-reason.ts';
import { atEnd, scan, TO_END } from './scan.ts';
import { Kind } from './statement-kind.ts';
import { Token } from './tokens.ts';
import { FIRST_FUNCTION, Word } from './words.ts';

/** A second lexer, because the first one stands in the middle of the statement. */
const bodyLexer = new Lexer();

/** At DO. */
export function readDo(lexer: Lexer, facts: Facts): Kind {
  lexer.next();
  let body: string | null = null;
  let readable = true;
  while (!atEnd(lexer) && lexer.token !== Token.Bad) {
    if (lexer.token === Token.String) {
      readable &&= body === null;
      body = dollarQuoted(lexer);
      readable &&= body !== null;
    } else if (lexer.word === Word.Language) {
      lexer.next();
      readable &&= nameAt(lexer) === 'plpgsql';
    }
    if (!atEnd(lexer)) lexer.next();
  }
  if (!readable || body === null || mayLeaveState(body, lexer.standardConformingStrings)) {
    facts.addPin(PinReason.Unknown);
  }
  scan(lexer, facts, TO_END);
  return Kind.Do;
}

/** The inside of a dollar quote; null for other strings, whose escapes are not undone. */
function dollarQuoted(lexer: Lexer): string | null {
  const text = lexer.text;
  if (text[lexer.start] !== '$') return null;
  const tagLength = text.indexOf('$', lexer.start + 1) + 1 - lexer.start;
  return text.slice(lexer.start + tagLength, lexer.end - tagLength);
}

function mayLeaveState(body: string, standardConformingStrings: boolean): boolean {
  const lexer = bodyLexer;
  lexer.begin(body, standardConformingStrings);
  let previousToken: number = Token.End;
  let previousWord: Word = Word.None;
  for (;;) {
    const token = lexer.next();
    const word = lexer.word;
    if (token === Token.End) return false;
    if (token === Token.Bad || token === Token.EscapedName) return true;
    if (token === Token.QuotedName && wordOfName(lexer) >= FIRST_FUNCTION) return true;
    switch (word) {
      case Word.Listen:
      case Word.Load:
      case Word.Prepare:
      case Word.Temp:
      case Word.Temporary:
      case Word.PgTemp:
      case Word.Hold:
        return true;
      case Word.Set:
        if (!beginsStatement(previousToken, previousWord)) break;
        lexer.next();
        if (lexer.word !== Word.Local) return true;
        break;
      case Word.Execute:
        // Only a trigger's EXECUTE FUNCTION is not dynamic SQL.
        lexer.next();
        if (lexer.word !== Word.Function && lexer.word !== Word.Procedure) return true;
        break;
      default:
        if (word >= FIRST_FUNCTION) return true;
    }
    previousToken = token;
    previousWord = word;
  }
}

/**
 * Whether a SET behind this is a statement. The SET of an UPDATE or ALTER stands behind a name or
 * another word of the same statement.
 */
function beginsStatement(token: number, word: Word): boolean {
  if (token === Token.QuotedName) return false;
  switch (word) {
    case Word.Begin:
    case Word.Then:
    case Word.Else:
    case Word.Loop:
      return true;
    default:
      return token !== Token.Word;
  }
}
