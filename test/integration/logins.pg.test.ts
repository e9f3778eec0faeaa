/**
 * Who gets in and who does not: drivers × methods × TLS, each once with the right credentials and
 * once with the wrong ones, and each refusal with the error Postgres would have given.
 */
import { readFileSync } from 'node:fs';
import { Client, type ClientConfig } from 'pg';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates, type TestCertificates } from '../support/certs.ts';
import { sharedCluster } from '../support/cluster.ts';
import { TEST_USERS } from '../support/cluster-facts.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';
import type { ConfigTree } from '../support/sluice-config.ts';

let certificates: TestCertificates;
beforeAll(() => {
  certificates = makeCertificates('scram_user');
});
afterAll(() => certificates.remove());

type Tls = 'in the clear' | 'with TLS';

interface Attempt {
  readonly user: string;
  readonly password: string;
  readonly certificate: boolean;
}

interface Driver {
  readonly name: string;
  /** Logs in and asks who it is. Throws what the driver throws. */
  login(sluice: TestSluice, tls: Tls, attempt: Attempt): Promise<string>;
}

function tlsOptions(certificate: boolean): { ca: string; cert?: string; key?: string } {
  const ca = certificates.authority.certificate;
  if (!certificate) return { ca };
  const { certificatePath, keyPath } = certificates.client;
  return { ca, cert: readFileSync(certificatePath, 'utf8'), key: readFileSync(keyPath, 'utf8') };
}

const viaPg = (more: Partial<ClientConfig> & { enableChannelBinding?: boolean }): Driver => ({
  name: more.enableChannelBinding ? 'pg with channel binding' : 'pg',
  async login(sluice, tls, { user, password, certificate }) {
    const ssl = tls === 'with TLS' ? tlsOptions(certificate) : false;
    const client = new Client({ ...sluice.client({ user, password }), ssl, ...more });
    try {
      await client.connect();
      const { rows } = await client.query('SELECT current_user AS name');
      return rows[0].name as string;
    } finally {
      await client.end().catch(() => {});
    }
  },
});

const viaPostgresJs: Driver = {
  name: 'postgres.js',
  async login(sluice, tls, { user, password, certificate }) {
    const { host, port, database } = sluice.target();
    const ssl = tls === 'with TLS' ? tlsOptions(certificate) : false;
    const sql = postgres({ host, port, database, user, password, ssl, max: 1 });
    try {
      const [row] = await sql`SELECT current_user AS name`;
      return (row as { name: string }).name;
    } finally {
      await sql.end({ timeout: 1 });
    }
  },
};

const DRIVERS = [viaPg({}), viaPg({ enableChannelBinding: true }), viaPostgresJs];

function listen(more: ConfigTree = {}): ConfigTree {
  const { certificatePath: cert, keyPath: key } = certificates.server;
  return { host: '127.0.0.1', port: 0, tls: { mode: 'prefer', cert, key, ...more } };
}

const { user, password } = TEST_USERS.scram;
const right: Attempt = { user, password, certificate: false };

async function sqlstateOf(login: Promise<string>): Promise<string> {
  try {
    return `let in as ${await login}`;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

describe.each(['scram-sha-256', 'md5'])('method %s', (method) => {
  let sluice: TestSluice;
  beforeAll(async () => {
    const config = { auth: { method, failure_delay: '10ms' }, listen: [listen()] };
    sluice = await startSluice(sharedCluster(), { config });
  });
  afterAll(() => sluice.stop());

  describe.each(['in the clear', 'with TLS'] as const)('%s', (tls) => {
    test.each(DRIVERS)('$name', async (driver) => {
      expect(await driver.login(sluice, tls, right)).toBe(user);
      const wrong = { ...right, password: 'wrong' };
      expect(await sqlstateOf(driver.login(sluice, tls, wrong))).toBe('28P01');
      const stranger = { ...right, user: 'nobody' };
      expect(await sqlstateOf(driver.login(sluice, tls, stranger))).toBe('28P01');
    });
  });
});

describe('method cert', () => {
  let sluice: TestSluice;
  beforeAll(async () => {
    const client_ca = certificates.authority.certificatePath;
    const config = { auth: { method: 'cert' }, listen: [listen({ client_ca })] };
    sluice = await startSluice(sharedCluster(), { config });
  });
  afterAll(() => sluice.stop());

  test.each(DRIVERS)('$name', async (driver) => {
    const shown = { ...right, password: 'not needed', certificate: true };
    expect(await driver.login(sluice, 'with TLS', shown)).toBe(user);
    const another = { ...shown, user: 'md5_user' };
    expect(await sqlstateOf(driver.login(sluice, 'with TLS', another))).toBe('28000');
    const none = { ...shown, certificate: false };
    expect(await sqlstateOf(driver.login(sluice, 'with TLS', none))).toBe('28000');
    expect(await sqlstateOf(driver.login(sluice, 'in the clear', none))).toBe('28000');
  });

  test('a certificate by an authority that is not ours is none', async () => {
    const { certificatePath, keyPath } = certificates.foreign;
    const client = new Client({
      ...sluice.client({ user: 'localhost', password: '' }),
      ssl: {
        ca: certificates.authority.certificate,
        cert: readFileSync(certificatePath, 'utf8'),
        key: readFileSync(keyPath, 'utf8'),
      },
    });
    await expect(client.connect()).rejects.toMatchObject({
      code: '28000',
      message: 'connection requires a valid client certificate',
    });
  });
});

test('tls.mode require refuses who comes in the clear', async () => {
  const config = { listen: [listen({ mode: 'require' })] };
  const sluice = await startSluice(sharedCluster(), { config });
  try {
    for (const driver of DRIVERS) {
      expect(await driver.login(sluice, 'with TLS', right)).toBe(user);
      expect(await sqlstateOf(driver.login(sluice, 'in the clear', right))).toBe('28000');
    }
  } finally {
    await sluice.stop();
  }
});
