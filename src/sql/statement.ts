/**
 * `Statement` is everything this folder has to say about one text a client sent: a query string of
 * any number of statements, or the text of a Parse. It is made once per text, kept by the cache,
 * shared by all sessions and never changed; by convention it is frozen (`Object.freeze` would cost
 * each of them a dictionary).
 *
 * Facts are one-sided where they cannot be exact. Nothing that could leave state behind is called
 * clean, nothing that could end a transaction is called harmless; the reverse may happen and costs
 * a pin or a missed cancel. What could not be read at all is `Kind.Unknown`.
 */
import { Facts, Plain } from './facts.ts';
import { Lexer } from './lexer.ts';
import { PinReason } from './pin-reason.ts';
import { readStatement } from './read-statement.ts';
import { Kind } from './statement-kind.ts';
import { LexFault, Token } from './tokens.ts';

const COMMAND_TAGS: Record<Plain, string | null> = {
  [Plain.None]: null,
  [Plain.Begin]: 'BEGIN',
  [Plain.StartTransaction]: 'START TRANSACTION',
  [Plain.Commit]: 'COMMIT',
  [Plain.Rollback]: 'ROLLBACK',
};

/** A hot record: all fields are set here, in this order. */
export class Statement {
  /** The whole text, as given. Empty when it was never read (see `unreadStatement`). */
  readonly text: string;
  /** Why the text could not be lexed, or null. */
  readonly fault: LexFault | null;
  /** Statements in the text, not counting empty ones. 1 when there is a fault. */
  readonly count: number;
  /** One for each of them. */
  readonly kinds: readonly Kind[];
  /** The most dangerous of `kinds`; `Kind.Empty` when there are none. */
  readonly kind: Kind;
  /** Why running the text ties the session to its server; null when it does not. */
  readonly pin: PinReason | null;
  /**
   * Nothing but one BEGIN or START TRANSACTION, with modes that a primary cannot refuse at the
   * start of a transaction: it can be answered now and sent to a server later.
   */
  readonly plainBegin: boolean;
  /** Nothing but one COMMIT or END, without AND CHAIN. */
  readonly plainCommit: boolean;
  /** Nothing but one ROLLBACK or ABORT, without AND CHAIN or TO SAVEPOINT. */
  readonly plainRollback: boolean;
  /** What CommandComplete says for a plain one in the right state; null for all others. */
  readonly commandTag: string | null;
  /** Contains BEGIN or START TRANSACTION. */
  readonly opensTransaction: boolean;
  /**
   * Contains COMMIT, END, ROLLBACK, ABORT or any statement of two-phase commit, in any form but
   * ROLLBACK TO: whether it was carried out matters to somebody even if its client has vanished.
   */
  readonly endsTransaction: boolean;
  /** The setting, in lower case, if the text is one SET or RESET of one, and not SET LOCAL. */
  readonly setVariable: string | null;
  /** Contains RESET ALL. */
  readonly resetsAll: boolean;
  /** The name, if the text is one DEALLOCATE of one; folded, unquoted, cut as the server does. */
  readonly deallocateName: string | null;
  /** Contains DEALLOCATE ALL. */
  readonly deallocatesAll: boolean;
  /** Contains DISCARD ALL. */
  readonly discardsAll: boolean;
  /** Contains DISCARD PLANS or DISCARD ALL. */
  readonly discardsPlans: boolean;

  constructor(text: string, fault: LexFault | null, facts: Facts) {
    const kinds: readonly Kind[] = fault === null ? facts.kinds : UNKNOWN_ALONE;
    const single = kinds.length === 1 && fault === null;
    const plain = single ? facts.plain : Plain.None;
    let kind: Kind = Kind.Empty;
    for (const each of kinds) if (each > kind) kind = each;
    this.text = text;
    this.fault = fault;
    this.count = kinds.length;
    this.kinds = kinds;
    this.kind = kind;
    this.pin = fault === null ? facts.pin : PinReason.Unknown;
    this.plainBegin = plain === Plain.Begin || plain === Plain.StartTransaction;
    this.plainCommit = plain === Plain.Commit;
    this.plainRollback = plain === Plain.Rollback;
    this.commandTag = COMMAND_TAGS[plain];
    this.opensTransaction = fault !== null || kinds.includes(Kind.Begin);
    this.endsTransaction = fault !== null || kinds.some(endsTransaction);
    this.setVariable = single ? facts.setVariable : null;
    this.resetsAll = fault === null && facts.resetsAll;
    this.deallocateName = single ? facts.deallocateName : null;
    this.deallocatesAll = kinds.includes(Kind.DeallocateAll);
    this.discardsAll = kinds.includes(Kind.DiscardAll);
    this.discardsPlans = fault === null && facts.discardsPlans;
  }
}

const UNKNOWN_ALONE: readonly Kind[] = [Kind.Unknown];

function endsTransaction(kind: Kind): boolean {
  switch (kind) {
    case Kind.Commit:
    case Kind.Rollback:
    case Kind.PrepareTransaction:
    case Kind.CommitPrepared:
    case Kind.RollbackPrepared:
      return true;
    default:
      return false;
  }
}

const lexer = new Lexer();
const facts = new Facts();

/** Reads a text. Never throws; linear in its length. Most callers want `StatementCache.lookup`. */
export function analyse(text: string, standardConformingStrings: boolean): Statement {
  facts.clear();
  lexer.begin(text, standardConformingStrings);
  for (;;) {
    const token = lexer.next();
    if (token === Token.End || token === Token.Bad) break;
    if (token === Token.Semicolon) continue;
    facts.kinds.push(readStatement(lexer, facts));
    if (lexer.token !== Token.Semicolon) break;
  }
  return new Statement(text, lexer.fault, facts);
}

/** A statement whose text nobody read, and that may be anything. It keeps no text either. */
function unreadStatement(fault: LexFault): Statement {
  facts.clear();
  return new Statement('', fault, facts);
}

/** For a text too long to be collected, of which only the head was looked at on its way. */
export const OVERSIZED_STATEMENT: Statement = unreadStatement(LexFault.TooLong);

/** For every text of a session whose client_encoding is not lexable (see `isLexableEncoding`). */
export const UNLEXABLE_STATEMENT: Statement = unreadStatement(LexFault.UnsafeEncoding);
