/**
 * Transactions over few servers: BEGIN takes none, statements take one, and its end gives it back.
 */
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  backends,
  dropDatabase,
  eventually,
  freshDatabase,
  query as direct,
  sharedCluster,
  value,
  withClient,
} from '../support/cluster.ts';
import {
  bind,
  describeAll,
  execute,
  message,
  parse,
  query,
  RawClient,
  sync,
} from '../support/raw-client.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

let database: string;
let sluice: TestSluice;
const login = (at = sluice) => RawClient.login(at.port, { user: 'postgres', database });

beforeAll(async () => {
  database = await freshDatabase('transactions');
  await direct('CREATE TABLE t (n int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)', { database });
  sluice = await startSluice(sharedCluster(), {
    databases: [database],
    pool: { size: 1 },
    config: { auth: { method: 'trust' } },
  });
});
afterAll(async () => {
  await sluice.stop();
  await dropDatabase(database);
});
afterEach(async () => {
  await sluice.settled();
  expect(sluice.log.messages('error')).toEqual([]);
});

describe('a BEGIN', () => {
  test('holds no server, however many clients have begun', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => login()));
    for (const client of clients) {
      expect(describeAll(await client.query('BEGIN'))).toEqual(['C BEGIN', 'Z T']);
    }
    expect(sluice.counts().clients).toEqual({ open: 20 });
    const states = (await backends(database)).map(({ state }) => state);
    expect(states.filter((state) => state !== 'idle')).toEqual([]);
    for (const client of clients) {
      expect(describeAll(await client.query('SELECT 1')).at(-1)).toBe('Z T');
      expect(describeAll(await client.query('COMMIT'))).toEqual(['C COMMIT', 'Z I']);
    }
    for (const client of clients) client.drop();
  });

  test.each([
    ['SERIALIZABLE READ ONLY DEFERRABLE', 'serializable on'],
    ['ISOLATION LEVEL REPEATABLE READ', 'repeatable read off'],
    ['', 'read committed off'],
  ])('keeps its words: %s', async (words, expected) => {
    const transaction =
      words === '' || words.startsWith('ISOLATION') ? words : `ISOLATION LEVEL ${words}`;
    await withClient(sluice.client(), async (client) => {
      for (const begin of [`BEGIN ${transaction}`, `start transaction ${transaction} ;`]) {
        await client.query(begin);
        const { rows } = await client.query(`SELECT current_setting('transaction_isolation')
          || ' ' || current_setting('transaction_read_only') AS v`);
        expect(rows).toEqual([{ v: expected }]);
        await client.query('ROLLBACK');
      }
    });
  });

  test('twice is a warning, as in Postgres, before and behind the first statement', async () => {
    const client = await login();
    await client.query('BEGIN');
    expect(describeAll(await client.query('BEGIN'))).toEqual(['N 25001', 'C BEGIN', 'Z T']);
    await client.query('SELECT 1');
    expect(describeAll(await client.query('BEGIN'))).toEqual(['N 25001', 'C BEGIN', 'Z T']);
    expect(describeAll(await client.query('ROLLBACK'))).toEqual(['C ROLLBACK', 'Z I']);
    expect(describeAll(await client.query('COMMIT'))).toEqual(['N 25P01', 'C COMMIT', 'Z I']);
    client.drop();
  });

  test('in the extended protocol, named and unnamed, in one batch with the rest', async () => {
    const client = await login();
    client.send(parse('b', 'BEGIN'), parse('c', 'COMMIT'), sync);
    expect(describeAll(await client.until('Z'))).toEqual(['1', '1', 'Z I']);
    client.send(bind('', 'b'), execute(''), sync);
    expect(describeAll(await client.until('Z'))).toEqual(['2', 'C BEGIN', 'Z T']);
    client.send(parse('', 'INSERT INTO t VALUES (1)'), bind('', ''), execute(''));
    client.send(bind('', 'c'), execute(''), sync);
    expect(describeAll(await client.until('Z'))).toEqual([
      '1',
      '2',
      'C INSERT 0 1',
      '2',
      'C COMMIT',
      'Z I',
    ]);
    client.send(
      bind('', 'b'),
      execute(''),
      parse('', 'SELECT 1/0'),
      bind('', ''),
      execute(''),
      sync,
    );
    expect(describeAll(await client.until('Z')).at(-1)).toBe('Z E');
    client.send(bind('', 'c'), execute(''), sync);
    expect(describeAll(await client.until('Z'))).toEqual(['2', 'C ROLLBACK', 'Z I']);
    expect(await value('SELECT count(*) FROM t', { database })).toBe('1');
    client.drop();
  });
});

