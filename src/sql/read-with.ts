/**
 * WITH: what a statement is when its first word does not say. The list of common table expressions
 * is followed as the grammar has it (a CTE may be called `insert`), because the first word behind
 * it is the statement's real verb. Where the text leaves the grammar, the answer is `Unknown`.
 */
import { type Facts, Saw } from './facts.ts';
import type { Lexer } from './lexer.ts';
import { atEnd, isAt, scan, skip, TO_END, take } from './scan.ts';
import { Kind } from './statement-kind.ts';
import { Token } from './tokens.ts';
import { Word } from './words.ts';

/** At WITH. */
export function readWith(lexer: Lexer, facts: Facts): Kind {
  lexer.next();
  const kind = takeExpressions(lexer, facts) ? readQuery(lexer, facts) : Kind.Unknown;
  scan(lexer, facts, TO_END);
  return kind;
}

/**
 * At the verb of a statement that may be a query, or at a parenthesis before it. Reads to the end
 * of the statement.
 */
export function readQuery(lexer: Lexer, facts: Facts): Kind {
  while (lexer.token === Token.Open) lexer.next();
  const verb = lexer.word;
  facts.saw &= ~Saw.Modifying;
  scan(lexer, facts, TO_END);
  switch (verb) {
    case Word.Insert:
      return Kind.Insert;
    case Word.Update:
      return Kind.Update;
    case Word.Delete:
      return Kind.Delete;
    case Word.Merge:
      return Kind.Merge;
    case Word.With:
      // (WITH ... SELECT ...): rare, so a word that could modify is taken to do so.
      if ((facts.saw & Saw.Modifying) !== 0) facts.modifyingWith = true;
      return rows(facts, Kind.Select);
    case Word.Select:
      return rows(facts, Kind.Select);
    case Word.Values:
      return rows(facts, Kind.Values);
    case Word.Table:
      return rows(facts, Kind.Table);
    default:
      return Kind.Unknown;
  }
}

function rows(facts: Facts, kind: Kind): Kind {
  if ((facts.saw & Saw.Into) !== 0) return Kind.SelectInto;
  return facts.modifyingWith ? Kind.WithWrite : kind;
}

/** The list behind WITH. False where it is none. */
function takeExpressions(lexer: Lexer, facts: Facts): boolean {
  // `WITH recursive AS (...)` names an expression so.
  const named = take(lexer, Word.Recursive) && isAfterName(lexer);
  if (!(named ? takeDefinition(lexer, facts) : takeExpression(lexer, facts))) return false;
  while (lexer.token === Token.Comma) {
    lexer.next();
    if (!takeExpression(lexer, facts)) return false;
  }
  return true;
}

function isAfterName(lexer: Lexer): boolean {
  return lexer.token === Token.Open || lexer.word === Word.As;
}

function takeExpression(lexer: Lexer, facts: Facts): boolean {
  return takeName(lexer) && takeDefinition(lexer, facts);
}

/** `[(columns)] AS [[NOT] MATERIALIZED] (statement) [SEARCH ...] [CYCLE ...]`. */
function takeDefinition(lexer: Lexer, facts: Facts): boolean {
  if (lexer.token === Token.Open && !takeParenthesis(lexer, facts)) return false;
  if (!take(lexer, Word.As)) return false;
  take(lexer, Word.Not);
  take(lexer, Word.Materialized);
  if (!isAt(lexer, Token.Open)) return false;
  const floor = lexer.depth - 1;
  while (lexer.next() === Token.Open);
  const verb = lexer.word;
  facts.saw &= ~Saw.Modifying;
  scan(lexer, facts, floor);
  if (lexer.token !== Token.Close) return false;
  lexer.next();
  // A WITH inside may hold the modifying statement; where is of no interest.
  const modifies = verb === Word.With ? (facts.saw & Saw.Modifying) !== 0 : isModifying(verb);
  if (modifies) facts.modifyingWith = true;
  return takeSearch(lexer) && takeCycle(lexer);
}

function isModifying(verb: Word): boolean {
  return (
    verb === Word.Insert || verb === Word.Update || verb === Word.Delete || verb === Word.Merge
  );
}

/** `SEARCH DEPTH|BREADTH FIRST BY columns SET column`. */
function takeSearch(lexer: Lexer): boolean {
  if (!take(lexer, Word.Search)) return true;
  skip(lexer);
  skip(lexer);
  return take(lexer, Word.By) && takeNames(lexer) && take(lexer, Word.Set) && takeName(lexer);
}

/** `CYCLE columns SET column [TO value DEFAULT value] USING column`. */
function takeCycle(lexer: Lexer): boolean {
  if (!take(lexer, Word.Cycle)) return true;
  if (!takeNames(lexer) || !take(lexer, Word.Set) || !takeName(lexer)) return false;
  // USING is reserved; the constants before it may be of any form but cannot contain it.
  while (lexer.word !== Word.Using) {
    if (atEnd(lexer) || lexer.token === Token.Bad) return false;
    lexer.next();
  }
  lexer.next();
  return takeName(lexer);
}

function takeNames(lexer: Lexer): boolean {
  do {
    if (!takeName(lexer)) return false;
    if (lexer.token !== Token.Comma) return true;
  } while (lexer.next() !== Token.End);
  return false;
}

function takeName(lexer: Lexer): boolean {
  const token = lexer.token;
  if (token !== Token.Word && token !== Token.QuotedName && token !== Token.EscapedName) {
    return false;
  }
  lexer.next();
  return true;
}

/** From an opening parenthesis to behind the one that closes it. */
function takeParenthesis(lexer: Lexer, facts: Facts): boolean {
  const floor = lexer.depth - 1;
  lexer.next();
  scan(lexer, facts, floor);
  if (lexer.token !== Token.Close) return false;
  lexer.next();
  return true;
}
