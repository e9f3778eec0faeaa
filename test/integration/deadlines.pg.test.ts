/** What may take only so long: transactions, pauses in them, silence outside of them. */
import { afterEach, beforeAll, afterAll, expect, test } from 'vitest';
import {
  backends,
  dropDatabase,
  eventually,
  freshDatabase,
  sharedCluster,
} from '../support/cluster.ts';
import { describeAll, errorText, query, RawClient } from '../support/raw-client.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';
import type { ConfigTree } from '../support/sluice-config.ts';

let database: string;
let sluice: TestSluice;

beforeAll(async () => {
  database = await freshDatabase('deadlines');
});
afterAll(() => dropDatabase(database));
afterEach(async () => {
  await sluice.settled();
  // Whatever was open has been rolled back.
  expect((await backends(database)).filter(({ state }) => state !== 'idle')).toEqual([]);
  expect(sluice.log.messages('error')).toEqual([]);
  await sluice.stop();
});

async function start(timeouts: ConfigTree, pool: ConfigTree = {}): Promise<void> {
  sluice = await startSluice(sharedCluster(), {
    databases: [database],
    pool: { size: 1, ...pool },
    timeouts,
    config: { auth: { method: 'trust' } },
  });
}

const login = () => RawClient.login(sluice.port, { user: 'postgres', database });

async function lastWords(client: RawClient): Promise<string[]> {
  const messages = await client.end();
  const last = messages.at(-1);
  return last === undefined ? [] : [...describeAll(messages.slice(-1)), errorText(last)];
}

test('idle_in_transaction: a pause between statements, with a server and without', async () => {
  await start({ idle_in_transaction: '200ms' });
  const expected = ['E 25P03', 'terminating connection due to idle-in-transaction timeout'];
  const without = await login();
  await without.query('BEGIN');
  expect(await lastWords(without)).toEqual(expected);
  const failed = await login();
  await failed.query('BEGIN');
  await failed.query('SELECT 1/0');
  expect(await lastWords(failed)).toEqual(expected);
});

test('idle_in_transaction does not count while the server works', async () => {
  await start({ idle_in_transaction: '200ms' });
  const client = await login();
  await client.query('BEGIN');
  expect(describeAll(await client.query('SELECT pg_sleep(0.6)')).at(-1)).toBe('Z T');
  expect(describeAll(await client.query('COMMIT'))).toEqual(['C COMMIT', 'Z I']);
  client.drop();
});

test('nor while the client waits for a server', async () => {
  await start({ idle_in_transaction: '300ms' });
  const holder = await login();
  holder.send(query('SELECT pg_sleep(0.8)'));
  const waiter = await login();
  await waiter.query('BEGIN');
  expect(describeAll(await waiter.query('SELECT 1')).at(-1)).toBe('Z T');
  await waiter.query('COMMIT');
  holder.drop();
  waiter.drop();
});

test('nor to a session that is merely pinned, or in a session pool', async () => {
  await start({ idle_in_transaction: '200ms' }, { size: 2 });
  const pinned = await login();
  await pinned.query('LISTEN news');
  const other = await login();
  await other.query('SELECT pg_sleep(0.6)');
  expect(describeAll(await pinned.query('SELECT 1')).at(-1)).toBe('Z I');
  pinned.drop();
  other.drop();
});

test('transaction: from BEGIN to its end, busy or not', async () => {
  await start({ transaction: '400ms' });
  const client = await login();
  await client.query('BEGIN');
  const startedMs = performance.now();
  const answers = async (): Promise<void> => {
    for (;;) await client.query('SELECT pg_sleep(0.02)');
  };
  await expect(answers()).rejects.toThrow('E 25P04');
  expect(performance.now() - startedMs).toBeGreaterThan(300);
  expect(performance.now() - startedMs).toBeLessThan(1500);
});

test('transaction: a statement that runs past it is cancelled', async () => {
  await start({ transaction: '300ms' });
  const client = await login();
  await client.query('BEGIN');
  client.send(query('SELECT pg_sleep(60)'));
  expect((await lastWords(client))[0]).toBe('E 25P04');
  await eventually(
    'its statement has stopped',
    async () => (await backends(database)).every(({ state }) => state === 'idle'),
    1000,
  );
});

test('a statement outside a transaction has no transaction deadline', async () => {
  await start({ transaction: '200ms' });
  const client = await login();
  expect(describeAll(await client.query('SELECT pg_sleep(0.6)')).at(-1)).toBe('Z I');
  client.drop();
});

test('client_idle: silence outside of a transaction', async () => {
  await start({ client_idle: '300ms' });
  const quiet = await login();
  const busy = await login();
  for (let round = 0; round < 8; round++) await busy.query('SELECT pg_sleep(0.1)');
  expect(await lastWords(quiet)).toEqual([
    'E 57P05',
    'terminating connection due to idle-session timeout',
  ]);
  busy.drop();
});
