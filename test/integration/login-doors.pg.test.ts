/**
 * Where clients come in: HBA files, PROXY protocol headers, direct TLS, limits on logins, and how
 * long a wrong password takes.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates, type TestCertificates } from '../support/certs.ts';
import { eventually, sharedCluster, withClient } from '../support/cluster.ts';
import { TEST_USERS } from '../support/cluster-facts.ts';
import { describeAll, errorText, query, RawClient, startup } from '../support/raw-client.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';
import type { ConfigTree } from '../support/sluice-config.ts';

let certificates: TestCertificates;
let folder: string;
let sluice: TestSluice | null = null;

beforeAll(() => {
  certificates = makeCertificates('scram_user');
  folder = mkdtempSync(join(tmpdir(), 'sluice-doors-'));
});
afterEach(async () => {
  await sluice?.stop();
  sluice = null;
});
afterAll(() => {
  certificates.remove();
  rmSync(folder, { recursive: true });
});

async function start(config: ConfigTree): Promise<TestSluice> {
  sluice = await startSluice(sharedCluster(), { config });
  return sluice;
}

function tls(more: ConfigTree = {}): ConfigTree {
  const { certificatePath: cert, keyPath: key } = certificates.server;
  return { mode: 'prefer', cert, key, ...more };
}

const { user, password } = TEST_USERS.scram;

describe('an HBA file', () => {
  async function startWith(lines: readonly string[]): Promise<TestSluice> {
    const path = join(folder, 'pg_hba.conf');
    writeFileSync(path, `${lines.join('\n')}\n`);
    const client_ca = certificates.authority.certificatePath;
    const listen = [{ host: '127.0.0.1', port: 0, tls: tls({ client_ca }) }];
    return start({ auth: { hba_file: path, failure_delay: 'off' }, listen });
  }

  async function login(
    name: string,
    options: { password?: string; encrypted?: boolean; certificate?: boolean } = {},
  ): Promise<string> {
    const { authority, client } = certificates;
    const ca = authority.certificate;
    const shown = options.certificate ? { cert: client.certificate, key: client.key } : {};
    const ssl = options.encrypted ? { ca, ...shown } : false;
    const config = { ...sluice!.client({ user: name, password: options.password ?? 'none' }), ssl };
    try {
      return await withClient(config, async (one) => {
        const { rows } = await one.query('SELECT session_user AS name');
        return `in as ${rows[0].name}`;
      });
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      return `${code} ${message}`;
    }
  }

  test('decides by its first entry that fits', async () => {
    const { trust, md5, rejected } = TEST_USERS;
    await startWith([
      '# TYPE  DATABASE  USER  ADDRESS  METHOD',
      `host    all       ${rejected.user}   127.0.0.1/32          reject`,
      `host    postgres,shop ${trust.user} 127.0.0.1 255.255.255.255 trust`,
      `hostssl all       ${user}    samehost              cert`,
      `hostnossl all     ${user}    127.0.0.0/8           scram-sha-256`,
      `host    sameuser  all        127.0.0.1/32          trust`,
      `host    all       "${md5.user}" all                md5`,
    ]);
    const words = 'for host "127.0.0.1", user';
    expect(await login(rejected.user)).toBe(
      `28000 pg_hba.conf rejects connection ${words} "${rejected.user}", ` +
        'database "postgres", no encryption',
    );
    expect(await login(trust.user)).toBe(`in as ${trust.user}`);
    expect(await login(user, { encrypted: true, certificate: true })).toBe(`in as ${user}`);
    expect(await login(user, { encrypted: true })).toMatch(/^28000 connection requires/);
    expect(await login(user, { password })).toBe(`in as ${user}`);
    expect(await login(user, { password: 'wrong' })).toMatch(/^28P01/);
    expect(await login(md5.user, { password: md5.password })).toBe(`in as ${md5.user}`);
    expect(await login('tls_user', { encrypted: true })).toBe(
      `28000 no pg_hba.conf entry ${words} "tls_user", database "postgres", SSL encryption`,
    );
  });
});

describe('PROXY protocol', () => {
  const login = startup({ user: 'postgres', database: 'postgres' });

  async function open(): Promise<RawClient> {
    return RawClient.open(sluice!.port);
  }

  test('says who the client is', async () => {
    const { password } = sharedCluster().primary;
    const users = { postgres: { password, clients: ['10.1.0.0/16', 'fd00::/8'] } };
    const listen = [{ host: '127.0.0.1', port: 0, proxy_protocol: true, tls: tls() }];
    const proxied = await start({ auth: { method: 'trust', users }, listen });
    const client = await open();
    client.send(proxyHeader({ source: '10.1.2.3' }), login);
    expect(describeAll(await client.until('Z')).at(-1)).toBe('Z I');
    client.drop();

    const inPieces = await open();
    for (const byte of Buffer.concat([proxyHeader({ source: '10.1.2.3', tlvs: 300 }), login])) {
      inPieces.send(Buffer.from([byte]));
    }
    await inPieces.until('Z');
    inPieces.drop();

    const elsewhere = await open();
    elsewhere.send(proxyHeader({ source: '10.2.2.3' }), login);
    const [refused] = await elsewhere.end();
    expect(errorText(refused!)).toBe('user "postgres" may not connect from this address');
    expect(JSON.stringify(proxied.log)).toContain('10.2.2.3');

    const local = await open();
    local.send(proxyHeader({ source: '10.1.2.3', local: true }), login);
    expect(errorText((await local.end())[0]!)).toContain('may not connect from this address');
  });

  test.each([
    ['none at all', login],
    ['version 1', Buffer.from('PROXY TCP4 10.1.2.3 10.1.2.4 1 2\r\n')],
    ['one that is too long', proxyHeader({ source: '10.1.2.3', tlvs: 5_000 })],
    ['a length of 65,535', proxyHeader({ source: '10.1.2.3', claimed: 65_535 })],
    ['one too short for its addresses', proxyHeader({ source: '10.1.2.3', claimed: 4 })],
    ['an unknown command', withByte(proxyHeader({ source: '10.1.2.3' }), 12, 0x2f)],
    ['an unknown family', withByte(proxyHeader({ source: '10.1.2.3' }), 13, 0x77)],
    ['another version', withByte(proxyHeader({ source: '10.1.2.3' }), 12, 0x31)],
  ])('a header that is %s ends the connection', async (_, bytes) => {
    const listen = [{ host: '127.0.0.1', port: 0, proxy_protocol: true }];
    await start({ auth: { method: 'trust' }, listen });
    const client = await open();
    client.send(bytes, login);
    expect(await client.end()).toEqual([]);
  });

  test('is not believed where it was not asked for', async () => {
    await start({ auth: { method: 'trust' } });
    const client = await open();
    client.send(proxyHeader({ source: '10.1.2.3' }), login);
    expect(await client.end()).toEqual([]);
  });
});

describe('direct TLS', () => {
  async function greet(options: { ALPNProtocols?: string[] }): Promise<string> {
    const { port } = sluice!;
    const ca = certificates.authority.certificate;
    return new Promise((resolve) => {
      const socket = connectTls({ host: '127.0.0.1', port, ca, ...options });
      let heard = '';
      const login = startup({ user: 'postgres', database: 'postgres' });
      socket.on('secureConnect', () => socket.write(Buffer.concat([login, query('SELECT 42')])));
      socket.on('data', (chunk) => {
        heard += chunk.toString('latin1');
        if (heard.includes('SELECT 1')) socket.destroy();
      });
      socket.on('error', (error) => {
        heard += `error: ${(error as NodeJS.ErrnoException).code}`;
      });
      socket.on('close', () => resolve(heard));
    });
  }

  test('is served by ALPN, and refused without', async () => {
    await start({
      auth: { method: 'trust' },
      listen: [{ host: '127.0.0.1', port: 0, tls: tls() }],
    });
    expect(await greet({ ALPNProtocols: ['postgresql'] })).toContain('42');
    expect(await greet({})).not.toContain('42');
    expect(await greet({ ALPNProtocols: ['http/1.1'] })).not.toContain('42');
  });
});

describe('wrong passwords', () => {
  test('wait, and hold nobody up', async () => {
    const delayMs = 400;
    const running = await start({ auth: { failure_delay: `${delayMs}ms` } });
    const attempt = (given: string): Promise<string> =>
      withClient(running.client({ user, password: given }), async () => 'in').catch(
        (error: { code: string }) => error.code,
      );
    const sinceMs = performance.now();
    const wrong = attempt('wrong');
    await eventually('the wrong one waits', async () => {
      const text = await running.proxy.metrics.text();
      return text.includes('sluice_logins_in_progress{phase="delayed"} 1');
    });
    expect(await attempt(password)).toBe('in');
    expect(performance.now() - sinceMs).toBeLessThan(delayMs * 0.9);
    expect(await wrong).toBe('28P01');
    expect(performance.now() - sinceMs).toBeGreaterThan(delayMs * 0.85);
    const text = await running.proxy.metrics.text();
    expect(text).toContain('sluice_login_failures_total{reason="password"} 1');
    expect(text).toContain('sluice_login_attempts_total 2');
    expect(text).toContain('sluice_login_seconds_count 1');
  });

  test('more logins at one time than max_logins are refused', async () => {
    const running = await start({ limits: { max_logins: 2 } });
    const slow = [await RawClient.open(running.port), await RawClient.open(running.port)];
    await eventually('both wait', () => running.proxy.door.loggingIn.length === 2);
    const login = startup({ user, database: 'postgres' });
    const third = await RawClient.open(running.port);
    third.send(login);
    expect(errorText((await third.end())[0]!)).toBe('too many clients are logging in');
    for (const client of slow) client.drop();
  });
});

interface Header {
  readonly source: string;
  readonly local?: boolean;
  readonly tlvs?: number;
  /** The length that the header claims to have. */
  readonly claimed?: number;
}

function proxyHeader({ source, local = false, tlvs = 0, claimed }: Header): Buffer {
  const addresses = Buffer.from([...source.split('.').map(Number), 127, 0, 0, 1, 1, 2, 3, 4]);
  const body = Buffer.concat([addresses, Buffer.alloc(tlvs, 0x04)]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(claimed ?? body.length);
  const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
  return Buffer.concat([signature, Buffer.from([local ? 0x20 : 0x21, 0x11]), length, body]);
}

function withByte(header: Buffer, at: number, byte: number): Buffer {
  header[at] = byte;
  return header;
}
