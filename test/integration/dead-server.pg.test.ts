/**
 * Servers that are not there, go away, or die at work. On a cluster of this file's own, which is
 * killed several times.
 */
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cluster } from '../../src/demo/cluster.ts';
import {
  backends,
  connectTo,
  eventually,
  killBackend,
  ownCluster,
  query,
  terminateBackend,
  withClient,
} from '../support/cluster.ts';
import {
  describeAll,
  parse,
  bind,
  execute,
  query as queryMessage,
  RawClient,
  sync,
} from '../support/raw-client.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

let cluster: Cluster;
let sluice: TestSluice;

beforeAll(async () => {
  cluster = await ownCluster();
  await query('CREATE TABLE t (n int)', {}, cluster.primary);
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  await cluster.primary.start();
  sluice = await startSluice(cluster, {
    pool: { size: 2, check_after: 'off' },
    config: { auth: { method: 'trust' } },
  });
});
afterEach(() => sluice.stop());

const raw = () => RawClient.login(sluice.port, { user: 'postgres', database: 'postgres' });
const connect = async (): Promise<Client> => connectTo({ ...cluster.primary, port: sluice.port });
const own = async () => (await backends('postgres', cluster.primary)).at(0)?.pid as number;

describe('a server that is not there', () => {
  test('is reported as 57P03 quickly, at login and at a statement, and found again', async () => {
    const client = await raw();
    await cluster.primary.stop('immediate');
    await eventually('the loss is noticed', () => sluice.proxy.pools.serverCount === 0);
    const startedMs = performance.now();
    expect(describeAll(await client.query('SELECT 1'))).toEqual(['E 57P03', 'Z I']);
    expect(describeAll(await client.query('SELECT 1'))).toEqual(['E 57P03', 'Z I']);
    client.send(parse('', 'SELECT 1'), bind('', ''), execute(''), sync);
    expect(describeAll(await client.until('Z'))).toEqual(['E 57P03', 'Z I']);
    expect(performance.now() - startedMs).toBeLessThan(3000);
    expect(describeAll(await client.query('BEGIN'))).toEqual(['C BEGIN', 'Z T']);
    expect(describeAll(await client.query('SELECT 1'))).toEqual(['E 57P03', 'Z E']);
    expect(describeAll(await client.query('SELECT 1'))).toEqual(['E 25P02', 'Z E']);
    expect(describeAll(await client.query('ROLLBACK'))).toEqual(['C ROLLBACK', 'Z I']);
    await cluster.primary.start();
    await eventually('it is found again', async () => {
      return describeAll(await client.query('SELECT 1')).at(-2) === 'C SELECT 1';
    });
    client.drop();
  });

  test('at a first login too: the client may come back later', async () => {
    await cluster.primary.stop('immediate');
    await expect(connect()).rejects.toMatchObject({ code: '57P03', severity: 'FATAL' });
    await cluster.primary.start();
    await eventually('it is found again', async () => {
      const client = await connect().catch(() => null);
      await client?.end();
      return client !== null;
    });
  });
});

describe('a server that goes while nobody uses it', () => {
  test('is replaced before the next statement', async () => {
    const client = await connect();
    await client.query('SELECT 1');
    await terminateBackend(await own(), cluster.primary);
    await eventually('the loss is noticed', () => sluice.proxy.pools.serverCount === 0);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });

  test('takes nobody with it when all of them restart', async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, connect));
    await Promise.all(clients.map((client) => client.query('SELECT 1')));
    await cluster.primary.restart('fast');
    await eventually('the losses are noticed', () => sluice.proxy.pools.serverCount === 0);
    const answers = await Promise.all(clients.map((client) => client.query('SELECT 1 AS one')));
    expect(answers.map(({ rows }) => rows[0].one)).toEqual([1, 1, 1, 1, 1]);
    await Promise.all(clients.map((client) => client.end()));
  });
});

describe('a server that dies at work', () => {
  test('pg_terminate_backend: the client gets the server’s own words', async () => {
    const client = await raw();
    client.send(queryMessage('SELECT pg_sleep(60)'));
    await eventually('it runs', async () => (await busy()).length === 1);
    await terminateBackend((await busy())[0] as number, cluster.primary);
    expect(describeAll(await client.end()).at(-1)).toBe('E 57P01');
  });

  test('kill -9 while it sleeps: 08006, since nothing can have been committed', async () => {
    const client = await raw();
    client.send(queryMessage('BEGIN'), queryMessage('SELECT pg_sleep(60)'));
    await client.until('Z');
    await eventually('it runs', async () => (await busy()).length === 1);
    killBackend((await busy())[0] as number);
    expect(describeAll(await client.end()).at(-1)).toBe('E 08006');
    await up();
  });

  test('kill -9 under an INSERT of its own: 08007, since nobody knows', async () => {
    const client = await raw();
    client.send(queryMessage('INSERT INTO t SELECT 1 FROM pg_sleep(60)'));
    await eventually('it runs', async () => (await busy()).length === 1);
    killBackend((await busy())[0] as number);
    expect(describeAll(await client.end())).toEqual(['E 08007']);
    await up();
  });

  test('kill -9 in the middle of a result: the client is cut off, with nothing made up', async () => {
    const client = await raw();
    const rows = "SELECT repeat('x', 100000), pg_sleep(0.001) FROM generate_series(1, 100000)";
    client.send(queryMessage(rows));
    await client.until('D');
    killBackend((await busy())[0] as number);
    const rest = describeAll(await client.end());
    expect(rest.filter((each) => each !== 'D' && !/^E (08006|57P02)$/.test(each))).toEqual([]);
    await up();
  });

  test('everybody else goes on', async () => {
    const bystander = await connect();
    const victim = await raw();
    victim.send(queryMessage('SELECT pg_sleep(60)'));
    await eventually('it runs', async () => (await busy()).length === 1);
    await bystander.query('BEGIN');
    await bystander.query('INSERT INTO t VALUES (7)');
    await terminateBackend((await busy())[0] as number, cluster.primary);
    await victim.end();
    await bystander.query('COMMIT');
    expect((await bystander.query('SELECT n FROM t WHERE n = 7')).rows).toEqual([{ n: 7 }]);
    await bystander.end();
  });

  test('waiters behind it are served by its replacement', async () => {
    const holders = await Promise.all([raw(), raw()]);
    for (const holder of holders) holder.send(queryMessage('SELECT pg_sleep(60)'));
    await eventually('they run', async () => (await busy()).length === 2);
    const waiter = await connect();
    const answer = waiter.query('SELECT 1 AS one');
    await eventually('it waits', () => sluice.counts().clients['waiting'] === 1);
    for (const pid of await busy()) await terminateBackend(pid, cluster.primary);
    expect((await answer).rows).toEqual([{ one: 1 }]);
    await waiter.end();
    for (const holder of holders) await holder.end();
  });

  /** The processes that run a statement for us. */
  async function busy(): Promise<number[]> {
    const all = await backends('postgres', cluster.primary);
    return all
      .filter(({ state, query: text }) => state === 'active' && /sleep/.test(text))
      .map(({ pid }) => pid);
  }

  /** Every Postgres process restarts after one was killed. */
  async function up(): Promise<void> {
    await eventually('the cluster has recovered', () =>
      withClient({ ...sluice.client(), port: cluster.primary.port }, (client) =>
        client.query('SELECT 1'),
      ).then(
        () => true,
        () => false,
      ),
    );
  }
});
