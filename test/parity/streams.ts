/**
 * What clients say, as bytes. Each turn is one write; how many ReadyForQuery (or which message
 * without one) ends its answer is said beside it. Before every run the table `parity` has the rows
 * 1 to 10, with `v1` to `v10`.
 */
import { copyDone, flush, sync } from '../../src/wire/constants.ts';
import {
  bind,
  close,
  copyData,
  copyFail,
  describe,
  execute,
  parse,
  query,
} from '../conversation/say.ts';

export interface Turn {
  readonly sent: Buffer;
  /** The answer is over after so many of these messages; by default one ReadyForQuery. */
  readonly until: string;
  readonly count: number;
}

export type Stream = readonly Turn[];

function turn(...messages: readonly Buffer[]): Turn {
  return { sent: Buffer.concat(messages), until: 'Z', count: 1 };
}

/** Several answers to one write. */
function many(count: number, ...messages: readonly Buffer[]): Turn {
  return { sent: Buffer.concat(messages), until: 'Z', count };
}

/** An answer without its ReadyForQuery. */
function upTo(until: string, ...messages: readonly Buffer[]): Turn {
  return { sent: Buffer.concat(messages), until, count: 1 };
}

const q = (text: string): Turn => turn(query(text));
const run = (text: string, ...values: readonly (string | null)[]): Buffer =>
  Buffer.concat([parse('', text), bind('', '', values), describe('P', ''), execute('')]);
const x = (text: string, ...values: readonly (string | null)[]): Turn =>
  turn(run(text, ...values), sync);

const ALL = 'SELECT id, v FROM parity ORDER BY id';
const COPY = 'COPY parity FROM STDIN';

const simple: Readonly<Record<string, Stream>> = {
  'a result': [q(ALL)],
  'no rows': [q('SELECT id FROM parity WHERE false')],
  'no columns': [q('SELECT FROM parity')],
  'nulls and long values': [q("SELECT NULL AS n, repeat('x', 10000) AS x, '' AS e")],
  'types and their formats': [
    q("SELECT 1::int2, 2::int8, 1.5::numeric(4,2), true, '{1,2}'::int[]"),
    q("SELECT '\\x00ff'::bytea, 'a'::char, 1.5::float8, '2020-02-29'::date"),
  ],
  'an empty string': [q(''), q(';'), q(' -- nothing'), q('/* ; */;;')],
  'several statements': [q(`SELECT 1; INSERT INTO parity VALUES (11, 'x'); SELECT 2; ${ALL}`)],
  'an error between statements': [
    q("INSERT INTO parity VALUES (11, 'x'); SELECT 1/0; SELECT 1"),
    q(ALL),
  ],
  'errors of every kind': [
    q('SELEC 1'),
    q('SELECT * FROM there_is_no_such_table'),
    q("INSERT INTO parity VALUES (1, 'again')"),
    q("SELECT 'x'::int"),
    q('SELECT id FROM parity WHERE nothing = 1'),
  ],
  'a notice and a warning': [q("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$")],
  tags: [
    q("INSERT INTO parity VALUES (11, 'x'), (12, 'y')"),
    q("UPDATE parity SET v = 'z' WHERE id > 10"),
    q('DELETE FROM parity WHERE id > 10'),
    q('CREATE TABLE parity_made (x int)'),
    q('DROP TABLE parity_made'),
    q('ANALYZE parity'),
    q('EXPLAIN (COSTS OFF) SELECT 1'),
  ],
  RETURNING: [q("INSERT INTO parity VALUES (11, 'x') RETURNING id, v")],
  'pipelined queries': [many(3, query('SELECT 1'), query('SELECT 1/0'), query('SELECT 2'))],
  'quotes and comments': [
    q("SELECT 'it''s', E'\\n', $tag$ ; ' $tag$, \"id\" FROM parity /* ; /* ' */ */ LIMIT 1"),
  ],
  'text that is not ASCII': [q('SELECT \'žluťoučký 🐘\' AS "ž"')],
};

