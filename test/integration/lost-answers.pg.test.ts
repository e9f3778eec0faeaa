/**
 * A server process is killed at every moment at which an answer can be lost. Whoever may have had
 * something committed is told so, and nobody else is.
 */
import { Client, type QueryConfig } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cluster } from '../../src/demo/cluster.ts';
import { eventually, killBackend, ownCluster, query, value } from '../support/cluster.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

let cluster: Cluster;
let sluice: TestSluice;
let clients: Client[] = [];

const sql = (text: string) => query(text, {}, cluster.primary);

beforeAll(async () => {
  cluster = await ownCluster();
  await sql('CREATE TABLE orders (id int PRIMARY KEY, note text)');
});
beforeEach(async () => {
  sluice = await startSluice(cluster, { pool: { size: 2 } });
});
afterEach(async () => {
  for (const client of clients) await client.end().catch(() => {});
  clients = [];
  await sluice.stop();
  await recovered();
  await sql('TRUNCATE orders');
});
afterAll(() => cluster.stop());

/** The postmaster ends everybody when one process dies, and is back a moment later. */
function recovered(): Promise<void> {
  return eventually('the server is back', () =>
    sql('SELECT 1').then(
      () => true,
      () => false,
    ),
  );
}

async function connect(): Promise<Client> {
  const client = new Client(sluice.client());
  client.on('error', () => {});
  await client.connect();
  clients.push(client);
  return client;
}

async function backendOf(client: Client): Promise<number> {
  return (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
}

/** Sends a statement to a process that is stopped, then kills the process. Gives the code. */
async function killBefore(client: Client, statement: QueryConfig | string): Promise<string> {
  const pid = await backendOf(client);
  process.kill(pid, 'SIGSTOP');
  const answer = codeOf(client.query(statement));
  await eventually('the statement is on its way', isOwed);
  killBackend(pid);
  return answer;
}

/** Sends a statement, waits until the server is at it, and kills the process that runs it. */
async function killDuring(client: Client, statement: QueryConfig | string): Promise<string> {
  const answer = codeOf(client.query(statement));
  const running = `FROM pg_stat_activity WHERE wait_event IN ('PgSleep', 'SyncRep')`;
  await eventually('the statement runs', async () => {
    return (await value(`SELECT count(*) ${running}`, {}, cluster.primary)) === '1';
  });
  killBackend(Number(await value(`SELECT pid ${running}`, {}, cluster.primary)));
  return answer;
}

/** Whether a server owes somebody an answer. */
function isOwed(): boolean {
  return [...sluice.proxy.pools].some((pool) =>
    [...pool.leased].some(({ queue }) => queue.length > 0),
  );
}

async function codeOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'success',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
}

async function rows(): Promise<string> {
  await recovered();
  return value('SELECT count(*) FROM orders', {}, cluster.primary);
}

const doubts = () => sluice.proxy.doubts;

describe('in doubt', () => {
  test('a COMMIT that the server never read', async () => {
    const client = await connect();
    await client.query('BEGIN');
    await client.query("INSERT INTO orders VALUES (1, 'secret')");
    expect(await killBefore(client, 'COMMIT')).toBe('08007');
    expect(await rows()).toBe('0');
    expect(doubts()).toMatchObject([
      { kind: 'commit', statement: 'COMMIT', service: 'default', database: 'postgres' },
    ]);
  });

  test('a write that was running', async () => {
    const client = await connect();
    const slow = "INSERT INTO orders SELECT 1, 'secret' || pg_sleep(60) -- and why";
    expect(await killDuring(client, slow)).toBe('08007');
    expect(await rows()).toBe('0');
    expect(doubts()).toMatchObject([
      { kind: 'write', statement: 'INSERT INTO orders SELECT ?, ? || pg_sleep(?)' },
    ]);
    const line = sluice.log.lines.find(({ message }) => message.includes('is unknown'));
    expect(line).toMatchObject({ level: 'error', attributes: { kind: 'write' } });
    expect(JSON.stringify(line)).not.toContain('secret');
    expect(await sluice.proxy.metrics.text()).toContain('sluice_doubts_total{service="default"} 1');
  });

  test.each(['simple', 'extended'])('a %s write that has been committed', async (protocol) => {
    await sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await sql('SELECT pg_reload_conf()');
    const client = await connect();
    const insert = 'INSERT INTO orders VALUES (2)';
    const statement =
      protocol === 'simple' ? insert : { text: 'INSERT INTO orders VALUES ($1)', values: [2] };
    expect(await killDuring(client, statement)).toBe('08007');
    await recovered();
    await sql('ALTER SYSTEM RESET synchronous_standby_names');
    await sql('SELECT pg_reload_conf()');
    expect(await rows()).toBe('1');
    expect(doubts()).toHaveLength(1);
  });

  test('a COMMIT in the same write as its BEGIN', async () => {
    const client = await connect();
    const all = 'BEGIN; INSERT INTO orders VALUES (3); COMMIT';
    expect(await killBefore(client, all)).toBe('08007');
    expect(doubts()).toMatchObject([{ kind: 'commit' }]);
  });
});

describe('not in doubt', () => {
  test.each([
    ['a read', [], 'SELECT pg_sleep(60)'],
    ['a write in a transaction', ['BEGIN'], 'INSERT INTO orders SELECT 4, pg_sleep(60)::text'],
  ])('%s', async (_what, before, statement) => {
    const client = await connect();
    for (const text of before) await client.query(text);
    expect(await killDuring(client, statement)).toBe('08006');
    expect(doubts()).toEqual([]);
  });

  test('a ROLLBACK', async () => {
    const client = await connect();
    await client.query('BEGIN');
    await client.query('INSERT INTO orders VALUES (5)');
    expect(await killBefore(client, 'ROLLBACK')).toBe('08006');
    expect(doubts()).toEqual([]);
  });

  test('a COMMIT of a transaction that has failed', async () => {
    const client = await connect();
    await client.query('BEGIN');
    const pid = await backendOf(client);
    await codeOf(client.query('SELECT 1 / 0'));
    process.kill(pid, 'SIGSTOP');
    const answer = codeOf(client.query('COMMIT'));
    await eventually('it is on its way', isOwed);
    killBackend(pid);
    expect(await answer).toBe('08006');
    expect(doubts()).toEqual([]);
  });
});
