/**
 * Sessions share what servers have prepared, but not what it means: a text that names another table
 * for one of them must read that table.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { dropDatabase, freshDatabase, query as direct, sharedCluster } from '../support/cluster.ts';
import { bind, describeAll, execute, parse, RawClient, sync } from '../support/raw-client.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

let database: string;
let sluice: TestSluice;
const clients: RawClient[] = [];

beforeAll(async () => {
  database = await freshDatabase('shared');
  await direct(
    `CREATE SCHEMA a; CREATE SCHEMA b;
     CREATE TABLE public.t AS SELECT 'public' AS v;
     CREATE TABLE a.t AS SELECT 'a' AS v;
     CREATE TABLE b.t AS SELECT 7 AS w, 8 AS x;`,
    { database },
  );
});
afterAll(() => dropDatabase(database));
beforeEach(async () => {
  sluice = await startSluice(sharedCluster(), {
    databases: [database],
    pool: { size: 1 },
    config: { auth: { method: 'trust' } },
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.drop();
  await sluice.settled();
  await sluice.stop();
});

async function login(more = {}): Promise<RawClient> {
  const client = await RawClient.login(sluice.port, { user: 'postgres', database, ...more });
  clients.push(client);
  return client;
}

/** Prepares and runs the text everybody uses; the first column of its row. */
async function read(client: RawClient, name: string): Promise<string> {
  client.send(parse(name, 'SELECT * FROM t'), bind('', name), execute(''), sync);
  const answer = await client.until('Z');
  const row = answer.find(({ code }) => code === 'D');
  if (row === undefined) return describeAll(answer).join(' ');
  return row.body.subarray(6, 6 + row.body.readInt32BE(2)).toString();
}

test('sessions that log in with other search paths', async () => {
  const plain = await login();
  const a = await login({ search_path: 'a' });
  const b = await login({ options: '-c search_path=b' });
  for (const round of ['1', '2']) {
    expect(await read(plain, round)).toBe('public');
    expect(await read(a, round)).toBe('a');
    expect(await read(b, round)).toBe('7');
  }
});

test('a session that changes its search path', async () => {
  const plain = await login();
  expect(await read(plain, 's')).toBe('public');
  const changes = await login();
  await changes.query('SET search_path = b');
  expect(await read(changes, 's')).toBe('7');
  await changes.query('SET search_path = a');
  expect(await read(changes, 's2')).toBe('a');
  changes.drop();
  expect(await read(plain, 's2')).toBe('public');
});

test('a temporary table of the same name, on a server that has had others before', async () => {
  for (let round = 0; round < 2; round++) {
    const temporary = await login();
    await temporary.query("CREATE TEMP TABLE other AS SELECT 'mine' AS v");
    temporary.drop();
    await sluice.settled();
    const plain = await login();
    expect(await read(plain, 's')).toBe('public');
    const own = await login();
    await own.query("CREATE TEMP TABLE t AS SELECT 'mine' AS v");
    expect(await read(own, 's')).toBe('mine');
    own.drop();
    expect(await read(plain, 's2')).toBe('public');
    plain.drop();
  }
});

test('one that lasts for the transaction only', async () => {
  const earlier = await login();
  await earlier.query('CREATE TEMP TABLE other (n int)');
  earlier.drop();
  await sluice.settled();
  const plain = await login();
  expect(await read(plain, 's')).toBe('public');
  const own = await login();
  await own.query('BEGIN');
  await own.query("CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 'mine' AS v");
  expect(await read(own, 's')).toBe('mine');
  await own.query('COMMIT');
  expect(await read(plain, 's2')).toBe('public');
});