const transactions: Readonly<Record<string, Stream>> = {
  kept: [q('BEGIN'), q("INSERT INTO parity VALUES (11, 'x')"), q('COMMIT'), q(ALL)],
  undone: [q('BEGIN'), q('DELETE FROM parity'), q('ROLLBACK'), q(ALL)],
  empty: [q('BEGIN'), q('COMMIT'), q('START TRANSACTION'), q('ROLLBACK'), q('begin;'), q('end;')],
  'begun twice': [q('BEGIN'), q('BEGIN'), q('SELECT 1'), q('BEGIN'), q('COMMIT')],
  'ended without having begun': [q('COMMIT'), q('ROLLBACK'), q('END WORK')],
  failed: [q('BEGIN'), q('SELECT 1/0'), q('SELECT 1'), q('BEGIN'), q('COMMIT'), q('SELECT 1')],
  'failed at once': [q('BEGIN'), q('SELEC'), q('SELEC'), q('ROLLBACK')],
  savepoints: [
    q('BEGIN'),
    q('SAVEPOINT a'),
    q('DELETE FROM parity'),
    q('SELECT 1/0'),
    q('ROLLBACK TO a'),
    q('RELEASE a'),
    q('COMMIT'),
    q(ALL),
  ],
  chained: [
    q('BEGIN'),
    q('DELETE FROM parity WHERE id = 1'),
    q('COMMIT AND CHAIN'),
    q('DELETE FROM parity'),
    q('ROLLBACK AND CHAIN'),
    q('ROLLBACK'),
    q(ALL),
  ],
  modes: [
    q('BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE'),
    q('SHOW transaction_isolation'),
    q("INSERT INTO parity VALUES (11, 'x')"),
    q('ROLLBACK'),
    q('BEGIN READ ONLY'),
    q('SHOW transaction_read_only'),
    q('COMMIT'),
  ],
  'bad modes': [q('BEGIN ISOLATION LEVEL NONE'), q('BEGIN READ'), q('COMMIT AND'), q('SELECT 1')],
  'in one string': [
    q("BEGIN; INSERT INTO parity VALUES (11, 'x'); COMMIT; SELECT 1"),
    q('BEGIN; SELECT 1'),
    q('ROLLBACK; SELECT 2'),
    q('COMMIT; BEGIN; SELECT 1/0; COMMIT'),
    q('ROLLBACK'),
  ],
  cursors: [
    q('BEGIN'),
    q(`DECLARE c CURSOR FOR ${ALL}`),
    q('FETCH 3 FROM c'),
    turn(execute('c', 2), sync),
    turn(describe('P', 'c'), sync),
    q('CLOSE c'),
    q('COMMIT'),
  ],
  'by the extended protocol': [
    x('BEGIN'),
    x('SELECT 1'),
    x('SELECT 1/0'),
    x('SELECT 2'),
    x('COMMIT'),
  ],
  'in one batch': [turn(run('BEGIN'), run('DELETE FROM parity'), run('ROLLBACK'), sync), q(ALL)],
  'begun and left in one batch': [
    turn(run('BEGIN'), sync),
    turn(run('SELECT 1'), run('END'), sync),
  ],
};

const extended: Readonly<Record<string, Stream>> = {
  unnamed: [x(ALL), x('SELECT $1::int + 1', '41'), x('SELECT $1::text', null)],
  'unnamed, later': [turn(parse('', ALL), sync), turn(bind('', ''), execute(''), sync)],
  'unnamed, gone after a query': [
    turn(parse('', 'SELECT 1'), sync),
    q('SELECT 2'),
    turn(bind('', ''), execute(''), sync),
  ],
  named: [
    turn(parse('a', 'SELECT $1::int AS n'), parse('b', ALL), sync),
    turn(bind('', 'a', ['1']), execute(''), bind('', 'b'), execute(''), sync),
    turn(describe('S', 'a'), describe('S', 'b'), sync),
    turn(bind('', 'a', ['2']), execute(''), sync),
  ],
  'named twice': [
    turn(parse('a', 'SELECT 1'), sync),
    turn(parse('a', 'SELECT 2'), sync),
    q('SELECT 3'),
  ],
  'named and closed': [
    turn(parse('a', 'SELECT 1'), sync),
    turn(close('S', 'a'), close('S', 'a'), sync),
    turn(bind('', 'a'), execute(''), sync),
    turn(parse('a', 'SELECT 2'), bind('', 'a'), execute(''), sync),
  ],
  'never prepared': [
    turn(bind('', 'a'), execute(''), sync),
    turn(describe('S', 'a'), sync),
    turn(bind('', ''), sync),
    turn(execute('p'), sync),
    turn(describe('P', 'p'), sync),
  ],
  'parameter types': [turn(parse('a', 'SELECT $1, $2', [23, 25]), describe('S', 'a'), sync)],
  'types that cannot be found': [
    turn(parse('a', 'SELECT $1 + $2'), sync),
    x('SELECT $1::int', 'x'),
  ],
  'too few values': [turn(parse('', 'SELECT $1::int'), bind('', '', []), sync)],
  'statements that have no result': [
    turn(parse('a', "INSERT INTO parity VALUES ($1::int, 'x')"), describe('S', 'a'), sync),
    turn(bind('', 'a', ['11']), describe('P', ''), execute(''), sync),
    turn(parse('', ''), bind('', ''), describe('P', ''), execute(''), sync),
  ],
  'an error stops the batch': [
    turn(run("INSERT INTO parity VALUES (11, 'x')"), run('SELECT 1/0'), run('SELECT 1'), sync),
    q(ALL),
  ],
  'an error in Parse stops the batch': [
    turn(parse('a', 'SELECT 1'), parse('b', 'SELEC'), parse('c', 'SELECT 2'), sync),
    turn(describe('S', 'a'), sync),
    turn(describe('S', 'c'), sync),
  ],
  'batches in one write': [
    many(3, run('SELECT 1'), sync, run('SELECT 1/0'), run('SELECT 2'), sync, run('SELECT 3'), sync),
  ],
  'nothing but Sync': [turn(sync), many(3, sync, sync, sync)],
  Flush: [
    upTo('T', parse('', ALL), describe('S', ''), flush),
    upTo('2', bind('', ''), flush),
    turn(execute(''), sync),
  ],
  'rows in pieces': [
    turn(parse('', ALL), bind('p', ''), execute('p', 4), execute('p', 4), execute('p', 4), sync),
    turn(parse('', ALL), bind('', ''), execute('', 10), execute('', 10), sync),
  ],
  'portals in a transaction': [
    q('BEGIN'),
    turn(parse('', ALL), bind('p', ''), execute('p', 3), sync),
    q('SELECT 1'),
    turn(execute('p', 3), sync),
    turn(bind('p', '', []), sync),
    q('ROLLBACK'),
  ],
  'a portal does not outlive its transaction': [
    turn(parse('', ALL), bind('p', ''), execute('p', 3), sync),
    turn(execute('p', 3), sync),
  ],
  'portals bound and closed': [
    turn(parse('', ALL), bind('p', ''), close('P', 'p'), close('P', 'p'), execute('p'), sync),
  ],
  'a query in the middle of a batch': [
    many(1, parse('', 'SELECT 1'), bind('', ''), query('SELECT 2')),
    q('SELECT 3'),
  ],
  'prepared by SQL': [
    q('PREPARE s AS SELECT $1::int AS n'),
    q('EXECUTE s(1)'),
    turn(bind('', 's', ['2']), execute(''), sync),
    q('DEALLOCATE s'),
    q('EXECUTE s(1)'),
  ],
  'deallocated by SQL': [
    turn(parse('a', 'SELECT 1'), sync),
    q('DEALLOCATE a'),
    turn(bind('', 'a'), sync),
    q('DEALLOCATE a'),
    turn(parse('a', 'SELECT 2'), sync),
    q('DEALLOCATE ALL'),
    turn(describe('S', 'a'), sync),
  ],
};

