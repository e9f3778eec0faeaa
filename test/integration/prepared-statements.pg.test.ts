/**
 * Prepared statements of the protocol are the session's, whichever server it lands on; servers keep
 * them under names of Sluice's own, a limited number each, and share them between sessions.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  dropDatabase,
  freshDatabase,
  query as direct,
  sharedCluster,
  withClient,
} from '../support/cluster.ts';
import {
  bind,
  describeAll,
  execute,
  message,
  parse,
  RawClient,
  type RawMessage,
  sync,
} from '../support/raw-client.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

const KEPT = 5;

let database: string;
let sluice: TestSluice;
const login = () => RawClient.login(sluice.port, { user: 'postgres', database });

beforeAll(async () => {
  database = await freshDatabase('prepared');
});
afterAll(() => dropDatabase(database));
beforeEach(async () => {
  await direct('DROP TABLE IF EXISTS t; CREATE TABLE t (n int); INSERT INTO t VALUES (1)', {
    database,
  });
  sluice = await startSluice(sharedCluster(), {
    databases: [database],
    pool: { size: 1, prepared_statements: KEPT },
    config: { auth: { method: 'trust' } },
  });
});
afterEach(async () => {
  await sluice.settled();
  expect(sluice.log.messages('error')).toEqual([]);
  await sluice.stop();
});

const ask = (client: RawClient, ...messages: Buffer[]): Promise<RawMessage[]> => {
  client.send(...messages, sync);
  return client.until('Z');
};
const run = async (client: RawClient, name: string): Promise<string[]> =>
  describeAll(await ask(client, bind('', name), execute('')));
const closeStatement = (name: string): Buffer => message('C', `S${name}`);
const RAN = ['2', 'D', 'C SELECT 1', 'Z I'];

/** What the only server has, by text. */
async function onServer(): Promise<string[]> {
  return withClient(sluice.client(), async (client) => {
    const { rows } = await client.query('SELECT statement AS s FROM pg_prepared_statements');
    return rows.map(({ s }) => s as string).sort();
  });
}

test('the server keeps so many and no more, and every session has all of its own', async () => {
  const clients = [await login(), await login()];
  for (let n = 0; n < 20; n++) {
    for (const client of clients) {
      expect(describeAll(await ask(client, parse(`s${n}`, `SELECT ${n}`)))).toEqual(['1', 'Z I']);
    }
  }
  expect((await onServer()).length).toBe(KEPT);
  for (const client of clients) {
    for (let n = 0; n < 20; n++) {
      const messages = await ask(client, bind('', `s${n}`), execute(''));
      expect(describeAll(messages)).toEqual(RAN);
      expect(messages[1]?.body.subarray(6).toString()).toBe(String(n));
    }
  }
  expect((await onServer()).length).toBe(KEPT);
  for (const client of clients) client.drop();
});

test('the same text of two sessions is one statement on the server', async () => {
  const [one, other] = [await login(), await login()];
  await ask(one, parse('mine', 'SELECT 42'));
  await ask(other, parse('yours', 'SELECT 42'));
  expect(await run(one, 'mine')).toEqual(RAN);
  expect(await run(other, 'yours')).toEqual(RAN);
  expect(await onServer()).toEqual(['SELECT 42']);
  await ask(one, closeStatement('mine'));
  expect(await run(other, 'yours')).toEqual(RAN);
  expect(await run(one, 'mine')).toEqual(['E 26000', 'Z I']);
  one.drop();
  other.drop();
});

test('a name is taken until it is closed', async () => {
  const client = await login();
  await ask(client, parse('s', 'SELECT 1'));
  expect(describeAll(await ask(client, parse('s', 'SELECT 2')))).toEqual(['E 42P05', 'Z I']);
  expect(describeAll(await ask(client, closeStatement('s'), parse('s', 'SELECT 2')))).toEqual([
    '3',
    '1',
    'Z I',
  ]);
  expect(await run(client, 's')).toEqual(RAN);
  expect(await run(client, 'never')).toEqual(['E 26000', 'Z I']);
  client.drop();
});

test('what could not be prepared is not there, and may be prepared again', async () => {
  const client = await login();
  expect(describeAll(await ask(client, parse('s', 'SELECT * FROM later')))).toEqual([
    'E 42P01',
    'Z I',
  ]);
  expect(await run(client, 's')).toEqual(['E 26000', 'Z I']);
  await direct('CREATE TABLE later (n int)', { database });
  expect(describeAll(await ask(client, parse('s', 'SELECT * FROM later')))).toEqual(['1', 'Z I']);
  expect(await run(client, 's')).toEqual(['2', 'C SELECT 0', 'Z I']);
  await direct('DROP TABLE later', { database });
  client.drop();
});

test('DEALLOCATE and DISCARD ALL forget as they do in Postgres', async () => {
  const client = await login();
  await ask(client, parse('a', 'SELECT 1'), parse('b', 'SELECT 2'));
  expect(describeAll(await client.query('DEALLOCATE a'))).toEqual(['C DEALLOCATE', 'Z I']);
  expect(await run(client, 'a')).toEqual(['E 26000', 'Z I']);
  expect(await run(client, 'b')).toEqual(RAN);
  expect(describeAll(await client.query('DEALLOCATE ALL'))).toEqual(['C DEALLOCATE ALL', 'Z I']);
  expect(await run(client, 'b')).toEqual(['E 26000', 'Z I']);
  await ask(client, parse('c', 'SELECT 3'));
  expect(describeAll(await client.query('DISCARD ALL')).at(-1)).toBe('Z I');
  expect(await run(client, 'c')).toEqual(['E 26000', 'Z I']);
  client.drop();
});

describe('when a table changes under a statement', () => {
  const CHANGED = ['E 0A000', 'Z I'];

  test('its session is told once, as in Postgres, and prepares it again', async () => {
    const client = await login();
    await ask(client, parse('s', 'SELECT * FROM t'));
    expect(await run(client, 's')).toEqual(RAN);
    await direct('ALTER TABLE t ADD COLUMN m int', { database });
    expect(await run(client, 's')).toEqual(CHANGED);
    // What drivers do about it: the same text under another name.
    await ask(client, closeStatement('s'), parse('s2', 'SELECT * FROM t'));
    expect(await run(client, 's2')).toEqual(RAN);
    client.drop();
  });

  test('a session that comes later does not hear of it', async () => {
    const early = await login();
    await ask(early, parse('s', 'SELECT * FROM t'));
    expect(await run(early, 's')).toEqual(RAN);
    await direct('ALTER TABLE t ADD COLUMN m int', { database });
    expect(await run(early, 's')).toEqual(CHANGED);
    const late = await login();
    await ask(late, parse('s', 'SELECT * FROM t'));
    expect(await run(late, 's')).toEqual(RAN);
    early.drop();
    late.drop();
  });
});

test('with prepared_statements: 0 the server keeps none', async () => {
  const none = await startSluice(sharedCluster(), {
    databases: [database],
    pool: { size: 1, prepared_statements: 0 },
    config: { auth: { method: 'trust' } },
  });
  const client = await RawClient.login(none.port, { user: 'postgres', database });
  for (let n = 0; n < 3; n++) {
    await ask(client, parse(`s${n}`, `SELECT ${n}`));
    expect(await run(client, `s${n}`)).toEqual(RAN);
    expect(await run(client, 's0')).toEqual(RAN);
  }
  const left = await client.query('SELECT count(*) FROM pg_prepared_statements');
  expect(Number(left[1]?.body.subarray(6).toString())).toBeLessThanOrEqual(1);
  client.drop();
  await none.stop();
});
