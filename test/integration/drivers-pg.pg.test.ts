/**
 * `pg` through a pool of three servers with twenty clients, over every way.
 */
import { type Client, Query } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backends, dropDatabase, freshDatabase, withClient } from '../support/cluster.ts';
import { type OpenWay, openWay, WAYS } from '../support/ways.ts';

const CLIENTS = 20;
const SERVERS = 3;

describe.each(WAYS)('pg, %s', (way) => {
  let open: OpenWay;
  let database: string;
  const config = () => ({ ...open.target(), ssl: open.ssl });

  beforeAll(async () => {
    database = await freshDatabase('pg');
    open = await openWay(way, { databases: [database], pool: { size: SERVERS } });
    await withClient(config(), (client) =>
      client.query('CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)'),
    );
  });
  afterAll(async () => {
    await open.close();
    await dropDatabase(database);
  });

  afterEach(() => open.sluice.settled());

  /** All at once, each with a connection of its own. */
  async function crowd<T>(use: (client: Client, number: number) => Promise<T>): Promise<T[]> {
    const numbers = Array.from({ length: CLIENTS }, (_, number) => number);
    const results = await Promise.all(
      numbers.map((number) => withClient(config(), (client) => use(client, number))),
    );
    expect((await backends(database)).length).toBeLessThanOrEqual(SERVERS);
    return results;
  }

  test('every client gets its own answers, with and without parameters', async () => {
    const results = await crowd(async (client, number) => {
      const seen: unknown[] = [];
      for (let round = 0; round < 10; round++) {
        seen.push((await client.query(`SELECT ${number * 100 + round} AS v`)).rows[0].v);
        const asked = [`${number}-${round}`, round];
        const { rows } = await client.query('SELECT $1::text AS t, $2::int AS n', asked);
        seen.push(rows[0].t, rows[0].n);
      }
      return seen;
    });
    results.forEach((seen, number) => {
      const rounds = Array.from({ length: 10 }, (_, round) => round);
      expect(seen).toEqual(
        rounds.flatMap((round) => [number * 100 + round, `${number}-${round}`, round]),
      );
    });
  });

  test('the encryption is the way’s on both sides', async () => {
    const encrypted = await withClient(config(), async (client) => {
      const { rows } = await client.query(
        'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
      );
      return rows[0].ssl;
    });
    expect(encrypted).toBe(way !== 'in the clear');
  });

  test('named statements work on whichever server comes', async () => {
    const results = await crowd(async (client, number) => {
      let sum = 0;
      for (let round = 0; round < 20; round++) {
        // Half of the clients share a text, the others have one of their own.
        const text =
          number % 2 === 0 ? 'SELECT $1::int + 1 AS v' : `SELECT $1::int + ${number} AS v`;
        sum += (await client.query({ name: 'add', text, values: [round] })).rows[0].v;
      }
      return sum;
    });
    results.forEach((sum, number) => {
      expect(sum).toBe(190 + 20 * (number % 2 === 0 ? 1 : number));
    });
  });

  test('transactions are kept apart, committed and rolled back', async () => {
    await crowd(async (client, number) => {
      await client.query('BEGIN');
      await client.query('INSERT INTO account VALUES ($1, $2)', [number, 100]);
      await client.query(number % 2 === 0 ? 'COMMIT' : 'ROLLBACK');
      await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY');
      const { rows } = await client.query('SELECT count(*)::int AS n FROM account WHERE id = $1', [
        number,
      ]);
      expect(rows[0].n).toBe(number % 2 === 0 ? 1 : 0);
      await client.query('COMMIT');
    });
  });

  test('an error fails its transaction and nobody else’s', async () => {
    await crowd(async (client, number) => {
      await client.query('BEGIN');
      await client.query('SELECT 1');
      await expect(client.query('SELECT 1/0')).rejects.toMatchObject({ code: '22012' });
      await expect(client.query('SELECT 1')).rejects.toMatchObject({ code: '25P02' });
      expect((await client.query('COMMIT')).command).toBe('ROLLBACK');
      await expect(client.query('SELECT $1::int', ['no number'])).rejects.toMatchObject({
        code: '22P02',
      });
      expect((await client.query('SELECT $1::int AS n', [number])).rows).toEqual([{ n: number }]);
    });
  });

  test('a portal is read in slices', async () => {
    const counts = await crowd(
      (client, number) =>
        new Promise<number>((resolve, reject) => {
          const text = 'SELECT * FROM generate_series(1, $1::int)';
          const slices = new Query({ text, values: [`${1000 + number}`], rows: 7 } as never);
          let count = 0;
          slices.on('row', () => count++);
          slices.on('end', () => resolve(count));
          slices.on('error', reject);
          client.query(slices);
        }),
    );
    expect(counts).toEqual(Array.from({ length: CLIENTS }, (_, number) => 1000 + number));
  });

  test('a string of several statements is one transaction', async () => {
    await withClient(config(), async (client) => {
      const several = await client.query('SELECT 1 AS a; SELECT 2 AS b; SELECT 3 AS c');
      expect((several as unknown as { rows: object[] }[]).map(({ rows }) => rows)).toEqual([
        [{ a: 1 }],
        [{ b: 2 }],
        [{ c: 3 }],
      ]);
      await expect(
        client.query('INSERT INTO account VALUES (900, 1); SELECT 1/0'),
      ).rejects.toMatchObject({ code: '22012' });
      expect((await client.query('SELECT * FROM account WHERE id = 900')).rows).toEqual([]);
    });
  });

  test('LISTEN keeps its server, and notifications arrive', async () => {
    await withClient(config(), async (listener) => {
      await listener.query('LISTEN news');
      const heard = new Promise<string>((resolve) => {
        listener.once('notification', ({ payload }) => resolve(payload ?? ''));
      });
      // More traffic than there are servers: the listener's own is not given away.
      await crowd((client, number) => client.query('SELECT $1::int', [number]));
      await withClient(config(), (client) => client.query("NOTIFY news, 'read all about it'"));
      expect(await heard).toBe('read all about it');
    });
  });
});
