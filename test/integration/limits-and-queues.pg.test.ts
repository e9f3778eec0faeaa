/** Full houses: what is refused at once, what waits, and for how long. */
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  dropDatabase,
  eventually,
  freshDatabase,
  sharedCluster,
  withClient,
} from '../support/cluster.ts';
import { startSluice, type TestSluice, testUser } from '../support/sluice.ts';
import type { SluiceOptions } from '../support/sluice-config.ts';

let database: string;
let sluice: TestSluice;
const clients: Client[] = [];

beforeAll(async () => {
  database = await freshDatabase('limits');
});
afterAll(() => dropDatabase(database));
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
  await sluice.settled();
  await sluice.stop();
});

async function start(options: SluiceOptions): Promise<void> {
  sluice = await startSluice(sharedCluster(), { databases: [database], ...options });
}

async function connect(login = {}): Promise<Client> {
  const client = new Client(sluice.client(login));
  client.on('error', () => {});
  await client.connect();
  clients.push(client);
  return client;
}

/** Takes the only server and keeps it until told. */
async function occupy(): Promise<Client> {
  const client = await connect();
  await client.query('BEGIN');
  await client.query('SELECT 1');
  return client;
}

const waiting = (count: number): Promise<void> =>
  eventually(`${count} wait`, () => (sluice.counts().clients['waiting'] ?? 0) === count);

const tooLate = (outcome: Promise<unknown>): Promise<unknown> =>
  outcome.then(
    () => 'answered',
    (error: { code: string }) => error.code,
  );

test('beyond max_clients of its service a client is told 53300 at once', async () => {
  await start({ pool: { size: 1, max_clients: 3 } });
  for (let number = 0; number < 3; number++) await connect();
  const startedMs = performance.now();
  await expect(connect()).rejects.toMatchObject({
    code: '53300',
    severity: 'FATAL',
    message: 'too many clients of service "default"',
  });
  expect(performance.now() - startedMs).toBeLessThan(1000);
  await clients.pop()?.end();
  await eventually('its place is free', async () => (await tooLate(connect())) === 'answered');
});

test('beyond limits.max_clients of the process too, before it has proved anything', async () => {
  await start({ config: { limits: { max_clients: 2 } } });
  await connect();
  await connect();
  await expect(connect({ password: 'wrong' })).rejects.toMatchObject({
    code: '53300',
    message: 'sorry, too many clients already',
  });
});

test('the clients of one service do not take the places of another', async () => {
  const { user, password } = testUser('scram');
  const services = [{ name: 'small', match: { users: [user] }, pool: { max_clients: 1 } }];
  await start({ config: { services } });
  await connect({ user, password });
  await expect(connect({ user, password })).rejects.toMatchObject({ code: '53300' });
  expect((await (await connect()).query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

test('whoever waits longer than queue_timeout gets the error, and may ask again', async () => {
  await start({ pool: { size: 1, queue_timeout: '200ms' } });
  const holder = await occupy();
  const waiter = await connect();
  await expect(waiter.query('SELECT 1')).rejects.toMatchObject({
    code: '53300',
    severity: 'ERROR',
    message: expect.stringMatching(
      /^no server became free for service "default" within (2|3)\d\d ms$/,
    ),
  });
  await holder.query('COMMIT');
  expect((await waiter.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

test('it fails the transaction whose BEGIN had not reached a server', async () => {
  await start({ pool: { size: 1, queue_timeout: '200ms' } });
  const holder = await occupy();
  const waiter = await connect();
  await waiter.query('BEGIN');
  await expect(waiter.query('SELECT 1')).rejects.toMatchObject({ code: '53300' });
  await expect(waiter.query('SELECT 1')).rejects.toMatchObject({ code: '25P02' });
  await holder.query('COMMIT');
  await expect(waiter.query('SELECT $1::int', [1])).rejects.toMatchObject({ code: '25P02' });
  expect((await waiter.query('COMMIT')).command).toBe('ROLLBACK');
  expect((await waiter.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

test('a full queue refuses at once; those in it are served in order', async () => {
  await start({ pool: { size: 1, max_queue: 2 } });
  const holder = await occupy();
  const order: string[] = [];
  const first = await connect();
  const second = await connect();
  const third = await connect();
  const ask = (client: Client, name: string): Promise<unknown> =>
    client.query('SELECT 1').then(() => order.push(name));
  const asked = [ask(first, 'first')];
  await waiting(1);
  asked.push(ask(second, 'second'));
  await waiting(2);
  await expect(third.query('SELECT 1')).rejects.toMatchObject({
    code: '53300',
    message: 'the queue of service "default" is full',
  });
  await holder.query('COMMIT');
  await Promise.all(asked);
  expect(order).toEqual(['first', 'second']);
  expect((await third.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

test('max_queue: 0 means that nobody waits', async () => {
  // But for the time it takes to dial a server that may be had: that is not the queue.
  await start({ pool: { size: 1, max_queue: 0 } });
  const holder = await occupy();
  const other = await connect();
  await expect(other.query('SELECT 1')).rejects.toMatchObject({ code: '53300' });
  await holder.query('COMMIT');
});

test('one slot is shared by two logins, and neither starves', async () => {
  await start({ pool: { size: 1 } });
  const { user, password } = testUser('scram');
  const one = await connect();
  const other = await connect({ user, password });
  for (let round = 0; round < 3; round++) {
    const rows = await Promise.all([
      one.query('SELECT current_user AS user'),
      other.query('SELECT current_user AS user'),
    ]);
    expect(rows.map((result) => result.rows[0].user)).toEqual(['postgres', user]);
  }
  // The busy one asks again before it is answered; the other gets its turn all the same.
  let asking = true;
  const busy = (async () => {
    while (asking) await Promise.all([one.query('SELECT 1'), one.query('SELECT 2')]);
  })();
  expect((await other.query('SELECT current_user AS user')).rows).toEqual([{ user }]);
  asking = false;
  await busy;
});

test('a client that gives up while it waits leaves the queue', async () => {
  await start({ pool: { size: 1 } });
  const holder = await occupy();
  const quitter = await connect();
  const answer = tooLate(quitter.query('SELECT 1'));
  await waiting(1);
  quitter.connection.stream.destroy();
  await answer;
  await waiting(0);
  await holder.query('COMMIT');
  await withClient(sluice.client(), (client) => client.query('SELECT 1'));
});
