import { describe, expect, test } from 'vitest';
import { PinReason } from '../../../src/sql/pin-reason.ts';
import { analyse, OVERSIZED_STATEMENT, UNLEXABLE_STATEMENT } from '../../../src/sql/statement.ts';
import { Kind, kindName } from '../../../src/sql/statement-kind.ts';
import { LexFault } from '../../../src/sql/tokens.ts';

describe('plain transaction statements', () => {
  test.each([
    ['BEGIN', 'BEGIN'],
    ['begin', 'BEGIN'],
    ['BEGIN;', 'BEGIN'],
    ['  ;; /* x */ BEGIN -- y', 'BEGIN'],
    ['BEGIN WORK', 'BEGIN'],
    ['BEGIN TRANSACTION', 'BEGIN'],
    ['START TRANSACTION', 'START TRANSACTION'],
    ['start transaction read only', 'START TRANSACTION'],
    ['BEGIN ISOLATION LEVEL SERIALIZABLE', 'BEGIN'],
    ['BEGIN ISOLATION LEVEL REPEATABLE READ', 'BEGIN'],
    ['BEGIN ISOLATION LEVEL READ COMMITTED', 'BEGIN'],
    ['BEGIN ISOLATION LEVEL READ UNCOMMITTED, READ WRITE', 'BEGIN'],
    ['BEGIN READ ONLY DEFERRABLE', 'BEGIN'],
    ['BEGIN READ ONLY, NOT DEFERRABLE, READ ONLY', 'BEGIN'],
  ])('%j begins', (text, tag) => {
    const statement = analyse(text, true);
    expect(statement.plainBegin).toBe(true);
    expect(statement.commandTag).toBe(tag);
    expect(statement.opensTransaction).toBe(true);
    expect(statement.endsTransaction).toBe(false);
    expect(statement.pin).toBeNull();
  });

  test.each([
    'BEGIN; SELECT 1',
    'BEGIN; BEGIN',
    'BEGIN READ',
    'BEGIN READ ONLY,',
    'BEGIN , READ ONLY',
    'BEGIN READ ONLY,, READ WRITE',
    'BEGIN ISOLATION LEVEL',
    'BEGIN ISOLATION LEVEL SNAPSHOT',
    'BEGIN ISOLATION LEVEL REPEATABLE',
    'BEGIN WORK TRANSACTION',
    'BEGIN NOT READ ONLY',
    'BEGIN "work"',
    'BEGIN $1',
    'BEGIN (READ ONLY)',
    'BEGIN)',
    'START',
    'START TRANSACTION WORK',
    'START WORK',
    'EXPLAIN BEGIN',
    'SELECT $$BEGIN$$',
    '"begin"',
    'BEGIN /*',
  ])('%j must be asked of a server', (text) => {
    const statement = analyse(text, true);
    expect(statement.plainBegin).toBe(false);
    expect(statement.commandTag).toBeNull();
  });

  test.each(['COMMIT', 'commit work;', 'COMMIT TRANSACTION', 'END', 'END WORK AND NO CHAIN'])(
    '%j commits',
    (text) => {
      const statement = analyse(text, true);
      expect(statement).toMatchObject({ plainCommit: true, plainRollback: false });
      expect(statement).toMatchObject({ commandTag: 'COMMIT', endsTransaction: true });
    },
  );

  test.each(['ROLLBACK', 'rollback transaction', 'ABORT', 'ABORT WORK', 'ROLLBACK AND NO CHAIN'])(
    '%j rolls back',
    (text) => {
      const statement = analyse(text, true);
      expect(statement).toMatchObject({ plainCommit: false, plainRollback: true });
      expect(statement).toMatchObject({ commandTag: 'ROLLBACK', endsTransaction: true });
    },
  );

  test.each([
    'COMMIT AND CHAIN',
    'COMMIT AND NO',
    'COMMIT WORK TRANSACTION',
    "COMMIT PREPARED 'x'",
    'COMMIT; COMMIT',
    'ROLLBACK AND CHAIN',
    'ROLLBACK TO a',
    'ROLLBACK WORK TO SAVEPOINT a',
    "ROLLBACK PREPARED 'x'",
    'END PREPARED',
    'EXPLAIN COMMIT',
  ])('%j is not plain', (text) => {
    const statement = analyse(text, true);
    expect(statement).toMatchObject({ plainCommit: false, plainRollback: false, commandTag: null });
  });
});

