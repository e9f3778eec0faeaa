/** Cancel requests reach their own client's statement, and no other, however late they are. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  backends,
  dropDatabase,
  eventually,
  freshDatabase,
  sharedCluster,
} from '../support/cluster.ts';
import {
  describeAll,
  int32,
  parse,
  bind,
  execute,
  query,
  RawClient,
  requestCancel,
  startup,
  sync,
  untyped,
} from '../support/raw-client.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

let database: string;
let sluice: TestSluice;
const login = () => RawClient.login(sluice.port, { user: 'postgres', database });

beforeAll(async () => {
  database = await freshDatabase('cancel');
  sluice = await startSluice(sharedCluster(), {
    databases: [database],
    pool: { size: 2 },
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

const sleepers = async (): Promise<number> =>
  (await backends(database)).filter(({ wait_event }) => wait_event === 'PgSleep').length;

/** A client in the middle of a long statement. */
async function sleeping(): Promise<RawClient> {
  const before = await sleepers();
  const client = await login();
  client.send(query('SELECT pg_sleep(60)'));
  await eventually('it sleeps', async () => (await sleepers()) > before);
  return client;
}

test('a statement is cancelled by its own key, and the one beside it is not', async () => {
  const one = await sleeping();
  const other = await sleeping();
  await requestCancel(sluice.port, one.processId, one.secret);
  expect(describeAll(await one.until('Z')).slice(-2)).toEqual(['E 57014', 'Z I']);
  expect(await sleepers()).toBe(1);
  await requestCancel(sluice.port, other.processId, other.secret);
  expect(describeAll(await other.until('Z')).slice(-2)).toEqual(['E 57014', 'Z I']);
  expect(describeAll(await one.query('SELECT 1')).at(-1)).toBe('Z I');
  one.drop();
  other.drop();
});

test('in a transaction and in the extended protocol as well', async () => {
  const client = await login();
  await client.query('BEGIN');
  client.send(parse('', 'SELECT pg_sleep(60)'), bind('', ''), execute(''), sync);
  await eventually('it sleeps', async () => (await sleepers()) === 1);
  await requestCancel(sluice.port, client.processId, client.secret);
  expect(describeAll(await client.until('Z'))).toEqual(['1', '2', 'E 57014', 'Z E']);
  expect(describeAll(await client.query('ROLLBACK'))).toEqual(['C ROLLBACK', 'Z I']);
  client.drop();
});

test('a wrong key is ignored', async () => {
  const client = await sleeping();
  const wrong = Buffer.from(client.secret);
  wrong[0] = (wrong[0] as number) ^ 1;
  await requestCancel(sluice.port, client.processId, wrong);
  await requestCancel(sluice.port, client.processId + 1, client.secret);
  await requestCancel(sluice.port, client.processId, Buffer.concat([client.secret, client.secret]));
  await requestCancel(sluice.port, -1, client.secret);
  const malformed = await RawClient.open(sluice.port);
  malformed.send(untyped(int32(80_877_102), int32(client.processId)));
  await malformed.end();
  expect(await sleepers()).toBe(1);
  await requestCancel(sluice.port, client.processId, client.secret);
  await client.until('Z');
  client.drop();
});

test('a client that waits in the queue is answered without ever having a server', async () => {
  const holders = [await sleeping(), await sleeping()];
  const waiter = await login();
  waiter.send(query('SELECT 1'));
  await eventually('it waits', () => sluice.counts().clients['waiting'] === 1);
  await requestCancel(sluice.port, waiter.processId, waiter.secret);
  expect(describeAll(await waiter.until('Z'))).toEqual(['E 57014', 'Z I']);
  expect(sluice.counts().clients['waiting']).toBe(undefined);
  // In a transaction that has no server yet it fails that transaction.
  expect(describeAll(await waiter.query('BEGIN'))).toEqual(['C BEGIN', 'Z T']);
  waiter.send(query('SELECT 1'));
  await eventually('it waits', () => sluice.counts().clients['waiting'] === 1);
  await requestCancel(sluice.port, waiter.processId, waiter.secret);
  expect(describeAll(await waiter.until('Z'))).toEqual(['E 57014', 'Z E']);
  for (const client of [...holders, waiter]) client.drop();
});

test('a request for a client that does nothing does nothing', async () => {
  const idle = await login();
  const working = await sleeping();
  await requestCancel(sluice.port, idle.processId, idle.secret);
  await idle.query('BEGIN');
  await requestCancel(sluice.port, idle.processId, idle.secret);
  expect(await sleepers()).toBe(1);
  expect(describeAll(await idle.query('COMMIT'))).toEqual(['C COMMIT', 'Z I']);
  idle.drop();
  working.drop();
});

test('a late one never hits the next client’s statement', async () => {
  const config = { auth: { method: 'trust' } };
  const small = await startSluice(sharedCluster(), {
    databases: [database],
    pool: { size: 1 },
    config,
  });
  const canceller = await RawClient.login(small.port, { user: 'postgres', database });
  const victim = await RawClient.login(small.port, { user: 'postgres', database });
  let hits = 0;
  for (let round = 0; round < 300; round++) {
    // The request and the end of the statement it is for race each other, a little later each time.
    const statement = `SELECT pg_sleep(${((round % 20) * 0.0002).toFixed(4)})`;
    canceller.send(query(statement));
    const cancelled = requestCancel(small.port, canceller.processId, canceller.secret);
    victim.send(query(`SELECT ${round}, pg_sleep(0.002)`));
    const own = describeAll(await canceller.until('Z'));
    if (own.includes('E 57014')) hits++;
    expect(describeAll(await victim.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I']);
    await cancelled;
  }
  // The race must have gone both ways for this to have shown anything.
  expect(hits).toBeGreaterThan(0);
  expect(hits).toBeLessThan(300);
  canceller.drop();
  victim.drop();
  await small.settled();
  await small.stop();
});

test('over protocol 3.2 the key is long, and works', async () => {
  const client = await RawClient.open(sluice.port);
  client.send(startup({ user: 'postgres', database }, 0x0003_0002));
  await client.until('Z');
  expect(client.secret).toHaveLength(32);
  client.send(query('SELECT pg_sleep(60)'));
  await eventually('it sleeps', async () => (await sleepers()) === 1);
  await requestCancel(sluice.port, client.processId, client.secret.subarray(0, 4));
  expect(await sleepers()).toBe(1);
  await requestCancel(sluice.port, client.processId, client.secret);
  expect(describeAll(await client.until('Z')).slice(-2)).toEqual(['E 57014', 'Z I']);
  client.drop();
});
