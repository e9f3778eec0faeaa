/** What `huge-messages` shows in the clear, with TLS on both sides: its buffers are other ones. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificates, type TestCertificates } from '../support/certs.ts';
import {
  backends,
  dropDatabase,
  eventually,
  freshDatabase,
  sharedCluster,
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

/** TLS has buffers of its own, outside of Node's. */
const RESIDENT_MAX = 300_000_000;
const PIECES = 120;
const MANY_ROWS = "SELECT n, repeat('x', 990 + n % 10) FROM generate_series(1, 150000) AS n";

let database: string;
let certificates: TestCertificates;
let sluice: SluiceProcess;
const user = 'trust_user';

beforeAll(async () => {
  certificates = makeCertificates();
  const serverAuthority = join(certificates.folder, 'server-authority.crt');
  writeFileSync(serverAuthority, sharedCluster().authority.certificate);
  const { certificatePath: cert, keyPath: key } = certificates.server;
  database = await freshDatabase('huge_tls');
  sluice = await startSluiceProcess(sharedCluster(), {
    databases: [database],
    pool: { size: 1 },
    serverTls: { mode: 'verify-full', ca: serverAuthority },
    config: {
      auth: { method: 'trust' },
      log: { level: 'info' },
      listen: [{ host: '127.0.0.1', port: 0, tls: { mode: 'require', cert, key } }],
    },
  });
});
afterAll(async () => {
  await sluice.stop();
  certificates.remove();
  await dropDatabase(database);
});

const login = () =>
  RawClient.login(sluice.port, { user, database }, certificates.authority.certificate);

test('both sides are encrypted', async () => {
  const client = await login();
  const [, row] = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
  expect(row?.body.subarray(-1).toString()).toBe('t');
  client.drop();
});

test('a value of 120 MB in a Bind', async () => {
  const client = await login();
  const valueBytes = PIECES * PIECE.length;
  const names = Buffer.concat([Buffer.from('\0\0'), int16(0), int16(1), int32(valueBytes)]);
  client.send(parse('', 'SELECT md5($1)'), head('B', names.length + valueBytes + 2, names));
  await pour(client.socket, PIECES);
  client.send(int16(0), execute(''), sync);
  const row = (await client.until('Z')).find(({ code }) => code === 'D');
  expect(row?.body.toString('latin1')).toContain(md5OfPieces(PIECES));
  client.drop();
});

test.each([
  ['many rows', MANY_ROWS],
  ['one value of 100 MB', "SELECT repeat('0123456789', 10000000)"],
])('%s: the same bytes as directly', async (_, sql) => {
  const through = await login();
  const straight = await RawClient.login(sharedCluster().primary.port, { user, database });
  const digests = [digest(through), digest(straight)];
  through.send(query(sql));
  straight.send(query(sql));
  const [got, expected] = await Promise.all(digests);
  expect(got).toEqual(expected);
  through.drop();
  straight.drop();
});

test('COPY in small messages', async () => {
  const client = await login();
  await client.query('CREATE TABLE copied (n int, t text)');
  client.send(query('COPY copied FROM STDIN'));
  await client.until('G');
  for (let part = 0; part < 200; part++) {
    const lines = Array.from({ length: 100 }, (_, n) =>
      message('d', Buffer.from(`${n}\t${'z'.repeat(part)}\n`)),
    );
    client.send(...lines);
  }
  client.send(message('c'));
  expect(describeAll(await client.until('Z'))).toEqual(['C COPY 20000', 'Z I']);
  client.drop();
});

test('a client that does not read holds up its server and nobody’s memory', async () => {
  const slow = await login();
  const answer = digest(slow);
  slow.socket.pause();
  slow.send(query(MANY_ROWS));
  await eventually('the server waits for the client', async () =>
    (await backends(database)).some(({ wait_event }) => wait_event === 'ClientWrite'),
  );
  expect(sluice.residentBytes()).toBeLessThan(RESIDENT_MAX);
  slow.socket.resume();
  expect((await answer).bytes).toBeGreaterThan(150_000_000);
  slow.drop();
});

test('a client that is gone in the middle of it frees its server', async () => {
  const client = await login();
  client.send(query(MANY_ROWS));
  await client.until('D');
  client.socket.destroy();
  const next = await login();
  expect(describeAll(await next.query('SELECT 1')).at(-1)).toBe('Z I');
  next.drop();
});

test('and the process never held any of it', () => {
  expect(sluice.peakResidentBytes()).toBeLessThan(RESIDENT_MAX);
});
