/**
 * What reaches a listener before it is known to be a Postgres client. Each case ends that one
 * connection, tells a stranger nothing, and leaves no trace.
 */
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates, type TestCertificates } from '../support/certs.ts';
import { sharedCluster } from '../support/cluster.ts';
import {
  describeAll,
  errorText,
  int32,
  query,
  RawClient,
  sslRequest,
  startup,
  untyped,
} from '../support/raw-client.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

const PROTOCOL_3 = int32(0x0003_0000);
const login = { user: 'postgres', database: 'postgres' };

function manyParameters(count: number): Buffer {
  const names = Array.from({ length: count }, (_, number) => `p${number}\0v\0`);
  return Buffer.from(`user\0postgres\0${names.join('')}\0`);
}

let plain: TestSluice;
let secure: TestSluice;
let certificates: TestCertificates;

beforeAll(async () => {
  certificates = makeCertificates();
  const { certificatePath: cert, keyPath: key } = certificates.server;
  const config = { auth: { method: 'trust' }, limits: { login_timeout: '300ms' } };
  plain = await startSluice(sharedCluster(), { config });
  const tls = { mode: 'require', cert, key };
  secure = await startSluice(sharedCluster(), {
    config: { ...config, listen: [{ host: '127.0.0.1', port: 0, tls }] },
  });
});
afterAll(async () => {
  await plain.stop();
  await secure.stop();
  certificates.remove();
});

/** Whatever was said before: the next client is served, and nothing has gone wrong inside. */
afterEach(async () => {
  const client = await RawClient.login(plain.port, login);
  expect(describeAll(await client.query('SELECT 1'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I']);
  client.drop();
  await plain.settled();
  await secure.settled();
  expect([...plain.log.messages('error'), ...secure.log.messages('error')]).toEqual([]);
});

/** Everything the proxy answers to these bytes before it closes. */
async function answer(bytes: Buffer, port = plain.port): Promise<string> {
  const client = await RawClient.open(port);
  let received = '';
  client.socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  client.send(bytes);
  await client.end();
  expect(client.reset).toBe('');
  return received;
}

describe('a stranger gets no answer:', () => {
  test.each([
    ['binary garbage', Buffer.from('\xff\xfe\xfd\xfc some garbage', 'latin1')],
    ['zeros', Buffer.alloc(1000)],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: sluice\r\n\r\n')],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')],
    ['TLS without SSLRequest', Buffer.concat([Buffer.from('16030102', 'hex'), Buffer.alloc(512)])],
    ['a startup packet of 10,001 bytes', Buffer.concat([int32(10_001), Buffer.alloc(9_997, 97)])],
    ['a startup packet of a gigabyte', Buffer.concat([int32(1 << 30), PROTOCOL_3])],
    ['a negative length', Buffer.concat([int32(-1), PROTOCOL_3])],
    ['a length that leaves no room for a version', int32(7)],
    ['parameters without their end', untyped(PROTOCOL_3, Buffer.from('user\0postgres'))],
    ['300 parameters', untyped(PROTOCOL_3, manyParameters(300))],
    ['a cancel request without a key', untyped(int32(80_877_102), int32(1))],
    ['a cancel request with a key of 300 bytes', untyped(int32(80_877_102), Buffer.alloc(304))],
  ])('%s', async (_, bytes) => {
    expect(await answer(bytes)).toBe('');
  });

  test('silence, and half a packet and then silence, end at the login timeout', async () => {
    const silent = await RawClient.open(plain.port);
    const half = await RawClient.open(plain.port);
    half.send(startup(login).subarray(0, 20));
    for (const client of [silent, half]) {
      const messages = await client.end();
      expect(describeAll(messages)).toEqual(['E 57014']);
      expect(errorText(messages[0]!)).toBe('canceling authentication due to timeout');
    }
  });

  test('a packet that comes byte by byte is a packet', async () => {
    const client = await RawClient.open(plain.port);
    for (const byte of startup(login)) {
      client.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.until('Z')).at(0)?.code).toBe('R');
    client.drop();
  });
});

