import { describe, expect, test } from 'vitest';
import { PinReason } from '../../../src/sql/pin-reason.ts';
import { analyse } from '../../../src/sql/statement.ts';

function pinOf(text: string): PinReason | null {
  return analyse(text, true).pin;
}

describe('what pins', () => {
  const cases: readonly (readonly [PinReason, readonly string[]])[] = [
    [
      PinReason.Set,
      [
        'SET search_path TO a',
        'SET SESSION work_mem = 1',
        'set "Work_Mem" = 1',
        "SET SCHEMA 'x'",
        'SET local.x = 1',
        'SET role.x = 1',
        'SET U&"\\0073earch_path" = x',
        'SET XML OPTION DOCUMENT',
        'SET synchronous_commit TO local',
        'SELECT 1; SET work_mem = 1',
        '/* c */ SET/**/work_mem/**/=/**/1',
      ],
    ],
    [
      PinReason.SetConfig,
      [
        "SELECT set_config('a.b', 'c', false)",
        "SELECT set_config('a.b', 'c', $1)",
        "SELECT SET_CONFIG('a.b', 'c', 'true')",
        'SELECT pg_catalog."set_config"($1, $2, FALSE)',
        "SELECT set_config /* x */ ('a.b', 'true', not true)",
        "SELECT set_config('a', 'b', (true))",
        "SELECT set_config('a', f(1, true), false)",
        "SELECT set_config('a', 'b', true), set_config('a', 'b', false)",
        "SELECT set_config('a', set_config('a', 'b', true), true)",
        "SELECT set_config('a', 'b', x.true)",
        'INSERT INTO t VALUES (set_config($1, $2, $3))',
      ],
    ],
    [
      PinReason.SetRole,
      [
        'SET ROLE x',
        'SET ROLE NONE',
        "SET role = 'x'",
        'SET SESSION ROLE x',
        'SET SESSION AUTHORIZATION x',
        'SET session_authorization TO x',
        'SET "role" TO x',
      ],
    ],
    [
      PinReason.SessionCharacteristics,
      [
        'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
        'SET SESSION SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
      ],
    ],
    [
      PinReason.TempTable,
      [
        'CREATE TEMP TABLE t (a int)',
        'create local temporary table t (a int) on commit delete rows',
        'CREATE TEMP SEQUENCE s',
        'CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1',
        'CREATE TABLE pg_temp.t (a int)',
        'CREATE FUNCTION "pg_temp".f() RETURNS int RETURN 1',
        'CREATE TABLE U&"pg\\005ftemp".t (a int)',
        'SELECT 1 INTO TEMP t',
        'SELECT a INTO LOCAL TEMPORARY TABLE t FROM s',
        'WITH x AS (SELECT 1) SELECT * INTO TEMP t FROM x',
        'SELECT 1 INTO pg_temp.t',
        '(SELECT 1 INTO TEMP t)',
        'EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1',
      ],
    ],
    [
      PinReason.AdvisoryLock,
      [
        'SELECT pg_advisory_lock(1)',
        'SELECT PG_TRY_ADVISORY_LOCK (1, 2)',
        'SELECT pg_catalog.pg_advisory_lock_shared(1)',
        'SELECT "pg_try_advisory_lock_shared"(1)',
        'SELECT * FROM t WHERE pg_try_advisory_lock(id) FOR UPDATE',
        'WITH x AS (SELECT pg_advisory_lock(1)) SELECT * FROM x',
        "SELECT set_config('a', 'b', pg_try_advisory_lock(1))",
        'SELECT pg_advisory_lock-- c\n(1)',
        'COPY (SELECT pg_advisory_lock(1)) TO STDOUT',
        'EXPLAIN (ANALYZE) SELECT pg_advisory_lock(1)',
      ],
    ],
    [PinReason.Listen, ['LISTEN a', 'SELECT 1; listen "A"']],
    [PinReason.Prepare, ['PREPARE p AS SELECT 1', 'PREPARE transaction AS SELECT 1']],
    [
      PinReason.WithHoldCursor,
      [
        'DECLARE c CURSOR WITH HOLD FOR SELECT 1',
        'DECLARE cursor NO SCROLL CURSOR WITH HOLD FOR SELECT 1',
        'EXPLAIN ANALYZE DECLARE c CURSOR WITH HOLD FOR SELECT 1',
      ],
    ],
    [PinReason.Load, ["LOAD 'auto_explain'"]],
    [PinReason.Sequence, ["SELECT currval('s')", 'INSERT INTO t VALUES (lastval())']],
    [
      PinReason.SessionFunction,
      ['SELECT setseed(0.5)', "SELECT dblink_connect('a', 'b')", 'SELECT set_limit(0.5)'],
    ],
    [
      PinReason.Unknown,
      [
        'SELECT U&"pg\\005fadvisory_lock"(1)',
        'DO $$ BEGIN SET work_mem = 1; END $$',
        "DO $$ BEGIN EXECUTE 'SET x = 1'; END $$",
        'DO $$ BEGIN PERFORM pg_advisory_lock(1); END $$',
        'DO $$ BEGIN PERFORM "pg_advisory_lock"(1); END $$',
        'DO $$ BEGIN IF true THEN SET ROLE x; END IF; END $$',
        'DO $$ BEGIN CREATE TEMP TABLE t (a int); END $$',
        "DO 'BEGIN NULL; END'",
        'DO LANGUAGE plpython3u $$ pass $$',
        "DO $$ BEGIN RAISE 'x; END $$",
      ],
    ],
  ];

  for (const [reason, texts] of cases) {
    test.each(texts)(`${reason}: %s`, (text) => {
      expect(pinOf(text)).toBe(reason);
    });
  }

  test.each([
    'SELECT 1',
    'SET LOCAL work_mem = 1',
    'SET LOCAL ROLE x',
    'SET LOCAL SESSION AUTHORIZATION x',
    'SET CONSTRAINTS ALL DEFERRED',
    'SET TRANSACTION READ ONLY',
    'SET transaction_read_only = on',
    "SET application_name = 'x'",
    'SET DateStyle = ISO',
    'SET "DATESTYLE" TO ISO',
    "SET TIME ZONE 'UTC'",
    "SET SESSION TIME ZONE 'UTC'",
    "SET NAMES 'utf8'",
    'SET standard_conforming_strings = on',
    'SET work_mem TO DEFAULT',
    'SET role TO DEFAULT',
    'SET SESSION AUTHORIZATION DEFAULT',
    'RESET work_mem',
    'RESET ALL',
    'RESET ROLE',
    'RESET SESSION AUTHORIZATION',
    'DISCARD ALL',
    'DEALLOCATE ALL',
    'CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); RESET ALL',
    "SELECT set_config('a', 'b', true)",
    "SELECT set_config('a', f(1, g(2)), TRUE), set_config('b', $1, true)",
    "SELECT nextval('s')",
    'SELECT pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2), pg_advisory_unlock(3)',
    'SELECT pg_advisory_lock FROM t',
    'SELECT a.lastval, t."currval" FROM t',
    "SELECT 'pg_advisory_lock(1)', $$set_config('a', 'b', false)$$ -- lastval()",
    'SELECT pg_advisory_lock2(1)',
    'CREATE TABLE t (temp real, temporary text)',
    'CREATE TEMP TABLE t (a int) ON COMMIT DROP',
    'CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1',
    'DECLARE c CURSOR FOR SELECT 1',
    'DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1',
    'EXPLAIN SELECT pg_advisory_lock(1)',
    'EXPLAIN CREATE TEMP TABLE t AS SELECT 1',
    "PREPARE TRANSACTION 'x'",
    'EXECUTE p',
    'UNLISTEN a',
    'NOTIFY a',
    'SELCT 1',
    'DO $$ BEGIN UPDATE t SET a = 1; UPDATE "t" SET a = 1; END $$',
    'DO $$ BEGIN SET LOCAL work_mem = 1; END $$',
    'DO $$ BEGIN CREATE TRIGGER x BEFORE INSERT ON t EXECUTE FUNCTION f(); END $$',
    "DO $$ BEGIN CREATE TYPE e AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    'DO $$ BEGIN ALTER TABLE t ALTER COLUMN a SET NOT NULL; END $$ LANGUAGE plpgsql',
  ])('nothing: %s', (text) => {
    expect(pinOf(text)).toBeNull();
  });
});
