/**
 * State that a pool cannot carry keeps its session on one server, and is gone from that server
 * before the next session gets it.
 */
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  dropDatabase,
  freshDatabase,
  query,
  sharedCluster,
  withClient,
} from '../support/cluster.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

let database: string;
let sluice: TestSluice;

beforeAll(async () => {
  database = await freshDatabase('pins');
  await query(
    `CREATE TABLE t (n int);
     CREATE SEQUENCE counter;
     CREATE ROLE ${database}_role;
     GRANT ${database}_role TO postgres;`,
    { database },
  );
  sluice = await startSluice(sharedCluster(), {
    databases: [database],
    pool: { size: 2 },
  });
});
afterAll(async () => {
  await sluice.stop();
  await query(`DROP ROLE ${database}_role`, { database });
  await dropDatabase(database);
});
afterEach(async () => {
  await sluice.settled();
  expect(sluice.log.messages('error')).toEqual([]);
});

const pid = async (client: Client): Promise<number> =>
  (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;

const HELD_LOCKS =
  "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";

/** Statements after which the session must stay, and a question only its server can answer. */
const PINS: readonly (readonly [what: string, sql: string, ask: string, answer: string])[] = [
  ['a temporary table', 'CREATE TEMP TABLE mine AS SELECT 7 AS v', 'SELECT v FROM mine', '7'],
  ['an advisory lock', 'SELECT pg_advisory_lock(42)', HELD_LOCKS, '1'],
  ['search_path', 'SET search_path = pg_catalog', 'SHOW search_path', 'pg_catalog'],
  ['work_mem', "SET work_mem = '5MB'", 'SHOW work_mem', '5MB'],
  [
    'set_config',
    "SELECT set_config('my.own', 'x', false)",
    "SELECT current_setting('my.own')",
    'x',
  ],
  ['PREPARE', 'PREPARE seven AS SELECT 7', 'EXECUTE seven', '7'],
  ['a cursor WITH HOLD', 'DECLARE c CURSOR WITH HOLD FOR SELECT 7', 'FETCH c', '7'],
  ['currval', "SELECT nextval('counter'); SELECT currval('counter')", 'SELECT 7', '7'],
  ['LISTEN', 'LISTEN news', 'SELECT * FROM pg_listening_channels()', 'news'],
];

test.each(PINS)('%s stays with its session and with no other', async (_, sql, ask, answer) => {
  const before = await everyServerState();
  const client = new Client(sluice.client());
  await client.connect();
  await client.query(sql);
  const own = await pid(client);
  await crowdOut(own);
  expect(await pid(client)).toBe(own);
  const [row] = (await client.query(ask)).rows;
  expect(String(Object.values(row as object)[0])).toBe(answer);
  await client.end();
  await sluice.settled();
  expect(await everyServerState()).toEqual(before);
});

test('SET ROLE and SET SESSION AUTHORIZATION go back to who logged in', async () => {
  for (const set of [`SET ROLE ${database}_role`, `SET SESSION AUTHORIZATION ${database}_role`]) {
    await withClient(sluice.client(), async (client) => {
      await client.query(set);
      const { rows } = await client.query('SELECT current_user AS who');
      expect(rows).toEqual([{ who: `${database}_role` }]);
    });
    await sluice.settled();
    await bothServers(async (client) => {
      const { rows } = await client.query('SELECT current_user AS who, session_user AS session');
      expect(rows).toEqual([{ who: 'postgres', session: 'postgres' }]);
    });
  }
});

test('what lasts only for the transaction pins nobody', async () => {
  const from = sluice.log.lines.length;
  await withClient(sluice.client(), async (client) => {
    await client.query('BEGIN');
    await client.query("SET LOCAL work_mem = '5MB'");
    await client.query('SELECT pg_advisory_xact_lock(42)');
    await client.query('CREATE TEMP TABLE brief (n int) ON COMMIT DROP');
    await client.query('DECLARE c CURSOR FOR SELECT 7');
    await client.query("SELECT set_config('work_mem', '6MB', true)");
    await client.query('COMMIT');
    expect(sluice.counts().servers['leased']).toBe(undefined);
  });
  const said = sluice.log.lines.slice(from).map(({ message }) => message);
  expect(said).not.toContain('session pinned');
});

test('a client that vanishes leaves nothing either', async () => {
  const before = await everyServerState();
  for (const [, sql] of PINS) {
    const client = new Client(sluice.client());
    client.on('error', () => {});
    await client.connect();
    await client.query(sql);
    client.connection.stream.destroy();
    await sluice.settled();
  }
  expect(await everyServerState()).toEqual(before);
});

test('DISCARD ALL ends the pin', async () => {
  await withClient(sluice.client(), async (client) => {
    await client.query('CREATE TEMP TABLE mine (n int)');
    expect(sluice.counts().servers['leased']).toBe(1);
    await client.query('DISCARD ALL');
    expect(sluice.counts().servers['leased']).toBe(undefined);
  });
});

describe('pin: refuse', () => {
  test('says so, and harms neither the transaction’s neighbours nor the session', async () => {
    const strict = await startSluice(sharedCluster(), {
      databases: [database],
      config: { services: [{ name: 'strict', match: { users: ['*'] }, pin: 'refuse' }] },
    });
    await withClient(strict.client(), async (client) => {
      for (const [, sql] of PINS) {
        await expect(client.query(sql)).rejects.toMatchObject({ code: '0A000' });
      }
      await client.query('BEGIN');
      await client.query('INSERT INTO t VALUES (1)');
      await expect(client.query('LISTEN news')).rejects.toMatchObject({ code: '0A000' });
      await expect(client.query('SELECT 1')).rejects.toMatchObject({ code: '25P02' });
      await client.query('ROLLBACK');
      expect((await client.query('SELECT * FROM t')).rows).toEqual([]);
    });
    await strict.settled();
    await strict.stop();
  });
});

/** More traffic than servers, so that whoever is not pinned gets another one. */
async function crowdOut(own: number): Promise<void> {
  const seen = await Promise.all(
    Array.from({ length: 6 }, () => withClient(sluice.client(), (client) => pid(client))),
  );
  expect(seen).not.toContain(own);
}

/** Runs on each server of the pool once. */
async function bothServers<T>(use: (client: Client) => Promise<T>): Promise<T[]> {
  const clients = await Promise.all(
    [0, 1].map(async () => {
      const client = new Client(sluice.client());
      await client.connect();
      return client;
    }),
  );
  await Promise.all(clients.map((client) => client.query('BEGIN; SELECT 1')));
  const results: T[] = [];
  for (const client of clients) {
    results.push(await use(client));
    await client.query('COMMIT');
  }
  await Promise.all(clients.map((client) => client.end()));
  await sluice.settled();
  return results;
}

/** Everything a session could have left behind on a server. */
function everyServerState(): Promise<unknown[]> {
  return bothServers(async (client) => {
    const { rows } = await client.query(`SELECT
      (SELECT json_agg(name || '=' || setting ORDER BY name) FROM pg_settings
        WHERE source = 'session'
          AND name NOT IN ('application_name', 'client_encoding')) AS settings,
      (SELECT count(*) FROM pg_class WHERE relpersistence = 't'
        AND pg_table_is_visible(oid)) AS temporary,
      (SELECT count(*) FROM pg_prepared_statements WHERE from_sql) AS prepared,
      (SELECT count(*) FROM pg_cursors WHERE is_holdable) AS cursors,
      (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
        AND pid = pg_backend_pid()) AS locks,
      (SELECT count(*) FROM pg_listening_channels()) AS channels,
      NULLIF(current_setting('my.own', true), '') AS own`);
    return rows[0];
  });
}