describe('an error', () => {
  test('in a batch rolls back what the batch had done, and skips the rest of it', async () => {
    const client = await login();
    client.send(parse('', 'INSERT INTO t VALUES (100)'), bind('', ''), execute(''));
    client.send(parse('', 'SELECT 1/0'), bind('', ''), execute(''));
    client.send(parse('', 'INSERT INTO t VALUES (101)'), bind('', ''), execute(''), sync);
    client.send(parse('', 'INSERT INTO t VALUES (102)'), bind('', ''), execute(''), sync);
    expect(describeAll(await client.until('Z'))).toEqual([
      '1',
      '2',
      'C INSERT 0 1',
      '1',
      'E 22012',
      'Z I',
    ]);
    expect(describeAll(await client.until('Z'))).toEqual(['1', '2', 'C INSERT 0 1', 'Z I']);
    expect(await value('SELECT string_agg(n::text, $$,$$) FROM t WHERE n > 99', { database })).toBe(
      '102',
    );
    client.drop();
  });

  test('that only the end of a transaction finds', async () => {
    const client = await login();
    await client.query('BEGIN');
    await client.query('INSERT INTO t VALUES (200), (200)');
    expect(describeAll(await client.query('COMMIT'))).toEqual(['E 23505', 'Z I']);
    client.send(parse('', 'INSERT INTO t VALUES (201), (201)'), bind('', ''), execute(''), sync);
    expect(describeAll(await client.until('Z'))).toEqual([
      '1',
      '2',
      'C INSERT 0 2',
      'E 23505',
      'Z I',
    ]);
    expect(describeAll(await client.query('SELECT 1')).at(-1)).toBe('Z I');
    client.drop();
  });
});

test('Flush without Sync is answered, and the server stays until the Sync', async () => {
  const client = await login();
  client.send(parse('', 'SELECT 1'), bind('', ''), execute(''), message('H'));
  expect(describeAll(await client.until('C'))).toEqual(['1', '2', 'D', 'C SELECT 1']);
  expect(sluice.counts().servers).toEqual({ leased: 1 });
  client.send(sync);
  await client.until('Z');
  expect(sluice.counts().servers).toEqual({ idle: 1 });
  client.drop();
});

test('a thousand batches in one write are answered in their order', async () => {
  const clients = await Promise.all([login(), login()]);
  for (const [which, client] of clients.entries()) {
    for (let n = 0; n < 1000; n++) {
      const text = `SELECT '${which}/${n}'`;
      client.send(
        ...(n % 3 === 0 ? [query(text)] : [parse('', text), bind('', ''), execute(''), sync]),
      );
    }
  }
  for (const [which, client] of clients.entries()) {
    for (let n = 0; n < 1000; n++) {
      const row = (await client.until('Z')).find(({ code }) => code === 'D');
      expect(row?.body.subarray(6).toString()).toBe(`${which}/${n}`);
    }
    client.drop();
  }
});

describe('mode: session', () => {
  test('a client keeps its server, and the next one gets it clean', async () => {
    const own = await startSluice(sharedCluster(), {
      databases: [database],
      pool: { size: 1, mode: 'session' },
    });
    const first = new Client(own.client());
    await first.connect();
    await first.query('CREATE TEMP TABLE mine (n int)');
    await first.query("SET work_mem = '5MB'");
    const second = new Client(own.client());
    await second.connect();
    const answer = second.query(
      "SELECT to_regclass('mine') AS t, current_setting('work_mem') AS w",
    );
    await eventually('it waits', () => own.counts().clients['waiting'] === 1);
    expect((await first.query('SELECT * FROM mine')).rows).toEqual([]);
    await first.end();
    expect((await answer).rows).toEqual([{ t: null, w: '4MB' }]);
    await second.end();
    await own.settled();
    await own.stop();
  });
});

describe('mode: statement', () => {
  test('transactions are refused, statements go wherever there is room', async () => {
    const own = await startSluice(sharedCluster(), {
      databases: [database],
      pool: { size: 1, mode: 'statement' },
    });
    await withClient(own.client(), async (client) => {
      await expect(client.query('BEGIN')).rejects.toMatchObject({ code: '0A000' });
      await expect(client.query('START TRANSACTION')).rejects.toMatchObject({ code: '0A000' });
      await expect(client.query('SELECT 1; BEGIN')).rejects.toMatchObject({ code: '0A000' });
      expect((await client.query('SELECT $1::int AS n', [1])).rows).toEqual([{ n: 1 }]);
    });
    await own.settled();
    await own.stop();
  });
});