describe('a client of another time', () => {
  test('speaks protocol 2: it is told in the words of protocol 2', async () => {
    expect(await answer(untyped(int32(0x0002_0000), Buffer.alloc(288)))).toBe(
      'EFATAL:  unsupported frontend protocol 2.0: server supports 3.0 to 3.2\n\0',
    );
  });

  test('speaks protocol 4: it is told in those of protocol 3', async () => {
    const client = await RawClient.open(plain.port);
    client.send(startup(login, 4 << 16));
    const messages = await client.end();
    expect(describeAll(messages)).toEqual(['E 0A000']);
    expect(errorText(messages[0]!)).toBe(
      'unsupported frontend protocol 4.0: server supports 3.0 to 3.2',
    );
  });

  test('speaks protocol 3.9 with options of its own: it is brought down to 3.2', async () => {
    const client = await RawClient.open(plain.port);
    client.send(startup({ ...login, '_pq_.wishes': 'granted' }, 0x0003_0009));
    const messages = await client.until('Z');
    const [negotiate] = messages;
    expect(negotiate?.code).toBe('v');
    expect(negotiate?.body.readInt32BE(0)).toBe(0x0003_0002);
    expect(negotiate?.body.subarray(8).toString()).toBe('_pq_.wishes\0');
    // Protocol 3.2 has room for a key of its full length.
    expect(client.secret).toHaveLength(32);
    client.drop();
  });

  test('names no user', async () => {
    const client = await RawClient.open(plain.port);
    client.send(untyped(PROTOCOL_3, Buffer.from('database\0postgres\0\0')));
    expect(describeAll(await client.end())).toEqual(['E 08P01']);
  });

  test('wants a replication connection', async () => {
    const client = await RawClient.open(plain.port);
    client.send(startup({ ...login, replication: 'database' }));
    expect(describeAll(await client.end())).toEqual(['E 0A000']);
  });
});

describe('TLS', () => {
  test('is declined where there is no certificate, and the login goes on', async () => {
    const client = await RawClient.open(plain.port);
    client.send(sslRequest);
    const [byte] = (await new Promise<Buffer>((resolve) =>
      client.socket.once('data', resolve),
    )) as unknown as [number];
    expect(String.fromCharCode(byte)).toBe('N');
    client.drop();
  });

  test('a startup packet in the same segment as SSLRequest is refused, not used', async () => {
    // CVE-2021-23222: what came before the encryption must not count behind it.
    expect(await answer(Buffer.concat([sslRequest, startup(login)]), secure.port)).toBe('');
    expect(await answer(Buffer.concat([sslRequest, startup(login)]))).toBe('');
  });

  test('what comes after the S must be TLS', async () => {
    const client = await RawClient.open(secure.port);
    client.send(sslRequest);
    await new Promise((resolve) => client.socket.once('data', resolve));
    client.send(startup(login), query('SELECT 1'));
    await client.end();
    expect(client.messages).toEqual([]);
  });

  test('a handshake that is never finished ends at the login timeout', async () => {
    const client = await RawClient.open(secure.port);
    client.send(sslRequest);
    await new Promise((resolve) => client.socket.once('data', resolve));
    client.send(Buffer.from('160301', 'hex'));
    await client.end();
    expect(secure.counts().clients).toEqual({});
  });

  test('is required where the listener says so', async () => {
    const client = await RawClient.open(secure.port);
    client.send(startup(login));
    const messages = await client.end();
    expect(describeAll(messages)).toEqual(['E 28000']);
    expect(errorText(messages[0]!)).toBe('this listener accepts encrypted connections only');
  });

  test('versions before 1.2 are refused', async () => {
    const client = await RawClient.open(secure.port);
    client.send(sslRequest);
    await new Promise((resolve) => client.socket.once('data', resolve));
    client.socket.removeAllListeners('data');
    const old = connectTls({
      socket: client.socket,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
      rejectUnauthorized: false,
    });
    const outcome = await new Promise((resolve) => {
      old.once('secureConnect', () => resolve('connected'));
      old.once('error', () => resolve('refused'));
    });
    expect(outcome).toBe('refused');
    client.drop();
  });
});
