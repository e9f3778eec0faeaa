/**
 * Reads one statement: from its first word, through whatever follows, to its end. The first word
 * decides who reads on; every reader leaves the lexer at the statement's end.
 */
import { type Facts, Saw } from './facts.ts';
import type { Lexer } from './lexer.ts';
import { wordOfName } from './names.ts';
import { PinReason } from './pin-reason.ts';
import { readDo } from './read-do.ts';
import { readDeallocate, readDiscard, readReset, readSet } from './read-session.ts';
import { readBegin, readCommit, readRollback } from './read-transaction.ts';
import { readQuery, readWith } from './read-with.ts';
import { scan, skip, TO_END, take } from './scan.ts';
import { Kind } from './statement-kind.ts';
import { Token } from './tokens.ts';
import { Word } from './words.ts';

/** At the first token of a statement that is not empty. */
export function readStatement(lexer: Lexer, facts: Facts): Kind {
  facts.saw = 0;
  facts.modifyingWith = false;
  if (lexer.token === Token.Open) return readSelect(lexer, facts);
  const kind = lexer.token === Token.Word ? readByWord(lexer, facts) : Kind.Unknown;
  // Most readers have been to the end; for the rest, the walk is where calls are noticed.
  scan(lexer, facts, TO_END);
  return kind;
}

function readByWord(lexer: Lexer, facts: Facts): Kind {
  switch (lexer.word) {
    case Word.Select:
    case Word.Insert:
    case Word.Update:
    case Word.Delete:
    case Word.Merge:
    case Word.Values:
    case Word.Table:
      return readSelect(lexer, facts);
    case Word.With:
      return pinTempInto(facts, readWith(lexer, facts));
    case Word.Begin:
    case Word.Start:
      return readBegin(lexer, facts);
    case Word.Commit:
    case Word.End:
      return readCommit(lexer, facts);
    case Word.Rollback:
    case Word.Abort:
      return readRollback(lexer, facts);
    case Word.Set:
      return readSet(lexer, facts);
    case Word.Reset:
      return readReset(lexer, facts);
    case Word.Discard:
      return readDiscard(lexer, facts);
    case Word.Deallocate:
      return readDeallocate(lexer, facts);
    case Word.Prepare:
      return readPrepare(lexer, facts);
    case Word.Declare:
      return readDeclare(lexer, facts);
    case Word.Explain:
      return readExplain(lexer, facts);
    case Word.Create:
      return readCreate(lexer, facts);
    case Word.Do:
      return readDo(lexer, facts);
    case Word.Listen:
      facts.addPin(PinReason.Listen);
      return Kind.Listen;
    case Word.Load:
      facts.addPin(PinReason.Load);
      return Kind.Load;
    default:
      return KIND_OF_WORD[lexer.word]!;
  }
}

/** Kinds that need no more than the first word. */
const KIND_OF_WORD: Kind[] = new Array<Kind>(256).fill(Kind.Unknown);
const BY_FIRST_WORD: readonly (readonly [Kind, readonly Word[]])[] = [
  [Kind.Show, [Word.Show]],
  [Kind.Fetch, [Word.Fetch]],
  [Kind.Move, [Word.Move]],
  [Kind.ClosePortal, [Word.Close]],
  [Kind.Savepoint, [Word.Savepoint]],
  [Kind.ReleaseSavepoint, [Word.Release]],
  [Kind.Unlisten, [Word.Unlisten]],
  [Kind.Notify, [Word.Notify]],
  [Kind.Lock, [Word.Lock]],
  [Kind.Copy, [Word.Copy]],
  [Kind.Execute, [Word.Execute]],
  [Kind.Call, [Word.Call]],
  [
    Kind.Utility,
    // REPACK is version 19's.
    [
      Word.Analyse,
      Word.Analyze,
      Word.Checkpoint,
      Word.Cluster,
      Word.Reindex,
      Word.Repack,
      Word.Vacuum,
    ],
  ],
  [
    Kind.Ddl,
    [
      Word.Alter,
      Word.Comment,
      Word.Drop,
      Word.Grant,
      Word.Import,
      Word.Reassign,
      Word.Refresh,
      Word.Revoke,
      Word.Security,
      Word.Truncate,
    ],
  ],
];
for (const [kind, words] of BY_FIRST_WORD) for (const word of words) KIND_OF_WORD[word] = kind;

function readSelect(lexer: Lexer, facts: Facts): Kind {
  return pinTempInto(facts, readQuery(lexer, facts));
}

