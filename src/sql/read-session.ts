/**
 * SET, RESET, DISCARD and DEALLOCATE: the statements that change what a session is.
 *
 * What pins is decided by one rule: a session is tied to its server by what it leaves there that
 * nobody else could restore. Going back to a default leaves nothing (RESET, SET ... TO DEFAULT,
 * SET SESSION AUTHORIZATION DEFAULT, as client-side pools send on every return), what ends with
 * the transaction leaves nothing, and what the server reports is followed.
 */
import type { Facts } from './facts.ts';
import { type Lexer, Token } from './lexer.ts';
import { nameAt } from './names.ts';
import { PinReason } from './pin-reason.ts';
import { atEnd, scan, TO_END, take } from './scan.ts';
import { FOLLOWED_SETTINGS, TRANSACTION_SETTINGS } from './settings.ts';
import { Kind } from './statement-kind.ts';
import { Word } from './words.ts';

/** At SET. */
export function readSet(lexer: Lexer, facts: Facts): Kind {
  lexer.next();
  const kind = readSetTail(lexer, facts);
  scan(lexer, facts, TO_END);
  return kind;
}

function readSetTail(lexer: Lexer, facts: Facts): Kind {
  const local = take(lexer, Word.Local);
  // SET SESSION x is SET x, and SET SESSION SESSION AUTHORIZATION x is allowed.
  if (take(lexer, Word.Session)) {
    take(lexer, Word.Session);
    if (lexer.word === Word.Characteristics) {
      if (local) return Kind.SetLocal;
      facts.addPin(PinReason.SessionCharacteristics);
      return Kind.SetSessionCharacteristics;
    }
    if (take(lexer, Word.Authorization)) return setRole(lexer, facts, local, AUTHORIZATION);
  }
  switch (lexer.word) {
    case Word.Transaction:
      return Kind.SetTransaction;
    case Word.Constraints:
      return Kind.SetConstraints;
    case Word.Role:
      lexer.next();
      takeAssignment(lexer);
      return setRole(lexer, facts, local, ROLE);
    case Word.Names:
      return setNamed(lexer, facts, local, 'client_encoding');
    case Word.Schema:
      return setNamed(lexer, facts, local, 'search_path');
    default:
      return setNamed(lexer, facts, local, settingAt(lexer));
  }
}

const ROLE = 'role';
const AUTHORIZATION = 'session_authorization';

/** At the value of the role. */
function setRole(lexer: Lexer, facts: Facts, local: boolean, setting: string): Kind {
  if (local) return Kind.SetLocal;
  facts.setVariable = setting;
  if (takeDefault(lexer)) return Kind.Reset;
  facts.addPin(PinReason.SetRole);
  return setting === ROLE ? Kind.SetRole : Kind.SetSessionAuthorization;
}

/** At the last word before the value, or at `TO` or `=`. */
function setNamed(lexer: Lexer, facts: Facts, local: boolean, setting: string | null): Kind {
  if (lexer.word === Word.Names || lexer.word === Word.Schema) lexer.next();
  takeAssignment(lexer);
  if (setting === ROLE || setting === AUTHORIZATION) return setRole(lexer, facts, local, setting);
  if (setting !== null && TRANSACTION_SETTINGS.has(setting)) return Kind.SetTransaction;
  if (local) return Kind.SetLocal;
  facts.setVariable = setting;
  if (takeDefault(lexer)) return Kind.Reset;
  if (setting === null || !FOLLOWED_SETTINGS.has(setting)) facts.addPin(PinReason.Set);
  return Kind.Set;
}

function takeAssignment(lexer: Lexer): void {
  if (lexer.word === Word.To || lexer.token === Token.Equals) lexer.next();
}

function takeDefault(lexer: Lexer): boolean {
  return take(lexer, Word.Default) && atEnd(lexer);
}

/**
 * Reads the name of a setting, lower-cased as the server compares them; TIME ZONE is `timezone`.
 * Null when it is not spelled out.
 */
function settingAt(lexer: Lexer): string | null {
  if (take(lexer, Word.Time)) return take(lexer, Word.Zone) ? 'timezone' : 'time';
  let setting = nameAt(lexer);
  lexer.next();
  while (lexer.token === Token.Dot) {
    lexer.next();
    const part = nameAt(lexer);
    setting = setting === null || part === null ? null : `${setting}.${part}`;
    lexer.next();
  }
  return setting === null ? null : setting.toLowerCase();
}

/** At RESET. */
export function readReset(lexer: Lexer, facts: Facts): Kind {
  lexer.next();
  if (take(lexer, Word.All)) facts.resetsAll = true;
  else if (take(lexer, Word.Session)) facts.setVariable = AUTHORIZATION;
  else if (take(lexer, Word.Transaction)) facts.setVariable = 'transaction_isolation';
  else facts.setVariable = settingAt(lexer);
  scan(lexer, facts, TO_END);
  return Kind.Reset;
}

/** At DISCARD. */
export function readDiscard(lexer: Lexer, facts: Facts): Kind {
  lexer.next();
  const all = take(lexer, Word.All);
  if (all || take(lexer, Word.Plans)) facts.discardsPlans = true;
  scan(lexer, facts, TO_END);
  return all ? Kind.DiscardAll : Kind.Discard;
}

/** At DEALLOCATE. */
export function readDeallocate(lexer: Lexer, facts: Facts): Kind {
  lexer.next();
  let name = nameAt(lexer);
  // PREPARE is a noise word here unless it is all there is: then it is a statement's name.
  if (take(lexer, Word.Prepare) && !atEnd(lexer)) name = nameAt(lexer);
  const all = lexer.word === Word.All;
  if (!all) facts.deallocateName = name;
  scan(lexer, facts, TO_END);
  return all ? Kind.DeallocateAll : Kind.Deallocate;
}
