/** Who is not let in, and what they are told. Strangers must not learn who or what exists. */
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { dropDatabase, freshDatabase, sharedCluster, withClient } from '../support/cluster.ts';
import { startSluice, type TestSluice, testUser } from '../support/sluice.ts';

let database: string;
let sluice: TestSluice;

beforeAll(async () => {
  database = await freshDatabase('login');
  const { host, port } = sharedCluster().primary;
  sluice = await startSluice(sharedCluster(), {
    databases: [database, 'nowhere'],
    config: {
      auth: {
        users: {
          // Known here, unknown to the server.
          ghost: { password: 'boo' },
          elsewhere: { password: 'p', clients: ['10.1.2.0/24'] },
          narrow: { password: 'p', databases: ['postgres'] },
        },
      },
      databases: { shared_login: accountFor(database, `${host}:${port}`) },
    },
  });
});
afterAll(async () => {
  await sluice.stop();
  await dropDatabase(database);
});
afterEach(() => sluice.settled());

/** Everybody is `scram_user` there. */
function accountFor(name: string, _address: string) {
  return { login: testUser('scram'), targets: [{ server: 'db', database: name }] };
}

async function refusal(login: { user?: string; password?: string; database?: string }) {
  const client = new Client(sluice.client(login));
  client.on('error', () => {});
  const error = await client.connect().then(
    () => null,
    (caught: unknown) => caught,
  );
  const { code, message, severity } = error as { code: string; message: string; severity: string };
  return { code, message, severity };
}

describe('before anybody is known', () => {
  const { user, password } = testUser('scram');

  test('a wrong password and an unknown user are told the same', async () => {
    expect(await refusal({ user, password: 'wrong' })).toEqual({
      severity: 'FATAL',
      code: '28P01',
      message: `password authentication failed for user "${user}"`,
    });
    expect(await refusal({ user: 'nobody_at_all', password })).toEqual({
      severity: 'FATAL',
      code: '28P01',
      message: 'password authentication failed for user "nobody_at_all"',
    });
  });

  test('an unknown database is not spoken of', async () => {
    expect(await refusal({ user, password: 'wrong', database: 'unheard_of' })).toMatchObject({
      code: '28P01',
    });
  });
});

describe('who has proved who he is', () => {
  const login = testUser('scram');

  test('is told that a database does not exist', async () => {
    const message = 'database "unheard_of" does not exist';
    expect(await refusal({ ...login, database: 'unheard_of' })).toEqual({
      severity: 'FATAL',
      code: '3D000',
      message,
    });
  });

  test('is told so too when only the server knows', async () => {
    expect(await refusal({ ...login, database: 'nowhere' })).toEqual({
      severity: 'FATAL',
      code: '3D000',
      message: 'database "nowhere" does not exist',
    });
  });

  test('may not open what auth.users does not give him', async () => {
    const narrow = { user: 'narrow', password: 'p' };
    expect(await refusal({ ...narrow, database })).toMatchObject({ code: '42501' });
  });

  test('may not come from where auth.users does not let him', async () => {
    expect(await refusal({ user: 'elsewhere', password: 'p' })).toMatchObject({ code: '28000' });
  });

  test('is told that the server refused, not why', async () => {
    const expected = {
      severity: 'FATAL',
      code: '28000',
      message: `the server of database "${database}" refused the login`,
    };
    expect(await refusal({ user: 'ghost', password: 'boo' })).toEqual(expected);
    expect(await refusal(testUser('rejected'))).toEqual(expected);
    const line = sluice.log.lines.findLast((each) => each.message === 'server connect failed');
    expect(line?.attributes['reason']).toMatch(/rejects connection for .*rejected_user/);
  });

  test('is logged in to the server with what pg_hba.conf asks for there', async () => {
    for (const name of ['scram', 'md5', 'cleartext', 'trust'] as const) {
      const { user, password } = testUser(name);
      const rows = await withClient(sluice.client({ user, password }), async (client) => {
        return (await client.query('SELECT current_user AS user')).rows;
      });
      expect(rows).toEqual([{ user }]);
    }
  });

  test('shares one account where the database says so', async () => {
    const { user, password } = testUser('md5');
    const config = sluice.client({ user, password, database: 'shared_login' });
    const rows = await withClient(config, async (client) => {
      return (await client.query('SELECT current_user AS user')).rows;
    });
    expect(rows).toEqual([{ user: 'scram_user' }]);
  });
});
