/** Logging in to real servers, in every way they may ask for. */
import net from 'node:net';
import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import { deriveKeys, KeyCache } from '../../src/auth/scram-keys.ts';
import { Handshake, type HandshakeOptions } from '../../src/backend/handshake.ts';
import { HandshakeState } from '../../src/backend/handshake-states.ts';
import { encodeCancelRequest, encodeSslRequest } from '../../src/wire/startup.ts';
import { Writer } from '../../src/wire/writer.ts';
import { connectTo, eventually, query, sharedCluster, value } from '../support/cluster.ts';
import { TEST_USERS } from '../support/cluster-facts.ts';

interface LoginOptions extends Partial<HandshakeOptions> {
  /** Over TLS, or to the unix socket, instead of plain TCP. */
  readonly over?: 'tls' | 'unix';
  readonly cert?: string;
  readonly key?: string;
}

/** What came of a login; the socket stays open until `close`. */
interface Login {
  readonly handshake: Handshake;
  readonly socket: net.Socket;
  close(): void;
}

function open(options: LoginOptions): Promise<net.Socket> {
  const { primary } = sharedCluster();
  const socket =
    options.over === 'unix'
      ? net.connect({ path: `${primary.socketDir}/.s.PGSQL.${primary.port}` })
      : net.connect({ host: primary.host, port: primary.port });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => {
      if (options.over !== 'tls') resolve(socket);
      else secure(socket, options).then(resolve, reject);
    });
  });
}

function secure(socket: net.Socket, options: LoginOptions): Promise<net.Socket> {
  const writer = new Writer();
  encodeSslRequest(writer);
  socket.write(writer.take());
  return new Promise((resolve, reject) => {
    socket.once('data', (answer) => {
      if (answer.toString() !== 'S') reject(new Error('the server has no TLS'));
      const { cert, key } = options;
      const ca = sharedCluster().authority.certificate;
      const secured = tls.connect({
        socket,
        ca,
        host: 'localhost',
        ...(cert === undefined || key === undefined ? {} : { cert, key }),
      });
      secured.once('error', reject);
      secured.once('secureConnect', () => resolve(secured));
    });
  });
}

