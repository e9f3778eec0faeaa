import { describe, expect, test } from 'vitest';
import { type Loaded, loadConfig } from '../../../src/config/load.ts';
import { formatProblem } from '../../../src/config/problems.ts';
import { certificateAuthority, issueCertificate } from '../../support/x509.ts';

const authority = certificateAuthority('sluice test');
const server = issueCertificate(authority, 'sluice', ['sluice']);

/** What every file needs, so that a test shows only what it is about. */
const BASE = `
auth: { users: { orders: { password: hunter2 } } }
databases: { shop: { targets: { url: postgres://db1/shop } } }
`;

const files: Record<string, string> = {
  '/etc/sluice/cert.pem': server.certificate,
  '/etc/sluice/key.pem': server.key,
  '/etc/sluice/ca.pem': authority.certificate,
};

function load(text: string): Loaded {
  return loadConfig('/etc/sluice/sluice.yaml', {
    env: {},
    readFile: (path) => {
      if (path === '/etc/sluice/sluice.yaml') return text;
      const content = files[path];
      if (content === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
      return content;
    },
  });
}

function problemsOf(text: string): string[] {
  return load(text).problems.map((problem) => formatProblem(problem));
}

describe('a configuration', () => {
  test('is frozen all the way down', () => {
    const { config } = load(BASE);
    const thaw = () => {
      (config!.services[0]!.pool as { size: number }).size = 1;
    };
    expect(thaw).toThrow(TypeError);
    const unfrozen: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) unfrozen.push(path);
      const children = value instanceof Map ? value.entries() : Object.entries(value);
      for (const [key, child] of children) visit(child, `${path}.${key}`);
    };
    visit(config, 'config');
    expect(unfrozen).toEqual([]);
  });

  test('says which load it is of', () => {
    const options = { env: {}, readFile: () => BASE };
    expect(loadConfig('a.yaml', options).config!.generation).toBe(1);
    expect(loadConfig('a.yaml', { ...options, generation: 7 }).config!.generation).toBe(7);
  });

  test('always ends with the service default', () => {
    const names = (text: string) =>
      load(text).config!.services.map(({ name, index }) => [name, index]);
    expect(names(BASE)).toEqual([['default', 0]]);
    expect(names(`${BASE}services: { name: a, match: { users: orders } }`)).toEqual([
      ['a', 0],
      ['default', 1],
    ]);
    expect(names(`${BASE}services: [{ name: default, pool: { size: 3 } }]`)).toEqual([
      ['default', 0],
    ]);
  });

  test('gives a service what defaults say where it says nothing', () => {
    const { config } = load(`${BASE}
defaults: { pool: { size: 7, queue_timeout: off }, timeouts: { connect: 1s } }
services: [{ name: a, match: { users: orders }, pool: { size: 9 } }]`);
    const [own, fallback] = config!.services;
    expect(own!.pool).toMatchObject({ size: 9, queueTimeoutMs: 0, maxQueue: 1000 });
    expect(fallback!.pool).toMatchObject({ size: 7, queueTimeoutMs: 0 });
    expect(own!.timeouts.connectMs).toBe(1000);
  });
});

describe('TLS', () => {
  test('is offered as soon as there is a certificate', () => {
    const { config, problems } = load(`${BASE}listen: { tls: { cert: cert.pem, key: key.pem } }`);
    expect(problems).toEqual([]);
    expect(config!.listen[0]!.tls).toEqual({
      mode: 'prefer',
      cert: server.certificate.trimEnd(),
      key: server.key.trimEnd(),
      clientCa: null,
    });
  });

  test('cannot be offered without one', () => {
    expect(problemsOf(`${BASE}listen: { tls: { mode: require } }`)).toEqual([
      '/etc/sluice/sluice.yaml:4:11: listen[0].tls: ' +
        'needs `cert` and `key`; write the paths of PEM files',
    ]);
  });

  test('a file that is not there is one problem, not three', () => {
    expect(problemsOf(`${BASE}listen: { tls: { cert: nope.pem, key: key.pem } }`)).toEqual([
      '/etc/sluice/sluice.yaml:4:24: listen[0].tls.cert: ' +
        'the file /etc/sluice/nope.pem cannot be read: no such file',
    ]);
  });

  test('towards a server takes authorities only where they are used', () => {
    const text = (mode: string) =>
      `auth: { users: { orders: { password: hunter2 } } }
servers: { db1: { address: db1, tls: { mode: ${mode}, ca: ca.pem } } }
databases: { shop: { targets: { server: db1 } } }`;
    expect(problemsOf(text('require'))).toEqual([
      '/etc/sluice/sluice.yaml:2:59: servers.db1.tls.ca: ' +
        'is only used with `mode: verify-ca` or `mode: verify-full`',
    ]);
    const [target] = load(text('verify-full')).config!.databases.get('shop')!.targets;
    expect(target!.server.tls).toEqual({
      mode: 'verify-full',
      ca: authority.certificate.trimEnd(),
      cert: null,
      key: null,
    });
  });
});

test('a file that cannot be read is a problem without a place', () => {
  const { config, problems } = loadConfig('/nowhere/sluice.yaml', { env: {} });
  expect(config).toBeNull();
  expect(problems.map((problem) => formatProblem(problem))).toEqual([
    '/nowhere/sluice.yaml: cannot be read: no such file',
  ]);
});

test('what is not expected to fail is not taken for a problem of the file', () => {
  const broken = () =>
    loadConfig('a.yaml', {
      env: {
        get X(): string {
          throw new RangeError('broken');
        },
      },
      readFile: () => 'log: { level: "$' + '{X}" }',
    });
  expect(broken).toThrow(RangeError);
});
