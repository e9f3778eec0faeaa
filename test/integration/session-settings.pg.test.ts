/**
 * A session's settings are its own, whichever server it lands on: those it logs in with, and those
 * Postgres reports when they change.
 */
import type { Client, ClientConfig } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  backends,
  dropDatabase,
  freshDatabase,
  sharedCluster,
  withClient,
} from '../support/cluster.ts';
import {
  describeAll,
  errorText,
  RawClient,
  type RawLogin,
  startup,
} from '../support/raw-client.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

let database: string;
let sluice: TestSluice;

beforeAll(async () => {
  database = await freshDatabase('settings');
  sluice = await startSluice(sharedCluster(), {
    databases: [database],
    pool: { size: 1 },
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

const config = (more: ClientConfig = {}): ClientConfig => ({ ...sluice.client(), ...more });

async function show(client: Client, name: string): Promise<string> {
  return (await client.query(`SELECT current_setting('${name}') AS v`)).rows[0].v;
}

describe('at login', () => {
  /** Everything a login is told, its key aside. */
  async function welcome(port: number, login: RawLogin): Promise<string[]> {
    const client = await RawClient.login(port, login);
    const told = client.messages.filter(({ code }) => code === 'S');
    client.drop();
    return told.map(({ body }) => body.toString().split('\0').slice(0, 2).join('=')).sort();
  }

  test.each([
    ['nothing asked for', {}],
    ['an application_name', { application_name: 'a b "c"' }],
    ['a long one in another alphabet', { application_name: 'приложение '.repeat(10) }],
    [
      'driver settings',
      { client_encoding: 'utf-8', DateStyle: 'iso, dmy', TimeZone: 'asia/seoul' },
    ],
    ['another encoding', { client_encoding: 'LATIN1' }],
    ['options', { options: '-c timezone=UTC --intervalstyle=iso_8601 -cextra_float_digits=1' }],
    ['settings nobody reports', { extra_float_digits: '2', search_path: 'a, "b c"' }],
  ])('ParameterStatus is what Postgres says, with %s', async (_, wishes) => {
    // The user whom both let in without a password.
    const login = { user: 'trust_user', database, ...wishes };
    const direct = await welcome(sharedCluster().primary.port, login);
    // The first login of a kind asks the server; later ones are told what it said.
    expect(await welcome(sluice.port, login)).toEqual(direct);
    expect(await welcome(sluice.port, login)).toEqual(direct);
  });

  test.each([
    ['a bad value', { options: '-c work_mem=banana' }],
    ['a bad value of its own parameter', { work_mem: '-5' }],
    ['an unknown setting', { no_such_setting: '1' }],
    ['an unknown encoding', { client_encoding: 'KLINGON' }],
    ['an unknown time zone', { timezone: 'Mars/Olympus' }],
    ['a setting only a restart can change', { options: '-c max_connections=5' }],
  ])('%s is refused in the words of Postgres', async (_, wishes) => {
    const login = { user: 'trust_user', database, ...wishes };
    const refusals = [sharedCluster().primary.port, sluice.port].map(async (port) => {
      const client = await RawClient.open(port);
      client.send(startup(login));
      const error = (await client.end()).find(({ code }) => code === 'E');
      return error === undefined ? null : [describeAll([error]), errorText(error)];
    });
    const [direct, through] = await Promise.all(refusals);
    expect(direct).not.toBe(null);
    expect(through).toEqual(direct);
  });

  test('what was asked for is set on the server, and unset for the next', async () => {
    const options = '-c search_path=pg_catalog,public -c work_mem=7MB';
    await withClient(config({ options, application_name: 'first' }), async (first) => {
      await withClient(config(), async (second) => {
        for (let round = 0; round < 3; round++) {
          expect(await show(first, 'work_mem')).toBe('7MB');
          expect(await show(first, 'search_path')).toBe('pg_catalog,public');
          expect(await show(second, 'work_mem')).toBe('4MB');
          expect(await show(second, 'search_path')).toBe('"$user", public');
        }
      });
    });
  });

  test('application_name is visible in pg_stat_activity, of whoever runs', async () => {
    await withClient(config({ application_name: 'billing' }), async (billing) => {
      await withClient(config({ application_name: 'shipping' }), async (shipping) => {
        await billing.query('SELECT 1');
        expect((await backends(database)).map((each) => each.application_name)).toEqual([
          'billing',
        ]);
        await shipping.query('SELECT 1');
        expect((await backends(database)).map((each) => each.application_name)).toEqual([
          'shipping',
        ]);
      });
    });
  });
});

describe('while it lives', () => {
  const names = ['TimeZone', 'DateStyle', 'IntervalStyle', 'application_name'] as const;
  const values = [
    ['Asia/Seoul', 'SQL, DMY', 'iso_8601', 'one'],
    ['America/Lima', 'German, DMY', 'sql_standard', "it's \\ two"],
  ];

  test('SET of a reported setting follows the session from server to server', async () => {
    await withClient(config(), async (first) => {
      await withClient(config(), async (second) => {
        const sessions = [first, second];
        for (const [index, name] of names.entries()) {
          for (const [which, client] of sessions.entries()) {
            const literal = String(values[which]?.[index]).replaceAll("'", "''");
            await client.query(`SET ${name} = '${literal}'`);
          }
        }
        for (let round = 0; round < 3; round++) {
          for (const [index, name] of names.entries()) {
            for (const [which, client] of sessions.entries()) {
              expect(await show(client, name)).toBe(values[which]?.[index]);
            }
          }
        }
        await first.query('RESET TimeZone');
        expect(await show(second, 'TimeZone')).toBe('America/Lima');
        expect(await show(first, 'TimeZone')).not.toBe('Asia/Seoul');
      });
    });
    // None of it pinned anybody.
    expect(sluice.log.messages()).not.toContain('session pinned');
  });

  test('SET in a transaction that is rolled back, and SET LOCAL, leave nothing', async () => {
    await withClient(config(), async (first) => {
      await withClient(config(), async (second) => {
        const before = await show(first, 'TimeZone');
        await first.query("BEGIN; SET TimeZone = 'Asia/Seoul'");
        expect(await show(first, 'TimeZone')).toBe('Asia/Seoul');
        await first.query('ROLLBACK');
        await first.query("BEGIN; SET LOCAL TimeZone = 'America/Lima'; COMMIT");
        expect(await show(second, 'TimeZone')).toBe(before);
        expect(await show(first, 'TimeZone')).toBe(before);
      });
    });
  });

  test('client_encoding follows too, and texts come in it', async () => {
    await withClient(config(), async (plain) => {
      const latin = await RawClient.login(sluice.port, {
        user: 'postgres',
        database,
        client_encoding: 'LATIN1',
      });
      for (let round = 0; round < 3; round++) {
        const [, row] = await latin.query("SELECT U&'\\00e9'");
        expect(row?.body.subarray(6)).toEqual(Buffer.from([0xe9]));
        expect((await plain.query("SELECT U&'\\00e9' AS v")).rows).toEqual([{ v: 'é' }]);
      }
      latin.drop();
    });
  });

  test('standard_conforming_strings decides how its texts read', async () => {
    await withClient(config(), async (plain) => {
      await withClient(config(), async (odd) => {
        await odd.query('SET standard_conforming_strings = off');
        for (let round = 0; round < 3; round++) {
          expect((await odd.query("SELECT 'a\\'; BEGIN; --' AS v")).rows).toEqual([
            { v: "a'; BEGIN; --" },
          ]);
          expect((await plain.query("SELECT 'a\\' AS v")).rows).toEqual([{ v: 'a\\' }]);
        }
      });
    });
  });

  test('DISCARD ALL brings back what it logged in with', async () => {
    await withClient(config({ options: '-c work_mem=9MB' }), async (client) => {
      await client.query("SET TimeZone = 'Asia/Seoul'");
      await client.query('DISCARD ALL');
      expect(await show(client, 'work_mem')).toBe('9MB');
      expect(await show(client, 'TimeZone')).not.toBe('Asia/Seoul');
    });
  });
});
