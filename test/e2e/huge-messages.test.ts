/**
 * Messages and results far larger than the process may grow: they stream, in both directions, at
 * the pace of whoever is slower. One real process serves all of them, and its highest memory use
 * over all of it is what is asserted at the end.
 */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  backends,
  dropDatabase,
  eventually,
  freshDatabase,
  query as direct,
  sharedCluster,
  value,
} from '../support/cluster.ts';
import {
  describeAll,
  execute,
  int16,
  int32,
  message,
  parse,
  query,
  RawClient,
  sync,
} from '../support/raw-client.ts';
import { type SluiceProcess, startSluiceProcess } from '../support/sluice-process.ts';
import { digest, head, md5OfPieces, PIECE, pour } from '../support/streams.ts';

const MB = 1_000_000;
/** Node by itself takes about 80; the rest is room for chunks under way, of several clients. */
const RESIDENT_MAX = 250 * MB;
const PIECES = 220;
/** A result of 300 MB, always the same. */
const MANY_ROWS = "SELECT n, repeat('x', 990 + n % 10) FROM generate_series(1, 300000) AS n";

let database: string;
let sluice: SluiceProcess;
const login = (port = sluice.port) => RawClient.login(port, { user: 'trust_user', database });

beforeAll(async () => {
  database = await freshDatabase('huge');
  await direct('CREATE TABLE big (n bigint, t text); GRANT ALL ON big TO PUBLIC', { database });
  sluice = await startSluiceProcess(sharedCluster(), {
    databases: [database],
    pool: { size: 2 },
    config: { auth: { method: 'trust' }, log: { level: 'info' } },
  });
});
afterAll(async () => {
  await sluice.stop();
  await dropDatabase(database);
});

describe('from the client', () => {
  test('a value of 220 MB in a Bind', async () => {
    const client = await login();
    const valueBytes = PIECES * PIECE.length;
    const names = Buffer.concat([Buffer.from('\0\0'), int16(0), int16(1), int32(valueBytes)]);
    client.send(parse('', 'SELECT md5($1), length($1)'));
    client.send(head('B', names.length + valueBytes + 2, names));
    await pour(client.socket, PIECES);
    client.send(int16(0), execute(''), sync);
    const row = (await client.until('Z')).find(({ code }) => code === 'D');
    expect(row?.body.toString('latin1')).toContain(md5OfPieces(PIECES));
    expect(row?.body.toString('latin1')).toContain(String(valueBytes));
    client.drop();
  });

  test('a literal of 220 MB in a Query', async () => {
    const client = await login();
    const before = Buffer.from("SELECT md5('");
    const after = Buffer.from("')\0");
    client.send(head('Q', before.length + PIECES * PIECE.length + after.length, before));
    await pour(client.socket, PIECES);
    client.send(after);
    const row = (await client.until('Z')).find(({ code }) => code === 'D');
    expect(row?.body.toString('latin1')).toContain(md5OfPieces(PIECES));
    // Nobody has read all of it, so the server was kept for nobody else's sake and is clean again.
    expect(describeAll(await client.query('SELECT 1')).at(-1)).toBe('Z I');
    client.drop();
  });

  test('COPY of 300 MB, in messages of every size', async () => {
    const client = await login();
    client.send(query('COPY big FROM STDIN'));
    await client.until('G');
    const text = 'y'.repeat(987);
    let sent = 0;
    for (let part = 0; part < 300; part++) {
      const lines: string[] = [];
      for (let line = 0; line < 1000; line++) lines.push(`${sent++}\t${text}\n`);
      const data = Buffer.from(lines.join(''));
      const cut = part % 2 === 0 ? data.length : 1 + part * 7;
      const frames = [message('d', data.subarray(0, cut)), message('d', data.subarray(cut))];
      if (!client.socket.write(Buffer.concat(frames))) await once(client.socket, 'drain');
    }
    client.send(message('c'));
    expect(describeAll(await client.until('Z'))).toEqual(['C COPY 300000', 'Z I']);
    expect(await value('SELECT count(DISTINCT n) FROM big', { database })).toBe('300000');
    client.drop();
  });
});

describe('from the server', () => {
  test.each([
    ['many rows', MANY_ROWS],
    ['one value of 200 MB', "SELECT repeat('0123456789', 20000000)"],
    ['COPY', `COPY (${MANY_ROWS}) TO STDOUT`],
  ])('%s: the same bytes as directly', async (_, sql) => {
    const through = await login();
    const straight = await login(sharedCluster().primary.port);
    const digests = [digest(through), digest(straight)];
    through.send(query(sql));
    straight.send(query(sql));
    const [got, expected] = await Promise.all(digests);
    expect(got).toEqual(expected);
    expect(got?.bytes).toBeGreaterThan(190 * MB);
    through.drop();
    straight.drop();
  });

  test('a client that does not read holds up its server and nobody’s memory', async () => {
    const slow = await login();
    const waits = async (): Promise<boolean> =>
      (await backends(database)).some(({ wait_event }) => wait_event === 'ClientWrite');
    const answer = digest(slow);
    slow.socket.pause();
    slow.send(query(MANY_ROWS));
    await eventually('the server waits for the client', waits);
    expect(sluice.residentBytes()).toBeLessThan(RESIDENT_MAX);
    const other = await login();
    expect(describeAll(await other.query('SELECT 1')).at(-1)).toBe('Z I');
    slow.socket.resume();
    expect((await answer).bytes).toBeGreaterThan(300 * MB);
    slow.drop();
    other.drop();
  });

  test('a server that does not read holds up its client', async () => {
    const locker = await login(sharedCluster().primary.port);
    await locker.query('BEGIN; LOCK TABLE big');
    const client = await login();
    // The first message waits for the lock; what comes behind it fills every buffer on the way.
    client.send(query('INSERT INTO big VALUES (-1)'));
    const before = Buffer.from("SELECT length('");
    const after = Buffer.from("')\0");
    client.send(head('Q', before.length + PIECES * PIECE.length + after.length, before));
    const poured = pour(client.socket, PIECES);
    await eventually('nothing moves', async () => {
      const written = client.socket.bytesWritten;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return client.socket.writableNeedDrain && client.socket.bytesWritten === written;
    });
    expect(client.socket.bytesWritten).toBeLessThan(50 * MB);
    expect(sluice.residentBytes()).toBeLessThan(RESIDENT_MAX);
    await locker.query('COMMIT');
    await poured;
    client.send(after);
    expect(describeAll(await client.until('Z'))).toEqual(['C INSERT 0 1', 'Z I']);
    expect(describeAll(await client.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I']);
    client.drop();
    locker.drop();
  });
});

test('and the process never held any of it', () => {
  expect(sluice.peakResidentBytes()).toBeLessThan(RESIDENT_MAX);
});
