/**
 * What a client that has logged in may do wrong. What breaks the framing ends its connection; what
 * Postgres would answer by itself is left to Postgres. Nobody else notices either.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  backends,
  dropDatabase,
  eventually,
  freshDatabase,
  sharedCluster,
} from '../support/cluster.ts';
import {
  bind,
  describeAll,
  errorText,
  execute,
  int16,
  int32,
  message,
  parse,
  query,
  RawClient,
  sync,
  terminate,
} from '../support/raw-client.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

let database: string;
let sluice: TestSluice;
const login = () => RawClient.login(sluice.port, { user: 'postgres', database });

beforeAll(async () => {
  database = await freshDatabase('bad');
  sluice = await startSluice(sharedCluster(), {
    databases: [database],
    pool: { size: 1 },
    timeouts: { idle_in_transaction: '300ms' },
    config: { auth: { method: 'trust' }, limits: { message_bytes: '1MiB' } },
  });
});
afterAll(async () => {
  await sluice.stop();
  await dropDatabase(database);
});

/** The one server there is serves the next client, from a clean state. */
afterEach(async () => {
  const client = await login();
  const seen = await client.query("SELECT current_setting('application_name')");
  expect(describeAll(seen)).toEqual(['T', 'D', 'C SELECT 1', 'Z I']);
  client.send(terminate);
  await client.end();
  await sluice.settled();
  expect(sluice.log.messages('error')).toEqual([]);
});

/** A message with a length of its own choosing. */
function claiming(code: string, length: number, body = 'SELECT 1'): Buffer {
  return Buffer.concat([Buffer.from(code), int32(length), Buffer.from(body)]);
}

describe('the connection is closed for', () => {
  test.each([
    ['a negative length', claiming('Q', -5)],
    ['a length that does not count itself', claiming('Q', 3)],
    ['a length of two gigabytes', claiming('Q', 0x7fff_ffff)],
    ['a length beyond limits.message_bytes', claiming('Q', 1024 * 1024 + 5)],
    ['a message nobody knows', message('!', 'x')],
    ['a message of the server’s', message('Z', 'I')],
    ['a password after the login', message('p', 'secret')],
    ['a Bind without names', Buffer.concat([message('B', Buffer.from('garbage')), sync])],
    ['an Execute without a name', Buffer.concat([message('E', Buffer.from('abc')), sync])],
    ['a Describe of something else', Buffer.concat([message('D', 'Xfoo'), sync])],
  ])('%s', async (_, bytes) => {
    const client = await login();
    client.send(bytes);
    const seen = describeAll(await client.end());
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatch(/^E (08P01|54000)$/);
  });

  test('all of these inside a transaction as well, which is rolled back', async () => {
    const client = await login();
    await client.query('BEGIN');
    await client.query('CREATE TABLE never (n int)');
    client.send(claiming('Q', -5));
    expect(describeAll(await client.end())).toEqual(['E 08P01']);
    const other = await login();
    const [, row] = await other.query("SELECT to_regclass('never') IS NULL");
    expect(row?.body.subarray(-1).toString()).toBe('t');
    other.drop();
  });

  test('anything but data while a COPY waits for data', async () => {
    const client = await login();
    await client.query('CREATE TABLE IF NOT EXISTS copied (n int)');
    client.send(query('COPY copied FROM STDIN'));
    await client.until('G');
    client.send(query('SELECT 1'));
    expect(describeAll(await client.end())).toEqual(['E 08P01']);
  });
});