const copy: Readonly<Record<string, Stream>> = {
  in: [upTo('G', query(COPY)), turn(copyData('11\tx\n12\t'), copyData('y\n'), copyDone), q(ALL)],
  'in, without waiting': [turn(query(COPY), copyData('11\tx\n'), copyDone), q(ALL)],
  'in, extended': [upTo('G', run(COPY)), turn(copyData('11\tx\n'), copyDone, sync), q(ALL)],
  'in, given up': [upTo('G', query(COPY)), turn(copyData('11\tx\n'), copyFail('no')), q(ALL)],
  'in, bad data': [
    upTo('G', query(COPY)),
    turn(copyData('nonsense\n'), copyData('11\tx\n'), copyDone),
    q('SELECT 1'),
  ],
  'in a transaction that fails': [
    q('BEGIN'),
    upTo('G', query(COPY)),
    turn(copyData('1\ttwice\n'), copyDone),
    q('SELECT 1'),
    q('ROLLBACK'),
  ],
  'ends that nobody asked for': [turn(copyData('x'), copyDone, copyFail('x'), query('SELECT 1'))],
  out: [q('COPY parity TO STDOUT'), x('COPY (SELECT 1) TO STDOUT'), q('COPY nothing TO STDOUT')],
  'several in one string': [
    upTo('G', query(`${COPY}; SELECT 1; COPY (SELECT 2) TO STDOUT`)),
    turn(copyDone),
  ],
};

const settings: Readonly<Record<string, Stream>> = {
  'that are reported': [
    q("SET application_name = 'me'"),
    q('SHOW application_name'),
    q("SET timezone = 'Asia/Kolkata'"),
    q('SHOW timezone'),
    q('RESET timezone'),
    q('SHOW timezone'),
  ],
  'for a transaction': [
    q('BEGIN'),
    q("SET LOCAL datestyle = 'German'"),
    q('SHOW datestyle'),
    q('COMMIT'),
    q('SHOW datestyle'),
    q('BEGIN'),
    q("SET application_name = 'me'"),
    q('ROLLBACK'),
    q('SHOW application_name'),
  ],
  'that change how literals read': [
    q('SET standard_conforming_strings = off; SET escape_string_warning = off'),
    q("SELECT 'a\\nb'"),
    turn(parse('a', "SELECT 'a\\nb'"), bind('', 'a'), execute(''), sync),
  ],
  'that are not reported': [q("SET statement_timeout = '1h'"), q('SHOW statement_timeout')],
  'taken back by DISCARD ALL': [
    q("SET application_name = 'me'"),
    turn(parse('a', 'SELECT 1'), sync),
    q('DISCARD ALL'),
    q('SHOW application_name'),
    turn(bind('', 'a'), sync),
  ],
  wrong: [q("SET timezone = 'nowhere'"), q('SET nothing = 1'), q('SHOW nothing')],
  'and temporary tables': [
    q('CREATE TEMP TABLE t (x int)'),
    q('INSERT INTO t VALUES (1)'),
    x('SELECT x + 0 FROM t'),
    q('DISCARD ALL'),
    q('SELECT x FROM t'),
  ],
};

export const streams: Readonly<Record<string, Readonly<Record<string, Stream>>>> = {
  simple,
  transactions,
  extended,
  copy,
  settings,
};