async function login(options: LoginOptions): Promise<Login> {
  const socket = await open(options);
  return new Promise((resolve, reject) => {
    let unread = Buffer.alloc(0);
    const step = (): void => {
      const output = handshake.takeOutput();
      if (output !== null) socket.write(output);
      if (handshake.state < HandshakeState.Ready) return;
      resolve({ handshake, socket, close: () => socket.destroy() });
    };
    const handshake = new Handshake({
      user: TEST_USERS.scram.user,
      password: TEST_USERS.scram.password,
      stored: null,
      channelBinding: null,
      database: 'postgres',
      applicationName: 'handshake test',
      parameters: new Map(),
      secure: false,
      keys: new KeyCache(),
      resumed: step,
      ...options,
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed before the login was over')));
    socket.on('data', (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      let at = 0;
      while (unread.length - at >= 5) {
        const end = at + 1 + unread.readInt32BE(at + 1);
        if (end > unread.length || handshake.state >= HandshakeState.Ready) break;
        handshake.message(unread[at]!, unread, at + 5, end);
        at = end;
      }
      unread = unread.subarray(at);
      step();
    });
    handshake.start();
    step();
  });
}

async function expectIn(options: LoginOptions): Promise<void> {
  const { handshake, close } = await login(options);
  close();
  expect(handshake.failure).toBe(null);
  expect(handshake.state).toBe(HandshakeState.Ready);
  expect(handshake.parameters.get('server_version')).toContain(sharedCluster().version);
  expect(handshake.processId).toBeGreaterThan(0);
  expect(handshake.secretKey).toHaveLength(4);
}

/** `kind sqlstate`, the latter when the server had something to say. */
async function expectOut(options: LoginOptions): Promise<string> {
  const { handshake, close } = await login(options);
  close();
  expect(handshake.state).toBe(HandshakeState.Failed);
  return `${handshake.failure?.kind} ${handshake.failure?.fields?.sqlstate ?? '-'}`;
}

describe('in', () => {
  test('SCRAM', () => expectIn(TEST_USERS.scram));
  test('md5', () => expectIn(TEST_USERS.md5));
  test('trust, without a password', () => expectIn({ ...TEST_USERS.trust, password: null }));
  test('a cleartext password on a link nobody listens to', () =>
    expectIn({ ...TEST_USERS.cleartext, secure: true }));
  test('SCRAM over TLS', () => expectIn({ ...TEST_USERS.tlsOnly, over: 'tls', secure: true }));
  test('a certificate', () => {
    const { certificate, key } = sharedCluster().clientCertificate;
    const user = TEST_USERS.certificate.user;
    return expectIn({ user, password: null, over: 'tls', cert: certificate, key, secure: true });
  });
  test('a unix socket', () =>
    expectIn({ ...TEST_USERS.trust, password: null, over: 'unix', secure: true }));
});

describe('out', () => {
  test('wrong password, SCRAM', async () => {
    expect(await expectOut({ ...TEST_USERS.scram, password: 'wrong' })).toBe('refused 28P01');
  });
  test('wrong password, md5', async () => {
    expect(await expectOut({ ...TEST_USERS.md5, password: 'wrong' })).toBe('refused 28P01');
  });
  test('no such user', async () => {
    expect(await expectOut({ user: 'nobody_at_all' })).toBe('refused 28P01');
  });
  test('no such database', async () => {
    expect(await expectOut({ ...TEST_USERS.scram, database: 'no_such' })).toBe('refused 3D000');
  });
  test('refused by pg_hba.conf', async () => {
    expect(await expectOut(TEST_USERS.rejected)).toBe('refused 28000');
  });
  test('a setting the server does not have', async () => {
    const parameters = new Map([['no_such_setting', '1']]);
    expect(await expectOut({ parameters })).toBe('refused 42704');
  });
  test('a cleartext password on an open link', async () => {
    expect(await expectOut(TEST_USERS.cleartext)).toBe('insecure -');
  });
  test('a password is wanted and there is none', async () => {
    expect(await expectOut({ ...TEST_USERS.scram, password: null })).toBe('no-password -');
    expect(await expectOut({ ...TEST_USERS.md5, password: null })).toBe('no-password -');
  });
});

test('the server sees the name and the settings that were sent', async () => {
  const parameters = new Map([['search_path', 'some_schema']]);
  const { handshake, close } = await login({ parameters, applicationName: 'a name' });
  const [row] = await query<{ application_name: string; usename: string }>(
    `SELECT application_name, usename FROM pg_stat_activity WHERE pid = ${handshake.processId}`,
  );
  close();
  expect(row).toEqual({ application_name: 'a name', usename: TEST_USERS.scram.user });
  expect(handshake.parameters.get('application_name')).toBe('a name');
});

test('the cancel key cancels', async () => {
  const { handshake, socket, close } = await login({});
  const writer = new Writer();
  writer.begin(0x51);
  writer.cstring('SELECT pg_sleep(60)');
  writer.end();
  const answer = new Promise<Buffer>((resolve) => socket.once('data', resolve));
  socket.write(writer.take());
  const state = `SELECT state FROM pg_stat_activity WHERE pid = ${handshake.processId}`;
  await eventually('it runs', async () => (await value(state)) === 'active');
  encodeCancelRequest(writer, handshake.processId, handshake.secretKey!);
  const canceller = await open({});
  canceller.end(writer.take());
  expect((await answer).toString('latin1')).toContain('C57014');
  close();
});

test('many logins of one role derive its keys once', async () => {
  let derivations = 0;
  const keys = new KeyCache((...input) => {
    derivations++;
    return deriveKeys(...input);
  });
  const logins = await Promise.all(Array.from({ length: 20 }, () => login({ keys })));
  for (const one of logins) one.close();
  expect(logins.map((one) => one.handshake.failure)).toEqual(logins.map(() => null));
  expect(derivations).toBe(1);
});

describe('passwords that need preparation are prepared as the server does', () => {
  test.each([
    ['accents', 'Grüße'],
    ['decomposed', 'Gru\u0308ße'],
    ['Korean', '비밀번호'],
    ['no-break space', 'a\u00a0b'],
    ['soft hyphen', 'a\u00adb'],
    ['only a soft hyphen', '\u00ad'],
    ['Roman numeral', '\u2168'],
    ['Hebrew', 'שלום'],
    ['directions mixed', 'abc שלום'],
    ['a letterlike symbol', 'a\u2135'],
    ['emoji', 'horse 🐴'],
    ['an emoji with a compatibility form', '🈁'],
    ['a symbol after Unicode 3.2', '\u32ff'],
    ['a deprecated tone mark', 'a\u0340'],
    ['a control character', 'ü\u0007'],
    ['private use', '\ue000ü'],
  ])('%s', async (_name, password) => {
    const admin = await connectTo(sharedCluster().primary);
    await admin.query("SET password_encryption = 'scram-sha-256'");
    await admin.query('DROP ROLE IF EXISTS prepared_user');
    await admin.query(`CREATE ROLE prepared_user LOGIN PASSWORD '${password}'`);
    await expectIn({ user: 'prepared_user', password });
    expect(await expectOut({ user: 'prepared_user', password: `${password}x` })).toBe(
      'refused 28P01',
    );
    await admin.query('DROP ROLE prepared_user');
    await admin.end();
  });
});
