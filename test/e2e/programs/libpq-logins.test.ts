/**
 * libpq's logins, by psql and by psycopg: every method over every TLS mode, each in and each
 * refused with the right words. psycopg brings the libpq it was built with, which may know
 * direct TLS.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../src/demo/child.ts';
import { makeCertificates, type TestCertificates } from '../../support/certs.ts';
import { connectionString, psql, sharedCluster, type Target } from '../../support/cluster.ts';
import { TEST_USERS } from '../../support/cluster-facts.ts';
import { startSluice, type TestSluice } from '../../support/sluice.ts';
import type { ConfigTree } from '../../support/sluice-config.ts';

/** With the driver that Debian packages, unless another interpreter is named. */
const PYTHON = process.env['SLUICE_TEST_PYTHON'] ?? '/usr/bin/python3';
const SCRIPT = `
import sys, psycopg
try:
    with psycopg.connect(sys.argv[1], connect_timeout=10) as connection:
        print(connection.execute("SELECT session_user").fetchone()[0])
except psycopg.Error as error:
    print(error)
    sys.exit(1)
`;

interface Program {
  readonly name: string;
  whoAmI(target: Target, parameters: string): Promise<{ code: number; output: string }>;
}

const PROGRAMS: readonly Program[] = [
  {
    name: 'psql',
    whoAmI: (target, parameters) => psql(target, 'SELECT session_user', parameters),
  },
  {
    name: 'psycopg',
    whoAmI: (target, parameters) =>
      run(PYTHON, ['-c', SCRIPT, connectionString(target, parameters)], null, '/'),
  },
];

let certificates: TestCertificates;
beforeAll(() => {
  certificates = makeCertificates('scram_user');
});
afterAll(() => certificates.remove());

const { user, password } = TEST_USERS.scram;
const path = (file: string): string => encodeURIComponent(file);

/** sslmode and what it needs; `certificate` shows the client's own. */
function tls(mode: string, certificate = false): string {
  const { authority, client } = certificates;
  // libpq shows what it finds in a home folder unless it is told otherwise.
  const shown = certificate
    ? `&sslcert=${path(client.certificatePath)}&sslkey=${path(client.keyPath)}`
    : '&sslcert=/nonexistent';
  const ca = mode.startsWith('verify') ? `&sslrootcert=${path(authority.certificatePath)}` : '';
  return `sslmode=${mode}${ca}${shown}`;
}

async function start(auth: ConfigTree, more: ConfigTree = {}): Promise<TestSluice> {
  const { certificatePath: cert, keyPath: key } = certificates.server;
  const listen = [{ host: '127.0.0.1', port: 0, tls: { mode: 'prefer', cert, key, ...more } }];
  const config = { auth: { failure_delay: '10ms', ...auth }, listen };
  return startSluice(sharedCluster(), { config });
}

describe.each(PROGRAMS)('$name', ({ whoAmI }) => {
  describe.each(['scram-sha-256', 'md5'])('method %s', (method) => {
    let sluice: TestSluice;
    beforeAll(async () => {
      sluice = await start({ method });
    });
    afterAll(() => sluice.stop());

    test.each(['disable', 'prefer', 'require', 'verify-ca', 'verify-full'])('%s', async (mode) => {
      const right = await whoAmI(sluice.target({ user, password }), tls(mode));
      expect(right).toMatchObject({ code: 0, output: `${user}\n` });
      const wrong = await whoAmI(sluice.target({ user, password: 'wrong' }), tls(mode));
      expect(wrong.code).not.toBe(0);
      expect(wrong.output).toContain(`password authentication failed for user "${user}"`);
    });
  });

  test('channel binding: required under TLS, impossible without', async () => {
    const sluice = await start({});
    try {
      const target = sluice.target({ user, password });
      const bound = `channel_binding=require&${tls('verify-full')}`;
      expect(await whoAmI(target, bound)).toMatchObject({ code: 0, output: `${user}\n` });
      const open = await whoAmI(target, `channel_binding=require&${tls('disable')}`);
      expect(open.output).toMatch(/channel binding (is )?required/);
    } finally {
      await sluice.stop();
    }
  });

  test('certificates', async () => {
    const client_ca = certificates.authority.certificatePath;
    const sluice = await start({ method: 'cert' }, { client_ca });
    try {
      const target = sluice.target({ user, password: '' });
      const shown = await whoAmI(target, tls('verify-full', true));
      expect(shown).toMatchObject({ code: 0, output: `${user}\n` });
      const none = await whoAmI(target, tls('verify-full'));
      expect(none.output).toContain('connection requires a valid client certificate');
      const open = await whoAmI(target, tls('disable'));
      expect(open.output).toContain('connection requires a valid client certificate');
      const another = await whoAmI(
        sluice.target({ user: 'md5_user', password: '' }),
        tls('verify-full', true),
      );
      expect(another.output).toContain('certificate authentication failed for user "md5_user"');
    } finally {
      await sluice.stop();
    }
  });

  test('a listener that demands TLS', async () => {
    const sluice = await start({}, { mode: 'require' });
    try {
      const target = sluice.target({ user, password });
      expect((await whoAmI(target, tls('require'))).code).toBe(0);
      const open = await whoAmI(target, tls('disable'));
      expect(open.output).toContain('this listener accepts encrypted connections only');
    } finally {
      await sluice.stop();
    }
  });
});

test('direct TLS, where libpq knows it', async () => {
  const program = 'import psycopg; print(psycopg.pq.version())';
  const version = await run(PYTHON, ['-c', program], null, '/');
  const sluice = await start({});
  try {
    const [, psycopg] = PROGRAMS;
    const parameters = `sslnegotiation=direct&${tls('verify-full')}`;
    const result = await psycopg!.whoAmI(sluice.target({ user, password }), parameters);
    if (Number(version.output) >= 170_000) expect(result.output).toBe(`${user}\n`);
    else expect(result.output).toContain('invalid URI query parameter: "sslnegotiation"');
  } finally {
    await sluice.stop();
  }
});