describe('what ends a transaction', () => {
  test.each([
    ['COMMIT AND CHAIN', true],
    ['END', true],
    ['ABORT', true],
    ["PREPARE TRANSACTION 'x'", true],
    ["COMMIT PREPARED 'x'", true],
    ["ROLLBACK PREPARED 'x'", true],
    ['UPDATE t SET a = 1; COMMIT', true],
    ['COMMIT; SELECT 1', true],
    ['ROLLBACK TO a', false],
    ['RELEASE a', false],
    ['PREPARE transaction AS SELECT 1', false],
    ["SELECT 'COMMIT'", false],
    ['SELECT 1 -- ; COMMIT', false],
    ['SELECT "commit" FROM rollback', false],
  ])('%j: %s', (text, ends) => {
    expect(analyse(text, true).endsTransaction).toBe(ends);
  });
});

describe('settings', () => {
  test.each([
    ['SET Work_Mem = 1', 'work_mem'],
    ['SET "TimeZone" TO x', 'timezone'],
    ['SET TIME ZONE x', 'timezone'],
    ['SET SESSION TIME ZONE x', 'timezone'],
    ['SET NAMES x', 'client_encoding'],
    ['SET SCHEMA x', 'search_path'],
    ['SET My.Custom.Thing = 1', 'my.custom.thing'],
    ['SET my."A b" = 1', 'my.a b'],
    ['SET ROLE x', 'role'],
    ['SET SESSION AUTHORIZATION x', 'session_authorization'],
    ['SET session.x = 1', 'session.x'],
    ['SET x TO DEFAULT', 'x'],
    ['RESET DateStyle', 'datestyle'],
    ['RESET TIME ZONE', 'timezone'],
    ['RESET SESSION AUTHORIZATION', 'session_authorization'],
    ['RESET TRANSACTION ISOLATION LEVEL', 'transaction_isolation'],
    ['SET LOCAL x = 1', null],
    ['RESET ALL', null],
    ['SET x = 1; SET y = 2', null],
    ['SET U&"x" = 1', null],
    ['SHOW x', null],
  ])('%j is about %j', (text, setting) => {
    expect(analyse(text, true).setVariable).toBe(setting);
  });

  test('RESET ALL is told from RESET of one, also among others', () => {
    expect(analyse('RESET ALL', true).resetsAll).toBe(true);
    expect(analyse('SELECT 1; RESET ALL; SELECT 2', true).resetsAll).toBe(true);
    expect(analyse('RESET "all"', true).resetsAll).toBe(false);
    expect(analyse('DISCARD ALL', true).resetsAll).toBe(false);
  });
});

describe('DEALLOCATE and DISCARD', () => {
  const long = 'x'.repeat(70);
  test.each([
    ['DEALLOCATE p', 'p'],
    ['DEALLOCATE My_Plan', 'my_plan'],
    ['DEALLOCATE "My ""Plan"""', 'My "Plan"'],
    ['DEALLOCATE PREPARE p', 'p'],
    ['DEALLOCATE prepare', 'prepare'],
    ['DEALLOCATE PREPARE prepare;', 'prepare'],
    ['DEALLOCATE "all"', 'all'],
    ['DEALLOCATE \u00dcber', '\u00dcber'],
    [`DEALLOCATE ${long}`, 'x'.repeat(63)],
    [`DEALLOCATE "${'\u00e4'.repeat(32)}"`, '\u00e4'.repeat(31)],
    ['DEALLOCATE a; DEALLOCATE b', null],
    ['DEALLOCATE ALL', null],
    ['DEALLOCATE PREPARE ALL', null],
  ])('%j names %j', (text, name) => {
    expect(analyse(text, true).deallocateName).toBe(name);
  });

  test.each([
    ['DEALLOCATE ALL', true, false, false],
    ['DEALLOCATE PREPARE ALL', true, false, false],
    ['DISCARD ALL', false, true, true],
    ['SELECT 1; DISCARD ALL', false, true, true],
    ['DISCARD PLANS', false, false, true],
    ['DISCARD TEMP', false, false, false],
    ['DISCARD SEQUENCES', false, false, false],
    ['DEALLOCATE p', false, false, false],
  ])('%j', (text, deallocatesAll, discardsAll, discardsPlans) => {
    expect(analyse(text, true)).toMatchObject({ deallocatesAll, discardsAll, discardsPlans });
  });
});

