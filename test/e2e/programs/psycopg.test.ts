/**
 * psycopg 3, which is libpq and not JavaScript: twenty threads on three servers, over every way.
 * What is checked is in `psycopg_checks.py`; each of its checks is a test here.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../src/demo/child.ts';
import { backends, connectionString, dropDatabase, freshDatabase } from '../../support/cluster.ts';
import { type OpenWay, openWay, WAYS } from '../../support/ways.ts';

/** Debian's own: it is the one for which python3-psycopg is installed. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('psycopg_checks.py', import.meta.url));
const SERVERS = 3;

const CHECKS = [
  'parameters',
  'automatic_preparing',
  'prepare_at_once',
  'binary',
  'transactions',
  'pipeline',
  'pipeline_error',
  'server_side_cursor',
  'cursor_with_hold',
  'copy',
  'copy_failure',
  'notifications',
  'cancel',
  'isolation_levels',
  'errors',
];

describe.each(WAYS)('psycopg, %s', (way) => {
  let open: OpenWay;
  let database: string;
  let output: string;
  let problems: ReadonlyMap<string, string | null>;

  beforeAll(async () => {
    database = await freshDatabase('psycopg');
    open = await openWay(way, { databases: [database], pool: { size: SERVERS } });
    const target = connectionString(open.target(), open.parameters);
    ({ output } = await run(PYTHON, ['-B', SCRIPT, target], null, '/'));
    problems = new Map(
      output
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as { check: string; problem: string | null })
        .map(({ check, problem }) => [check, problem]),
    );
  });
  afterAll(async () => {
    await open.close();
    await dropDatabase(database);
  });

  test('is there (Debian: python3-psycopg) and ran every check', () => {
    expect(output).not.toMatch(/No module named|ENOENT/);
    expect([...problems.keys()]).toEqual(CHECKS);
  });

  test.each(CHECKS)('%s', (check) => {
    expect(problems.get(check)).toBe(null);
  });

  test('all of it on three servers, which are at rest again', async () => {
    expect((await backends(database)).length).toBeLessThanOrEqual(SERVERS);
    await open.sluice.settled();
    expect(open.sluice.log.messages('error')).toEqual([]);
  });
});
