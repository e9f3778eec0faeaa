/**
 * pg_dump and what psql makes of it: a dump through Sluice is the dump without it, and can be
 * restored through it. Over every way.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../src/demo/child.ts';
import {
  clientProgram,
  connectionString,
  dropDatabase,
  freshDatabase,
  query,
  sharedCluster,
  type Target,
} from '../../support/cluster.ts';
import { type OpenWay, openWay, WAYS } from '../../support/ways.ts';

describe.each(WAYS)('pg_dump, %s', (way) => {
  let open: OpenWay;
  let database: string;
  let copy: string;
  let folder: string;
  let expected: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-dump-'));
    database = await freshDatabase('dump');
    copy = await freshDatabase('restored');
    await query(SCHEMA, { database });
    open = await openWay(way, { databases: [database, copy], pool: { size: 4 } });
    expected = await dump(direct(database), 'sslmode=disable');
  });
  afterAll(async () => {
    await open.close();
    await dropDatabase(database);
    await dropDatabase(copy);
    rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    await open.sluice.settled();
    expect(open.sluice.log.messages('error')).toEqual([]);
  });

  function direct(name: string): Target {
    const { host, port, superuser: user, password } = sharedCluster().primary;
    return { host, port, user, password, database: name };
  }

  async function dump(
    target: Target,
    parameters = open.parameters,
    more: readonly string[] = [],
  ): Promise<string> {
    const path = join(folder, 'dump.sql');
    const args = ['-f', path, ...more, '-d', connectionString(target, parameters)];
    const { code, output } = await run(clientProgram('pg_dump'), args, null, folder);
    expect({ code, output }).toEqual({ code: 0, output: '' });
    return comparable(readFileSync(path, 'utf8'));
  }

  test('schema and data are the same to the letter', async () => {
    expect(expected).toContain('COPY public.orders');
    expect(await dump(open.target())).toBe(expected);
  });

  test('with INSERT statements, and read with cursors, too', async () => {
    const inserts = ['--inserts', '--rows-per-insert=50'];
    expect(await dump(open.target(), open.parameters, inserts)).toBe(
      await dump(direct(database), 'sslmode=disable', inserts),
    );
  });

  test('a parallel dump, four sessions on one snapshot, holds the same tables', async () => {
    const args = ['-Fd', '-j', '3', '-f', join(folder, 'parallel')];
    const string = connectionString(open.target(), open.parameters);
    const result = await run(clientProgram('pg_dump'), [...args, '-d', string], null, folder);
    expect(result).toEqual({ code: 0, output: '' });
  });

  test('what was dumped is restored through it', async () => {
    await dump(open.target());
    const args = ['--no-psqlrc', '-q', '-v', 'ON_ERROR_STOP=1', '-f', join(folder, 'dump.sql')];
    const target = connectionString(open.target({ database: copy }), open.parameters);
    const { code, output } = await run(clientProgram('psql'), [...args, target], null, folder);
    expect({
      code,
      output: output.replaceAll(/^\s*(setval|set_config|-+|\d*|\(1 row\))\s*$/gm, '').trim(),
    }).toEqual({ code: 0, output: '' });
    expect(await dump(direct(copy), 'sslmode=disable')).toBe(expected);
  });
});

/** Since August 2025 a dump begins and ends with a random word (CVE-2025-8714). */
function comparable(text: string): string {
  return text.replaceAll(/^\\(un)?restrict .*$/gm, '');
}

/** Something of everything that a dump asks the catalog about. */
const SCHEMA = `
  CREATE TYPE mood AS ENUM ('calm', 'busy');
  CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
  CREATE TABLE customers (id serial PRIMARY KEY, mail email, mood mood DEFAULT 'calm', doc jsonb);
  CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer int REFERENCES customers,
    amount numeric(10, 2) CHECK (amount >= 0),
    note text, photo bytea, tags text[],
    at timestamptz DEFAULT '2024-02-29 12:34:56.789+09');
  CREATE INDEX orders_note ON orders (lower(note)) WHERE amount > 10;
  CREATE TABLE events (at date, what text) PARTITION BY RANGE (at);
  CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
  CREATE VIEW busy AS SELECT * FROM customers WHERE mood = 'busy';
  CREATE MATERIALIZED VIEW totals AS SELECT customer, sum(amount) FROM orders GROUP BY 1;
  CREATE FUNCTION add(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT a + b $$;
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
    $body$ BEGIN NEW.note := NEW.note || '''$$'; RETURN NEW; END $body$;
  COMMENT ON TABLE orders IS 'it''s all here; -- really';
  INSERT INTO customers (mail, mood, doc)
    SELECT n || '@example.org', CASE WHEN n % 3 = 0 THEN 'busy' ELSE 'calm' END::mood,
      jsonb_build_object('n', n, 'text', repeat('ü', n % 50)) FROM generate_series(1, 500) AS n;
  INSERT INTO orders (customer, amount, note, photo, tags)
    SELECT 1 + n % 500, n / 7.0, E'tab\\t line\\n back\\\\slash ' || n,
      decode(md5(n::text), 'hex'), ARRAY['a', NULL, '"' || n] FROM generate_series(1, 5000) AS n;
  INSERT INTO events SELECT '2024-01-01'::date + n, 'day ' || n FROM generate_series(0, 300) AS n;
  CREATE TRIGGER touch BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();
  REFRESH MATERIALIZED VIEW totals;
  GRANT SELECT ON orders TO scram_user;
  ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON customers USING (mail = current_user);
`;
