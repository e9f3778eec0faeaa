/**
 * The walk through the part of a statement no reader is interested in, to its end. On the way it
 * notices the calls that tie a session to its server, and the few words that change what the
 * statement is (`Saw`). It looks at every token once, whatever the statement.
 *
 * A call is a function's name, quoted or not, directly before a parenthesis. What a function,
 * procedure, trigger, rule or view does inside cannot be seen from the text and is not guessed at.
 */
import { type Facts, Saw } from './facts.ts';
import type { Lexer } from './lexer.ts';
import { PinReason } from './pin-reason.ts';
import { Token } from './tokens.ts';
import { FIRST_FUNCTION, Word, wordOf } from './words.ts';

/** No parenthesis ends the walk. */
export const TO_END = -1;

/** Whether the current token ends a statement. */
export function atEnd(lexer: Lexer): boolean {
  return lexer.token === Token.End || (lexer.token === Token.Semicolon && lexer.depth === 0);
}

/** Whether the current token is this one. */
export function isAt(lexer: Lexer, token: number): boolean {
  return lexer.token === token;
}

/** Takes the current token if it is this word. */
export function take(lexer: Lexer, word: Word): boolean {
  if (lexer.word !== word) return false;
  lexer.next();
  return true;
}

/** Takes whatever the current token is, but never the end of the statement. */
export function skip(lexer: Lexer): void {
  if (!atEnd(lexer)) lexer.next();
}

/** The words and tokens just passed, and the calls and bodies the walk is inside of. */
class Walk {
  previousToken: number = Token.End;
  previousWord: Word = Word.None;
  /** Depth inside the parentheses of a set_config() whose arguments are being watched, or -1. */
  configDepth = -1;
  /** 1 after a comma between those arguments, 2 when that was followed by TRUE. */
  configTail = 0;
  /** Between BEGIN ATOMIC and its END, where a semicolon ends no statement. */
  atomic = false;
  onCommit = false;
}

const walk = new Walk();

/**
 * Walks from the current token on: to the end of the statement, or to the parenthesis that brings
 * the depth back to `floor`. That token is the current one afterwards.
 * `routine` says that this is a CREATE FUNCTION or PROCEDURE and may have a BEGIN ATOMIC body.
 */
export function scan(lexer: Lexer, facts: Facts, floor: number, routine = false): void {
  walk.previousToken = Token.End;
  walk.previousWord = Word.None;
  walk.configDepth = -1;
  walk.atomic = false;
  walk.onCommit = false;
  for (;;) {
    const token = lexer.token;
    const word = lexer.word;
    if (walk.configDepth !== -1) watchConfig(lexer, facts);
    switch (token) {
      case Token.End:
      case Token.Bad:
        return;
      case Token.Semicolon:
        if (lexer.depth === 0 && !walk.atomic) return;
        break;
      case Token.Close:
        if (lexer.depth === floor) return;
        break;
      case Token.Word:
        if (word === Word.None) break;
        if (word >= FIRST_FUNCTION) {
          if (lexer.next() === Token.Open) call(lexer, facts, word);
          passed(token, Word.None);
          continue;
        }
        notice(lexer, facts, word, routine);
        break;
      case Token.QuotedName:
      case Token.EscapedName:
        quotedName(lexer, facts, token);
        passed(token, Word.None);
        continue;
      default:
        break;
    }
    passed(token, word);
    lexer.next();
  }
}

function passed(token: number, word: Word): void {
  walk.previousToken = token;
  walk.previousWord = word;
}

