/**
 * `postgres` (postgres.js), the driver that pipelines, through a pool of three servers with twenty
 * clients, over every way.
 */
import postgres from 'postgres';
import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backends, dropDatabase, freshDatabase, query } from '../support/cluster.ts';
import { type OpenWay, openWay, WAYS } from '../support/ways.ts';

const CLIENTS = 20;
const SERVERS = 3;

describe.each(WAYS)('postgres.js, %s', (way) => {
  let open: OpenWay;
  let database: string;

  beforeAll(async () => {
    database = await freshDatabase('postgres_js');
    open = await openWay(way, { databases: [database], pool: { size: SERVERS } });
    await query(
      `CREATE TABLE item (id int PRIMARY KEY, name text);
       CREATE TYPE colour AS ENUM ('red', 'green');`,
      { database },
    );
  });
  afterAll(async () => {
    await open.close();
    await dropDatabase(database);
  });
  afterEach(() => open.sluice.settled());

  async function using<T>(
    use: (sql: postgres.Sql) => Promise<T>,
    options: postgres.Options<Record<string, never>> = {},
  ): Promise<T> {
    const sql = postgres({
      ...open.target(),
      ssl: open.ssl === false ? false : { ...open.ssl },
      max: CLIENTS,
      onnotice: () => {},
      ...options,
    });
    try {
      return await use(sql);
    } finally {
      await sql.end({ timeout: 5 });
    }
  }

  const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

  test.each([true, false])('hundreds of queries at once, prepare: %s', async (prepare) => {
    await using(
      async (sql) => {
        const asked = numbers(400);
        const answers = await Promise.all(
          asked.map((n) => sql`SELECT ${n}::int AS n, ${`text ${n}`}::text AS t`),
        );
        expect(answers.map(([row]) => row)).toEqual(asked.map((n) => ({ n, t: `text ${n}` })));
        expect((await backends(database)).length).toBeLessThanOrEqual(SERVERS);
      },
      { prepare },
    );
  });

  test('one connection pipelines, and an error in the middle hits its own query', async () => {
    await using(
      async (sql) => {
        const asked = numbers(100);
        const results = await Promise.allSettled(
          asked.map((n) => sql`SELECT 100 / ${n - 50} AS v`),
        );
        results.forEach((result, n) => {
          expect(result.status).toBe(n === 50 ? 'rejected' : 'fulfilled');
          if (result.status === 'fulfilled')
            expect(result.value).toEqual([{ v: Math.trunc(100 / (n - 50)) }]);
          else expect(result.reason).toMatchObject({ code: '22012' });
        });
      },
      { max: 1, max_pipeline: 100 } as never,
    );
  });

  test('transactions and savepoints, all clients at once', async () => {
    await using(async (sql) => {
      await Promise.all(
        numbers(CLIENTS).map((n) =>
          sql
            .begin(async (tx) => {
              await tx`INSERT INTO item VALUES (${n}, ${`kept ${n}`})`;
              await tx
                .savepoint(async (inner) => {
                  await inner`UPDATE item SET name = 'lost' WHERE id = ${n}`;
                  throw new Error('on purpose');
                })
                .catch(() => {});
              if (n % 2 === 1) throw new Error('rolled back');
            })
            .catch((error: Error) => expect(error.message).toBe('rolled back')),
        ),
      );
      const rows = await sql`SELECT id, name FROM item ORDER BY id`;
      const kept = numbers(CLIENTS).filter((n) => n % 2 === 0);
      expect([...rows]).toEqual(kept.map((id) => ({ id, name: `kept ${id}` })));
    });
  });

  test('types are looked up and arrays of them read', async () => {
    await using(
      async (sql) => {
        // The driver learns of the enum's array type by asking the catalog as it connects.
        const [row] = await sql`SELECT '{red,green}'::colour[] AS colours,
          ${[1, 2]}::int[] AS ints, ${sql.json({ a: [1] })} AS json`;
        expect(row).toEqual({ colours: ['red', 'green'], ints: [1, 2], json: { a: [1] } });
      },
      { fetch_types: true },
    );
  });

  test('cursors read a result in slices', async () => {
    await using(async (sql) => {
      const sizes = await Promise.all(
        numbers(CLIENTS).map(async (n) => {
          let count = 0;
          const slices = sql`SELECT * FROM generate_series(1, ${100 + n})`.cursor(9);
          for await (const rows of slices) count += rows.length;
          return count;
        }),
      );
      expect(sizes).toEqual(numbers(CLIENTS).map((n) => 100 + n));
    });
  });

  test('COPY goes in and out as a stream', async () => {
    await using(async (sql) => {
      await sql`CREATE TABLE copied (n int, t text)`;
      const line = (n: number): string => `${n}\t${'x'.repeat(n % 200)}\n`;
      await Promise.all(
        numbers(6).map(async (client) => {
          const into = await sql`COPY copied FROM STDIN`.writable();
          const lines = numbers(2000).map((n) => line(client * 2000 + n));
          await pipeline(Readable.from(lines), into);
        }),
      );
      const out = await sql`COPY (SELECT * FROM copied ORDER BY n) TO STDOUT`.readable();
      expect(await text(out)).toBe(numbers(12_000).map(line).join(''));
      const failed = await sql`COPY copied FROM STDIN`.writable();
      // The driver never says of a COPY that it has failed; what counts is what is there.
      failed.end('not a number\tx\n');
      expect(await sql`SELECT count(*)::int AS n FROM copied`).toEqual([{ n: 12_000 }]);
    });
  });

  test('a query is cancelled while it runs', async () => {
    await using(async (sql) => {
      const slow = sql`SELECT pg_sleep(60)`;
      const answer = slow.execute();
      const running = async (): Promise<boolean> =>
        (await backends(database)).some((each) => each.wait_event === 'PgSleep');
      while (!(await running())) await sql`SELECT 1`;
      slow.cancel();
      await expect(answer).rejects.toMatchObject({ code: '57014' });
    });
  });
});
