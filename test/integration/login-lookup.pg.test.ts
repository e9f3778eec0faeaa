/**
 * Users Sluice knows by what a server stores of their passwords: verifiers in the configuration,
 * and users that `auth.query` finds. They are logged in to the server as themselves.
 */
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, query, sharedCluster, withClient } from '../support/cluster.ts';
import { RawClient, startup } from '../support/raw-client.ts';
import { TEST_USERS } from '../support/cluster-facts.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

const ROLES = ['keen_scram', 'keen_expired', 'keen_without'];

beforeAll(async () => {
  await dropRoles();
  await query("CREATE ROLE keen_scram LOGIN PASSWORD 'first'");
  await query("CREATE ROLE keen_expired LOGIN PASSWORD 'first' VALID UNTIL '2020-01-01'");
  await query('CREATE ROLE keen_without LOGIN');
});
afterAll(dropRoles);

async function dropRoles(): Promise<void> {
  for (const role of ROLES) await query(`DROP ROLE IF EXISTS ${role}`);
}

async function stored(user: string): Promise<string> {
  const rows = await query<{ passwd: string }>(
    `SELECT passwd FROM pg_shadow WHERE usename = '${user}'`,
  );
  return rows[0]!.passwd;
}

function whoAmI(sluice: TestSluice, user: string, password: string): Promise<string> {
  return withClient({ ...sluice.client({ user, password }) }, async (client: Client) => {
    const { rows } = await client.query('SELECT session_user AS name');
    return rows[0].name as string;
  });
}

async function refusal(login: Promise<unknown>): Promise<string> {
  try {
    await login;
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code} ${message}`;
  }
  return 'let in';
}

describe('a verifier in the configuration', () => {
  test('lets the user in, and on to the server that stores the same', async () => {
    const users = { keen_scram: { password: await stored('keen_scram') } };
    const config = { auth: { users, failure_delay: '10ms' } };
    const sluice = await startSluice(sharedCluster(), { config });
    try {
      expect(await whoAmI(sluice, 'keen_scram', 'first')).toBe('keen_scram');
      expect(await refusal(whoAmI(sluice, 'keen_scram', 'second'))).toMatch(/^28P01 /);
    } finally {
      await sluice.stop();
    }
  });

  test('that is not the one the server stores is refused clearly', async () => {
    const verifier = await stored('keen_scram');
    const users = { keen_scram: { password: verifier } };
    const sluice = await startSluice(sharedCluster(), { config: { auth: { users } } });
    await query("ALTER ROLE keen_scram PASSWORD 'first'");
    try {
      expect(await refusal(whoAmI(sluice, 'keen_scram', 'first'))).toBe(
        '28000 no password is known with which to log in as "keen_scram" to database "postgres"',
      );
    } finally {
      await sluice.stop();
    }
  });

  test('md5: what is stored is enough on both sides', async () => {
    const { user, password } = TEST_USERS.md5;
    expect(await stored(user)).toMatch(/^md5/);
    const users = { [user]: { password: await stored(user) } };
    const config = { auth: { method: 'md5', users, failure_delay: '10ms' } };
    const sluice = await startSluice(sharedCluster(), { config });
    try {
      expect(await whoAmI(sluice, user, password)).toBe(user);
      expect(await refusal(whoAmI(sluice, user, 'wrong'))).toMatch(/^28P01 /);
    } finally {
      await sluice.stop();
    }
  });
});

describe('auth.query', () => {
  let sluice: TestSluice;
  beforeAll(async () => {
    const { superuser: user, password } = sharedCluster().primary;
    const auth = { query: { database: 'postgres', user, password }, failure_delay: '10ms' };
    sluice = await startSluice(sharedCluster(), { config: { auth } });
    await query("ALTER ROLE keen_scram PASSWORD 'first'");
  });
  afterAll(() => sluice.stop());

  test('finds users, and tells no stranger from a wrong password', async () => {
    expect(await whoAmI(sluice, 'keen_scram', 'first')).toBe('keen_scram');
    const words = 'password authentication failed for user';
    const login = (user: string, password: string) => refusal(whoAmI(sluice, user, password));
    expect(await login('keen_scram', 'wrong')).toBe(`28P01 ${words} "keen_scram"`);
    expect(await login('keen_nobody', 'first')).toBe(`28P01 ${words} "keen_nobody"`);
    expect(await login('keen_without', 'first')).toBe(`28P01 ${words} "keen_without"`);
    // CVE-2025-2291: a password that is no longer valid lets nobody in.
    expect(await login('keen_expired', 'first')).toBe(`28P01 ${words} "keen_expired"`);
    const quoted = `keen'; DROP ROLE keen_scram; --`;
    expect(await login(quoted, 'first')).toBe(`28P01 ${words} "${quoted}"`);
    expect(await whoAmI(sluice, 'keen_scram', 'first')).toBe('keen_scram');
  });

  test('a changed password soon counts, and the old one no longer', async () => {
    expect(await whoAmI(sluice, 'keen_scram', 'first')).toBe('keen_scram');
    await query("ALTER ROLE keen_scram PASSWORD 'second'");
    // The cached answer still stands; a failure makes it doubtful.
    await eventually(
      'the new password lets in',
      async () => (await refusal(whoAmI(sluice, 'keen_scram', 'second'))) === 'let in',
    );
    expect(await refusal(whoAmI(sluice, 'keen_scram', 'first'))).toMatch(/^28P01 /);
    await query("ALTER ROLE keen_scram PASSWORD 'first'");
  });

  test("a client's search_path does not reach the question (CVE-2025-12819)", async () => {
    await query(`
      CREATE SCHEMA IF NOT EXISTS trap;
      CREATE TABLE IF NOT EXISTS trap.pg_shadow (usename text, passwd text, valuntil timestamptz);
      CREATE OR REPLACE FUNCTION trap.eq(name, text) RETURNS boolean LANGUAGE plpgsql
        AS $$ BEGIN INSERT INTO trap.pg_shadow VALUES ('sprung'); RETURN true; END $$;
      DROP OPERATOR IF EXISTS trap.= (name, text);
      CREATE OPERATOR trap.= (LEFTARG = name, RIGHTARG = text, FUNCTION = trap.eq);
      GRANT ALL ON SCHEMA trap TO PUBLIC; GRANT ALL ON trap.pg_shadow TO PUBLIC`);
    try {
      for (const user of ['trap_one', 'trap_two', 'keen_scram']) {
        const client = await RawClient.open(sluice.port);
        const options = '-c search_path=trap,pg_catalog';
        client.send(
          startup({ user, database: 'postgres', search_path: 'trap, pg_catalog', options }),
        );
        await client.until('R');
        client.drop();
      }
      expect(await query('SELECT * FROM trap.pg_shadow')).toEqual([]);
      const asking = await query<{ count: string }>(
        `SELECT count(*)::text AS count FROM pg_stat_activity
         WHERE application_name = 'sluice auth.query'`,
      );
      expect(Number(asking[0]!.count)).toBeGreaterThan(0);
    } finally {
      await query('DROP SCHEMA trap CASCADE');
    }
  });

  test('a query that fails is no answer, and says nothing to the client', async () => {
    const { superuser: user, password } = sharedCluster().primary;
    const sql = 'SELECT nothing FROM nowhere WHERE name = $1';
    const auth = { query: { database: 'postgres', user, password, sql } };
    const broken = await startSluice(sharedCluster(), { config: { auth } });
    try {
      expect(await refusal(whoAmI(broken, 'keen_scram', 'first'))).toBe(
        '57P03 users cannot be looked up at the moment',
      );
    } finally {
      await broken.stop();
    }
  });
});
