/**
 * BEGIN, COMMIT, ROLLBACK and their relatives. Besides the kind, these readers say whether the
 * statement is *plain*: so simple that the proxy may answer it before any server has seen it,
 * because a server could give no other answer.
 */
import { type Facts, Plain } from './facts.ts';
import type { Lexer } from './lexer.ts';
import { atEnd, scan, TO_END, take } from './scan.ts';
import { Kind } from './statement-kind.ts';
import { Token } from './tokens.ts';
import { Word } from './words.ts';

/** At BEGIN, or at START. */
export function readBegin(lexer: Lexer, facts: Facts): Kind {
  let plain: Plain = Plain.Begin;
  let kind: Kind = Kind.Begin;
  if (take(lexer, Word.Start)) {
    plain = Plain.StartTransaction;
    if (!take(lexer, Word.Transaction)) kind = Kind.Unknown;
  } else {
    lexer.next();
    takeNoiseWord(lexer);
  }
  if (kind === Kind.Begin && takeModes(lexer)) facts.plain = plain;
  scan(lexer, facts, TO_END);
  return kind;
}

/** At COMMIT, or at END. */
export function readCommit(lexer: Lexer, facts: Facts): Kind {
  const canBePrepared = lexer.word === Word.Commit;
  lexer.next();
  let kind: Kind = Kind.Commit;
  if (canBePrepared && take(lexer, Word.Prepared)) kind = Kind.CommitPrepared;
  else if (takeEnding(lexer)) facts.plain = Plain.Commit;
  scan(lexer, facts, TO_END);
  return kind;
}

/** At ROLLBACK, or at ABORT. */
export function readRollback(lexer: Lexer, facts: Facts): Kind {
  const isRollback = lexer.word === Word.Rollback;
  lexer.next();
  let kind: Kind = Kind.Rollback;
  if (isRollback && take(lexer, Word.Prepared)) kind = Kind.RollbackPrepared;
  else if (takeEnding(lexer)) facts.plain = Plain.Rollback;
  else if (isRollback && lexer.word === Word.To) kind = Kind.RollbackTo;
  scan(lexer, facts, TO_END);
  return kind;
}

function takeNoiseWord(lexer: Lexer): void {
  if (lexer.word === Word.Work || lexer.word === Word.Transaction) lexer.next();
}

/** `[WORK | TRANSACTION] [AND NO CHAIN]` and nothing else. */
function takeEnding(lexer: Lexer): boolean {
  takeNoiseWord(lexer);
  if (take(lexer, Word.And) && !(take(lexer, Word.No) && take(lexer, Word.Chain))) return false;
  return atEnd(lexer);
}

/**
 * A list of transaction modes and nothing else. Every one of these succeeds as the first statement
 * of a transaction on a primary; a standby refuses READ WRITE and SERIALIZABLE. The commas between
 * them are optional (gram.y, transaction_mode_list), and a mode may be given twice.
 */
function takeModes(lexer: Lexer): boolean {
  let expected = false;
  for (;;) {
    if (atEnd(lexer)) return !expected;
    if (!takeMode(lexer)) return false;
    expected = lexer.token === Token.Comma;
    if (expected) lexer.next();
  }
}

function takeMode(lexer: Lexer): boolean {
  switch (lexer.word) {
    case Word.Isolation:
      lexer.next();
      return take(lexer, Word.Level) && takeLevel(lexer);
    case Word.Read:
      lexer.next();
      return take(lexer, Word.Only) || take(lexer, Word.Write);
    case Word.Not:
      lexer.next();
      return take(lexer, Word.Deferrable);
    default:
      return take(lexer, Word.Deferrable);
  }
}

function takeLevel(lexer: Lexer): boolean {
  if (take(lexer, Word.Serializable)) return true;
  if (take(lexer, Word.Repeatable)) return take(lexer, Word.Read);
  if (!take(lexer, Word.Read)) return false;
  return take(lexer, Word.Committed) || take(lexer, Word.Uncommitted);
}