/** A word that is no function. The lexer stays where it is. */
function notice(lexer: Lexer, facts: Facts, word: Word, routine: boolean): void {
  const previous = walk.previousWord;
  switch (word) {
    case Word.Into:
      // INTO is reserved: other than here it stands behind INSERT or MERGE, or is a label.
      if (previous === Word.Insert || previous === Word.Merge || previous === Word.As) break;
      if (walk.previousToken !== Token.Dot) facts.saw |= Saw.Into;
      break;
    case Word.Temp:
    case Word.Temporary:
      // A column may be called temp; behind INTO, LOCAL and GLOBAL it is the keyword.
      if (previous === Word.Into || previous === Word.Local || previous === Word.Global) {
        facts.saw |= Saw.Temp;
      }
      break;
    case Word.PgTemp:
      facts.saw |= Saw.TempSchema;
      break;
    case Word.Insert:
    case Word.Delete:
    case Word.Merge:
      facts.saw |= Saw.Modifying;
      break;
    case Word.Update:
      // FOR UPDATE and FOR NO KEY UPDATE only lock.
      if (previous !== Word.For && previous !== Word.Key) facts.saw |= Saw.Modifying;
      break;
    case Word.Commit:
      walk.onCommit = previous === Word.On && lexer.depth === 0;
      break;
    case Word.Drop:
      if (previous === Word.Commit && walk.onCommit) facts.saw |= Saw.OnCommitDrop;
      break;
    case Word.Atomic:
      if (routine && previous === Word.Begin && lexer.depth === 0) walk.atomic = true;
      break;
    case Word.End:
      // Statements in the body end in a semicolon, so the body's END follows one (or ATOMIC); the
      // END of a CASE, or one that is a label, never does.
      if (walk.previousToken === Token.Semicolon || previous === Word.Atomic) walk.atomic = false;
      break;
    default:
      break;
  }
}

/** Moves on behind a quoted name, having looked whether it was called or is a schema. */
function quotedName(lexer: Lexer, facts: Facts, token: number): void {
  const start = lexer.start;
  const end = lexer.end;
  const next = lexer.next();
  if (next !== Token.Open && next !== Token.Dot) return;
  if (token === Token.EscapedName) {
    // Nobody writes names this way but to hide them, or from a generator that hides nothing.
    if (next === Token.Open) facts.addPin(PinReason.Unknown);
    else facts.saw |= Saw.TempSchema;
    return;
  }
  const word = wordOf(lexer.text.slice(start + 1, end - 1));
  if (next === Token.Open && word >= FIRST_FUNCTION) call(lexer, facts, word);
  else if (next === Token.Dot && word === Word.PgTemp) facts.saw |= Saw.TempSchema;
}

/** The lexer is at the parenthesis behind the name of one of our functions. */
function call(lexer: Lexer, facts: Facts, name: Word): void {
  if (name !== Word.SetConfig) facts.addPin(pinOfCall(name));
  // A set_config() among the arguments of another: too clever to be followed.
  else if (walk.configDepth !== -1) facts.addPin(PinReason.SetConfig);
  else {
    walk.configDepth = lexer.depth;
    walk.configTail = 0;
  }
}

function pinOfCall(name: Word): PinReason {
  switch (name) {
    case Word.Currval:
    case Word.Lastval:
      return PinReason.Sequence;
    case Word.PgAdvisoryLock:
    case Word.PgAdvisoryLockShared:
    case Word.PgTryAdvisoryLock:
    case Word.PgTryAdvisoryLockShared:
      return PinReason.AdvisoryLock;
    default:
      return PinReason.SessionFunction;
  }
}

/** set_config(name, value, TRUE) is SET LOCAL; with anything else in third place it may be SET. */
function watchConfig(lexer: Lexer, facts: Facts): void {
  const token = lexer.token;
  if (lexer.depth < walk.configDepth || token === Token.End || token === Token.Bad) {
    if (walk.configTail !== 2) facts.addPin(PinReason.SetConfig);
    walk.configDepth = -1;
  } else if (token === Token.Comma && lexer.depth === walk.configDepth) {
    walk.configTail = 1;
  } else if (lexer.word === Word.True && walk.configTail === 1) {
    walk.configTail = 2;
  } else {
    walk.configTail = 0;
  }
}
