/**
 * The words this folder looks at. The lexer hands every unquoted identifier over as one of these
 * numbers, so that everything behind it compares integers and never cuts a string out of the text.
 *
 * A number is found by a hash the lexer computes while it walks over the letters, and then proven
 * letter by letter: two words with the same hash cannot be taken for one another, and a text made
 * to collide costs at most the longest run of the table, which is fixed when this file loads.
 *
 * Folding is ASCII only, as the server folds keywords in every encoding and locale.
 */
export const Word = {
  /** Not one of ours: a name, or a keyword nothing here depends on. */
  None: 0,

  // The first words of statements.
  Abort: 1,
  Alter: 2,
  Analyse: 3,
  Analyze: 4,
  Begin: 5,
  Call: 6,
  Checkpoint: 7,
  Close: 8,
  Cluster: 9,
  Comment: 10,
  Commit: 11,
  Copy: 12,
  Create: 13,
  Deallocate: 14,
  Declare: 15,
  Delete: 16,
  Discard: 17,
  Do: 18,
  Drop: 19,
  End: 20,
  Execute: 21,
  Explain: 22,
  Fetch: 23,
  Grant: 24,
  Import: 25,
  Insert: 26,
  Listen: 27,
  Load: 28,
  Lock: 29,
  Merge: 30,
  Move: 31,
  Notify: 32,
  Prepare: 33,
  Reassign: 34,
  Refresh: 35,
  Reindex: 36,
  Release: 37,
  Repack: 38,
  Reset: 39,
  Revoke: 40,
  Rollback: 41,
  Savepoint: 42,
  Security: 43,
  Select: 44,
  Set: 45,
  Show: 46,
  Start: 47,
  Table: 48,
  Truncate: 49,
  Unlisten: 50,
  Update: 51,
  Vacuum: 52,
  Values: 53,
  With: 54,

  // Words that decide what a statement is once its first word is known.
  All: 55,
  And: 56,
  As: 57,
  Atomic: 58,
  Authorization: 59,
  By: 60,
  Chain: 61,
  Characteristics: 62,
  Committed: 63,
  Constraints: 64,
  Cursor: 65,
  Cycle: 66,
  Default: 67,
  Deferrable: 68,
  Else: 69,
  False: 70,
  For: 71,
  From: 72,
  Function: 73,
  Global: 74,
  Hold: 75,
  Into: 76,
  Isolation: 77,
  Key: 78,
  Language: 79,
  Level: 80,
  Local: 81,
  Loop: 82,
  Materialized: 83,
  Names: 84,
  No: 85,
  Not: 86,
  Off: 87,
  On: 88,
  Only: 89,
  Or: 90,
  PgTemp: 91,
  Plans: 92,
  Plpgsql: 93,
  Prepared: 94,
  Procedure: 95,
  Read: 96,
  Recursive: 97,
  Repeatable: 98,
  Replace: 99,
  Role: 100,
  Schema: 101,
  Search: 102,
  Serializable: 103,
  Session: 104,
  Temp: 105,
  Temporary: 106,
  Then: 107,
  Time: 108,
  To: 109,
  Transaction: 110,
  True: 111,
  Uncommitted: 112,
  Using: 113,
  Verbose: 114,
  Work: 115,
  Write: 116,
  Zone: 117,

  // Functions that leave something on the server's session, or read what another left.
  Currval: 118,
  DblinkConnect: 119,
  DblinkConnectU: 120,
  Lastval: 121,
  PgAdvisoryLock: 122,
  PgAdvisoryLockShared: 123,
  PgReplicationOriginSessionSetup: 124,
  PgTryAdvisoryLock: 125,
  PgTryAdvisoryLockShared: 126,
  SetConfig: 127,
  SetLimit: 128,
  Setseed: 129,
} as const;
export type Word = (typeof Word)[keyof typeof Word];

/** Words from here on are functions, of interest only directly before a parenthesis. */
export const FIRST_FUNCTION = Word.Currval;

/** `PgAdvisoryLock` is spelled `pg_advisory_lock` in SQL. */
const SPELLINGS: readonly string[] = Object.keys(Word).map((key) =>
  key === 'None' ? '' : key.replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase(),
);

/** A power of two several times the number of words, so that runs stay short. */
const SLOTS = 1024;
const table = new Uint8Array(SLOTS);

/** One step of the word hash; `code` may be in either case. */
export function hashStep(hash: number, code: number): number {
  return (Math.imul(hash, 31) + (code | 0x20)) | 0;
}

for (let word = 1; word < SPELLINGS.length; word++) {
  const spelling = SPELLINGS[word]!;
  let hash = 0;
  for (let i = 0; i < spelling.length; i++) hash = hashStep(hash, spelling.charCodeAt(i));
  let slot = hash & (SLOTS - 1);
  while (table[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
  table[slot] = word;
}

/** The word at `text[start, end)`, whose hash is `hash`; `Word.None` when it is not one of ours. */
export function findWord(text: string, start: number, end: number, hash: number): Word {
  let slot = hash & (SLOTS - 1);
  for (;;) {
    const word = table[slot]!;
    if (word === 0) return Word.None;
    if (spells(SPELLINGS[word]!, text, start, end)) return word as Word;
    slot = (slot + 1) & (SLOTS - 1);
  }
}

/** The same for a name that is already cut out and folded, as a quoted identifier is. */
export function wordOf(name: string): Word {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = hashStep(hash, name.charCodeAt(i));
  const word = findWord(name, 0, name.length, hash);
  return SPELLINGS[word] === name ? word : Word.None;
}

function spells(spelling: string, text: string, start: number, end: number): boolean {
  if (spelling.length !== end - start) return false;
  for (let i = 0; i < spelling.length; i++) {
    const expected = spelling.charCodeAt(i);
    const code = text.charCodeAt(start + i);
    // Setting bit 5 lowers an ASCII letter; no other character becomes a letter or `_` by it
    // that was not one, except `@[\]^` and the like, which are no identifier characters.
    if (code !== expected && (code | 0x20) !== expected) return false;
  }
  return true;
}