function pinTempInto(facts: Facts, kind: Kind): Kind {
  if (kind === Kind.SelectInto && (facts.saw & (Saw.Temp | Saw.TempSchema)) !== 0) {
    facts.addPin(PinReason.TempTable);
  }
  return kind;
}

/** `PREPARE name ...`, or `PREPARE TRANSACTION 'id'`; a statement may be called transaction. */
function readPrepare(lexer: Lexer, facts: Facts): Kind {
  lexer.next();
  if (take(lexer, Word.Transaction) && lexer.token === Token.String) return Kind.PrepareTransaction;
  facts.addPin(PinReason.Prepare);
  return Kind.Prepare;
}

/** `DECLARE name options CURSOR [WITH HOLD | WITHOUT HOLD] FOR query`. */
function readDeclare(lexer: Lexer, facts: Facts): Kind {
  lexer.next();
  // The cursor itself may be called cursor.
  skip(lexer);
  while (lexer.token === Token.Word && lexer.word !== Word.Cursor) lexer.next();
  if (take(lexer, Word.Cursor) && take(lexer, Word.With) && take(lexer, Word.Hold)) {
    facts.addPin(PinReason.WithHoldCursor);
    return Kind.DeclareWithHold;
  }
  return Kind.Declare;
}

/**
 * EXPLAIN ANALYZE runs the statement behind it, so that what that leaves behind counts. Without
 * ANALYZE nothing does: planning evaluates no volatile function, and all that pin are volatile.
 */
function readExplain(lexer: Lexer, facts: Facts): Kind {
  let analyze = false;
  if (lexer.next() === Token.Open) {
    analyze = readExplainOptions(lexer);
  } else {
    analyze = take(lexer, Word.Analyze) || take(lexer, Word.Analyse);
    take(lexer, Word.Verbose);
  }
  const pin = facts.pin;
  if (lexer.token === Token.Open || isExplainable(lexer.word)) {
    if (lexer.token === Token.Open) readSelect(lexer, facts);
    else readByWord(lexer, facts);
  }
  scan(lexer, facts, TO_END);
  if (!analyze) facts.pin = pin;
  return analyze ? Kind.ExplainAnalyze : Kind.Explain;
}

/** ExplainableStmt in gram.y. Anything else is a syntax error, whose facts must not be taken. */
function isExplainable(word: Word): boolean {
  switch (word) {
    case Word.Select:
    case Word.Insert:
    case Word.Update:
    case Word.Delete:
    case Word.Merge:
    case Word.Values:
    case Word.Table:
    case Word.With:
    case Word.Declare:
    case Word.Create:
      return true;
    default:
      return false;
  }
}

/**
 * At the parenthesis behind EXPLAIN, which may also be the query's own: then the lexer is left
 * inside it, at the query's first word. Otherwise reads the options, to behind them.
 */
function readExplainOptions(lexer: Lexer): boolean {
  const floor = lexer.depth - 1;
  let analyze = false;
  lexer.next();
  switch (lexer.token === Token.Open ? Word.Select : lexer.word) {
    case Word.Select:
    case Word.With:
    case Word.Table:
    case Word.Values:
      return false;
    default:
      break;
  }
  while (!(lexer.token === Token.Close && lexer.depth === floor)) {
    if (lexer.token === Token.End || lexer.token === Token.Bad) return analyze;
    const name = wordOfName(lexer);
    lexer.next();
    if (name === Word.Analyze || name === Word.Analyse) analyze = !isFalse(lexer);
  }
  lexer.next();
  return analyze;
}

function isFalse(lexer: Lexer): boolean {
  return lexer.word === Word.False || lexer.word === Word.Off;
}

/** `CREATE [OR REPLACE] [GLOBAL | LOCAL] [TEMP | TEMPORARY] ...`. */
function readCreate(lexer: Lexer, facts: Facts): Kind {
  lexer.next();
  if (take(lexer, Word.Or)) take(lexer, Word.Replace);
  if (lexer.word === Word.Global || lexer.word === Word.Local) lexer.next();
  const temporary = take(lexer, Word.Temp) || take(lexer, Word.Temporary);
  const routine = lexer.word === Word.Function || lexer.word === Word.Procedure;
  scan(lexer, facts, TO_END, routine);
  // ON COMMIT DROP ends with the transaction, as SET LOCAL does.
  if (temporary && (facts.saw & Saw.OnCommitDrop) === 0) facts.addPin(PinReason.TempTable);
  if ((facts.saw & Saw.TempSchema) !== 0) facts.addPin(PinReason.TempTable);
  return Kind.Ddl;
}