describe('Postgres answers', () => {
  test.each([
    ['a Query without its end', message('Q', Buffer.from('SELECT 1')), ['E 08P01', 'Z I']],
    ['a Query with two ends', message('Q', 'SELECT 1\0; SELECT 2'), ['E 08P01', 'Z I']],
    ['an empty message', message('Q', Buffer.alloc(0)), ['E 08P01', 'Z I']],
    [
      'bytes that are no UTF-8',
      message('Q', Buffer.from("SELECT '\xff'\0", 'latin1')),
      ['E 22021', 'Z I'],
    ],
    [
      'an unknown function',
      message('F', int32(1_234_567), int16(0), int16(0), int16(0)),
      ['E 42883', 'Z I'],
    ],
    ['half a FunctionCall', message('F', Buffer.from('ab')), ['E 08P01', 'Z I']],
  ])('%s', async (_, bytes, expected) => {
    const client = await login();
    client.send(bytes);
    expect(describeAll(await client.until('Z'))).toEqual(expected);
    expect(describeAll(await client.query('SELECT 1')).at(-1)).toBe('Z I');
    client.drop();
  });

  test('a Bind that promises more than it holds', async () => {
    const client = await login();
    const short = message('B', '', '', int16(0), int16(1), int32(100));
    client.send(parse('', 'SELECT $1::int'), short, execute(''), sync);
    expect(describeAll(await client.until('Z'))).toEqual(['1', 'E 08P01', 'Z I']);
    client.send(bind('', ''), execute(''), sync);
    expect(describeAll(await client.until('Z')).at(-1)).toBe('Z I');
    client.drop();
  });
});

describe('COPY data out of the blue', () => {
  test('is ignored, as Postgres does, without a server and with one', async () => {
    const client = await login();
    client.send(message('d', 'stray'), message('c'), message('f', 'stray'), sync);
    expect(describeAll(await client.until('Z'))).toEqual(['Z I']);
    await client.query('BEGIN');
    await client.query('SELECT 1');
    client.send(message('d', 'stray'), message('c'), query('SELECT 2'));
    expect(describeAll(await client.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z T']);
    client.send(query('COMMIT'), message('d', 'stray'), message('c'), query('SELECT 3'));
    expect(describeAll(await client.until('Z'))).toEqual(['C COMMIT', 'Z I']);
    expect(describeAll(await client.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I']);
    client.drop();
  });
});

describe('half a message, and then silence', () => {
  test('without a server it harms nobody and is left alone', async () => {
    const client = await login();
    client.send(claiming('Q', 500));
    const other = await login();
    await other.query('SELECT pg_sleep(0.5)');
    expect(client.messages.filter(({ code }) => code === 'E')).toEqual([]);
    client.drop();
    other.drop();
  });

  test('in a transaction the server is taken back after the idle deadline', async () => {
    const client = await login();
    await client.query('BEGIN');
    await client.query('SELECT 1');
    client.send(claiming('Q', 500));
    expect(describeAll(await client.end())).toEqual(['E 25P03']);
  });

  test('a huge message that stops half-way gives its server back too', async () => {
    const client = await login();
    client.send(claiming('Q', 600_000, 'SELECT 1 -- '.padEnd(300_000, 'x')));
    await eventually('the head is on its way', () => sluice.counts().servers['leased'] === 1);
    const messages = await client.end();
    expect(describeAll(messages)).toEqual(['E 25P03']);
    expect(errorText(messages[0]!)).toMatch(/idle-in-transaction/);
    // Nobody else may be sent the rest of it: that server is closed.
    await eventually('its server is gone', async () => (await backends(database)).length === 0);
  });

  test('a batch without its Sync does not keep a server for ever', async () => {
    const client = await login();
    client.send(parse('', 'SELECT 1'), bind('', ''), execute(''), message('H'));
    await client.until('C');
    expect(describeAll(await client.end())).toEqual(['E 25P03']);
  });

  test('nor does a COPY whose data never comes', async () => {
    const client = await login();
    await client.query('CREATE TABLE IF NOT EXISTS copied (n int)');
    client.send(query('COPY copied FROM STDIN'), message('d', Buffer.from('1\n')));
    await client.until('G');
    expect(describeAll(await client.end())).toEqual(['E 25P03']);
    const other = await login();
    expect(describeAll(await other.query('SELECT * FROM copied'))).toEqual([
      'T',
      'C SELECT 0',
      'Z I',
    ]);
    other.drop();
  });
});
