/**
 * Clients that leave without a word. What they left running stops within a second, what they had
 * asked to be kept is kept, and their server is somebody else's again, clean.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  backends,
  dropDatabase,
  eventually,
  freshDatabase,
  query as direct,
  sharedCluster,
  value,
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
  terminate,
} from '../support/raw-client.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

const GONE_WITHIN_MS = 1_000;

let database: string;
let sluice: TestSluice;
const login = (at = sluice) => RawClient.login(at.port, { user: 'postgres', database });
const count = () => value('SELECT count(*) FROM t', { database });

beforeAll(async () => {
  database = await freshDatabase('orphans');
  await direct(
    `CREATE TABLE t (n int);
     CREATE TABLE slow (n int);
     CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$;
     CREATE CONSTRAINT TRIGGER late AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
       FOR EACH ROW EXECUTE FUNCTION dawdle();`,
    { database },
  );
  sluice = await startSluice(sharedCluster(), {
    databases: [database],
    pool: { size: 1 },
    config: { auth: { method: 'trust' } },
  });
});
beforeEach(async () => {
  await direct('TRUNCATE t, slow', { database });
});
afterAll(async () => {
  await sluice.stop();
  await dropDatabase(database);
});

/** The one server there is has nothing of its last client's. */
afterEach(async () => {
  await sluice.settled();
  const client = await login();
  expect(describeAll(await client.query('SELECT 1'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I']);
  client.drop();
  await sluice.settled();
  expect(sluice.log.messages('error')).toEqual([]);
});

const running = async (): Promise<number> =>
  (await backends(database)).filter(({ state }) => state !== 'idle').length;
const sleeps = (): Promise<void> => eventually('it runs', async () => (await running()) === 1);
const stops = (): Promise<void> =>
  eventually('it has stopped', async () => (await running()) === 0, GONE_WITHIN_MS);

describe.each([
  ['RST', (client: RawClient) => client.drop()],
  ['FIN', (client: RawClient) => client.finish()],
])('after a %s', (_, leave) => {
  test('a running statement is cancelled', async () => {
    const client = await login();
    client.send(query('SELECT pg_sleep(60)'));
    await sleeps();
    leave(client);
    await stops();
  });

  test('one of the extended protocol too, its Sync sent or not', async () => {
    for (const end of [[sync], []]) {
      const client = await login();
      client.send(parse('', 'SELECT pg_sleep(60)'), bind('', ''), execute(''), ...end);
      if (end.length === 0) client.send(message('H'));
      await sleeps();
      leave(client);
      await stops();
    }
  });

  test('so is everything pipelined behind it', async () => {
    const client = await login();
    client.send(query('SELECT pg_sleep(60)'), query('SELECT pg_sleep(60)'));
    client.send(query('BEGIN'), query('INSERT INTO t VALUES (1)'), query('SELECT pg_sleep(60)'));
    await sleeps();
    leave(client);
    await stops();
    expect(await count()).toBe('0');
  });

  test('a transaction is rolled back', async () => {
    const client = await login();
    await client.query('BEGIN');
    await client.query('INSERT INTO t VALUES (1)');
    leave(client);
    await stops();
    expect(await count()).toBe('0');
  });

  test('a COMMIT that takes its time is not cancelled', async () => {
    const client = await login();
    await client.query('BEGIN');
    await client.query('INSERT INTO slow VALUES (1)');
    client.send(query('COMMIT'));
    await sleeps();
    leave(client);
    await sluice.settled();
    expect(await value('SELECT count(*) FROM slow', { database })).toBe('1');
  });

  test('a COPY that has begun is given up, whether its data has come or not', async () => {
    for (const data of [Buffer.alloc(0), message('d', Buffer.from('1\n2\n'))]) {
      const client = await login();
      client.send(query('COPY t FROM STDIN'));
      await client.until('G');
      client.send(data);
      leave(client);
      await stops();
      expect(await count()).toBe('0');
    }
  });

  test('one that is only just beginning too', async () => {
    for (let round = 0; round < 20; round++) {
      const client = await login();
      client.send(query('COPY t FROM STDIN'));
      await new Promise((resolve) => setImmediate(resolve));
      leave(client);
    }
    await sluice.settled();
    expect(await count()).toBe('0');
  });

  test('a result nobody reads any more does not hold its server', async () => {
    const client = await login();
    client.send(query("SELECT repeat('x', 100000) FROM generate_series(1, 1000000)"));
    await client.until('D');
    client.socket.pause();
    leave(client);
    client.socket.resume();
    client.socket.destroy();
    await stops();
  });

  test('half a message takes the server with it', async () => {
    const client = await login();
    const huge = query(`SELECT '${'x'.repeat(600_000)}'`);
    client.send(huge.subarray(0, 400_000));
    await eventually('it has a server', () => sluice.counts().servers['leased'] === 1);
    leave(client);
    await sluice.settled();
  });

  test('who waits in the queue leaves it', async () => {
    const holder = await login();
    await holder.query('BEGIN');
    await holder.query('SELECT 1');
    const waiter = await login();
    waiter.send(query('INSERT INTO t VALUES (1)'));
    await eventually('it waits', () => sluice.counts().clients['waiting'] === 1);
    leave(waiter);
    await eventually('it has left', () => sluice.counts().clients['waiting'] === undefined);
    await holder.query('COMMIT');
    holder.drop();
    await sluice.settled();
    expect(await count()).toBe('0');
  });
});

describe('what was sent before a goodbye is done', () => {
  test('a statement', async () => {
    const client = await login();
    client.send(query('INSERT INTO t SELECT 1 FROM pg_sleep(0.3)'), terminate);
    client.finish();
    await sluice.settled();
    expect(await count()).toBe('1');
  });

  test('a batch', async () => {
    const client = await login();
    client.send(parse('', 'INSERT INTO t VALUES (1)'), bind('', ''), execute(''), sync, terminate);
    await sluice.settled();
    expect(await count()).toBe('1');
  });

  test('but not one whose Sync is missing, nor a transaction without its end', async () => {
    const client = await login();
    client.send(parse('', 'INSERT INTO t VALUES (1)'), bind('', ''), execute(''), terminate);
    const other = await login();
    other.send(query('BEGIN'), query('INSERT INTO t VALUES (1)'), terminate);
    await sluice.settled();
    expect(await count()).toBe('0');
  });

  test('nor a COPY without its end', async () => {
    const client = await login();
    client.send(query('COPY t FROM STDIN'), terminate);
    await client.end();
    await sluice.settled();
    expect(await count()).toBe('0');
  });
});

test('cancel_orphans: false lets a statement finish', async () => {
  const patient = await startSluice(sharedCluster(), {
    databases: [database],
    config: {
      auth: { method: 'trust' },
      services: [{ name: 'batch', match: { users: ['*'] }, cancel_orphans: false }],
    },
  });
  const client = await login(patient);
  client.send(query('INSERT INTO t SELECT 1 FROM pg_sleep(0.3)'));
  await sleeps();
  client.drop();
  await patient.settled();
  expect(await count()).toBe('1');
  await patient.stop();
});