describe('several statements', () => {
  test('have the kind of the most dangerous one', () => {
    const statement = analyse('SELECT 1; DELETE FROM t; BEGIN', true);
    expect(statement.count).toBe(3);
    expect(statement.kinds).toEqual([Kind.Select, Kind.Delete, Kind.Begin]);
    expect(statement.kind).toBe(Kind.Delete);
    expect(statement.opensTransaction).toBe(true);
  });

  test('count for nothing when they are empty', () => {
    expect(analyse(' ; /* x */ ;', true)).toMatchObject({ count: 0, kind: Kind.Empty, pin: null });
  });

  test('of no known kind are unknown, and no more than that', () => {
    const statement = analyse('FROBNICATE x; SELECT 1', true);
    expect(statement.kinds).toEqual([Kind.Unknown, Kind.Select]);
    expect(statement).toMatchObject({ kind: Kind.Unknown, fault: null, pin: null });
  });
});

describe('what cannot be read', () => {
  test.each([
    ["SELECT 'a", LexFault.UnterminatedString],
    ["BEGIN; SELECT E'\\'", LexFault.UnterminatedString],
    ['COMMIT /* ', LexFault.UnterminatedComment],
    ['SELECT 1\0', LexFault.NulCharacter],
    [`SELECT ${'('.repeat(6_000)}`, LexFault.TooDeep],
    [`SELECT '${'x'.repeat(300_000)}'`, LexFault.TooLong],
  ])('is unknown, and may be anything', (text, fault) => {
    const statement = analyse(text, true);
    expect(statement).toMatchObject({
      fault,
      count: 1,
      kinds: [Kind.Unknown],
      kind: Kind.Unknown,
      pin: PinReason.Unknown,
      plainBegin: false,
      plainCommit: false,
      plainRollback: false,
      commandTag: null,
      opensTransaction: true,
      endsTransaction: true,
      setVariable: null,
      deallocateName: null,
      deallocatesAll: false,
      discardsAll: false,
    });
  });

  test('has two shared statements for texts nobody brings to the lexer', () => {
    expect(OVERSIZED_STATEMENT).toMatchObject({ text: '', kind: Kind.Unknown });
    expect(UNLEXABLE_STATEMENT).toMatchObject({ text: '', kind: Kind.Unknown, count: 1 });
  });
});

test('standard_conforming_strings changes what a text says', () => {
  const text = "SELECT 'a\\'; DELETE FROM t; --'";
  expect(analyse(text, true).kinds).toEqual([Kind.Select, Kind.Delete]);
  expect(analyse(text, false).kinds).toEqual([Kind.Select]);
  const other = "SELECT 'a\\''; DELETE FROM t; --'";
  expect(analyse(other, true).kinds).toEqual([Kind.Select]);
  expect(analyse(other, false).kinds).toEqual([Kind.Select, Kind.Delete]);
});

test('a string goes on over a line comment, in the manner it began', () => {
  // The server's own reading; libpg-query takes the second line for a string of its own.
  expect(analyse("SELECT E'a' -- x\n'\\'; DELETE FROM t; --'", true).kinds).toEqual([Kind.Select]);
  expect(analyse("SELECT 'a'\n--x\n--y\n'\\'; DELETE FROM t", true).count).toBe(2);
});

test('kinds have names for people', () => {
  expect(kindName(Kind.SetSessionCharacteristics)).toBe('set_session_characteristics');
  const numbers = Object.values(Kind);
  expect(numbers).toEqual(numbers.map((_, index) => index));
});
