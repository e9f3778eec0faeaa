/**
 * SET, RESET, DISCARD and DEALLOCATE: the statements that change what a session is.
 *
 * What pins is decided by one rule: a session is tied to its server by what it leaves there that
 * nobody else could restore. Going back to a default leaves nothing (RESET, SET ... TO DEFAULT,
 * SET SESSION AUTHORIZATION DEFAULT, as client-side pools send on every return), what ends with
 * the transaction leaves nothing, and what the server reports is followed.
 */
import type { Facts } from './facts.ts';
import type { Lexer } from './lexer.ts';
import { nameAt } from './names.ts';
import { PinReason } from './pin-reason.ts';
import { atEnd, scan, skip, TO_END, take } from './scan.ts';
import { FOLLOWED_SETTINGS, TRANSACTION_SETTINGS } from './settings.ts';
import { Kind } from './statement-kind.ts';
import { Token } from './tokens.ts';
import { Word } from './words.ts';

/** At SET. */
export function readSet(lexer: Lexer, facts: Facts): Kind {
  lexer.next();
  const kind = readSetTail(lexer, facts);
  scan(lexer, facts, TO_END);
  return kind;
}

/**
 * Behind SET. Every special word may also be a setting's name, or the first half of a custom
 * one's (`SET local.x = 1` is a plain SET), so the name is read first.
 */
function readSetTail(lexer: Lexer, facts: Facts): Kind {
  let local = false;
  let session = false;
  for (;;) {
    const word = lexer.word;
    const setting = settingAt(lexer);
    const isName = setting === null || setting.includes('.') || isAssignment(lexer);
    if (isName) return setNamed(lexer, facts, local, setting);
    switch (word) {
      case Word.Local:
        local = true;
        continue;
      case Word.Session:
        // SET SESSION x is SET x, and SET SESSION SESSION AUTHORIZATION x is allowed.
        session = true;
        continue;
      case Word.Characteristics:
        if (!session) break;
        if (local) return Kind.SetLocal;
        facts.addPin(PinReason.SessionCharacteristics);
        return Kind.SetSessionCharacteristics;
      case Word.Authorization:
        if (!session) break;
        return setNamed(lexer, facts, local, AUTHORIZATION);
      case Word.Transaction:
        return Kind.SetTransaction;
      case Word.Constraints:
        return Kind.SetConstraints;
      case Word.Names:
        return setNamed(lexer, facts, local, 'client_encoding');
      case Word.Schema:
        return setNamed(lexer, facts, local, 'search_path');
      default:
        break;
    }
    return setNamed(lexer, facts, local, setting);
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

/** At the value of the setting, or at the `TO` or `=` before it. */
function setNamed(lexer: Lexer, facts: Facts, local: boolean, setting: string | null): Kind {
  if (isAssignment(lexer)) lexer.next();
  if (setting === ROLE || setting === AUTHORIZATION) return setRole(lexer, facts, local, setting);
  if (setting !== null && TRANSACTION_SETTINGS.has(setting)) return Kind.SetTransaction;
  if (local) return Kind.SetLocal;
  facts.setVariable = setting;
  if (takeDefault(lexer)) return Kind.Reset;
  if (setting === null || !FOLLOWED_SETTINGS.has(setting)) facts.addPin(PinReason.Set);
  return Kind.Set;
}

function isAssignment(lexer: Lexer): boolean {
  return lexer.word === Word.To || lexer.token === Token.Equals;
}

/** SET TIME ZONE LOCAL means the same, but `local` is also a value (of synchronous_commit). */
function takeDefault(lexer: Lexer): boolean {
  return take(lexer, Word.Default) && atEnd(lexer);
}

/**
 * Reads the name of a setting, lower-cased as the server compares them; TIME ZONE is `timezone`.
 * Null when it is not spelled out.
 */
function settingAt(lexer: Lexer): string | null {
  const isTime = lexer.word === Word.Time;
  let setting = nameAt(lexer);
  skip(lexer);
  if (isTime && take(lexer, Word.Zone)) return 'timezone';
  while (lexer.token === Token.Dot) {
    lexer.next();
    const part = nameAt(lexer);
    setting = setting === null || part === null ? null : `${setting}.${part}`;
    skip(lexer);
  }
  return setting === null ? null : setting.toLowerCase();
}

/** At RESET. */
export function readReset(lexer: Lexer, facts: Facts): Kind {
  lexer.next();
  const word = lexer.word;
  const setting = settingAt(lexer);
  if (word === Word.All) facts.resetsAll = true;
  else if (lexer.word === Word.Authorization) facts.setVariable = AUTHORIZATION;
  else if (lexer.word === Word.Isolation) facts.setVariable = 'transaction_isolation';
  else facts.setVariable = setting;
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
