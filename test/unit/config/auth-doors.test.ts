/** What is said of `auth` where its keys do not go together, and of an HBA file line by line. */
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { formatProblem } from '../../../src/config/problems.ts';
import { certificateAuthority, issueCertificate } from '../../support/x509.ts';

const authority = certificateAuthority('sluice test');
const server = issueCertificate(authority, 'sluice', ['sluice']);

interface Given {
  readonly auth: object;
  readonly listen?: object;
  readonly login?: object;
  readonly hba?: string;
}

function load({ auth, listen = {}, login, hba = '' }: Given) {
  const targets = [{ url: 'postgres://db/shop' }];
  const shop = login === undefined ? { targets } : { targets, login };
  const files: Record<string, string> = {
    '/c/sluice.yaml': JSON.stringify({ listen, auth, databases: { shop } }),
    '/c/cert.pem': server.certificate,
    '/c/key.pem': server.key,
    '/c/ca.pem': authority.certificate,
    '/c/pg_hba.conf': hba,
  };
  return loadConfig('/c/sluice.yaml', { env: {}, readFile: (path) => files[path]! });
}

function problems(given: Given): string[] {
  return load(given).problems.map((problem) => formatProblem(problem).replace(/^\/c\//, ''));
}

const tls = { cert: 'cert.pem', key: 'key.pem' };
const users = { orders: { password: 'x' } };

describe('auth.query', () => {
  test.each([
    [{ user: 'asker' }, 'auth.query: needs `database`'],
    [{ database: 'shop' }, 'auth.query: needs `user`, the account that asks'],
    [{ database: 'shpo', user: 'a' }, 'there is no database "shpo" (did you mean "shop"?)'],
    [{ database: 'shop', password: 'p' }, 'auth.query: needs `user`'],
    [{ database: 'shop', user: 'a', sql: 'SELECT 1, 2' }, 'auth.query.sql: has no $1'],
    [{ database: 'shop', user: 'a', sql: 'SELECT $10, 2' }, 'auth.query.sql: has no $1'],
    [{ database: 'shop', user: 'a', password: `md5${'0'.repeat(32)}` }, 'what a server stores'],
  ])('%j', (query, problem) => {
    expect(problems({ auth: { users, query } }).join('\n')).toContain(problem);
  });

  test("asks by the database's own account where none is given", () => {
    const login = { user: 'shop', password: 'p' };
    const { config } = load({ auth: { query: { database: 'shop' } }, login });
    expect(config!.auth.query).toMatchObject({ database: 'shop', login, ttlMs: 30_000 });
  });

  test('null, as nothing at all, is no query', () => {
    expect(load({ auth: { users, query: null } }).config!.auth.query).toBe(null);
  });
});

describe('methods', () => {
  test('cert needs a certificate and an authority on every listener', () => {
    const auth = { method: 'cert' };
    const needs = 'listen[0].tls: needs `cert`, `key` and `client_ca` for auth.method cert';
    expect(problems({ auth }).join()).toContain(needs);
    expect(problems({ auth, listen: { tls } }).join()).toContain(needs);
    expect(problems({ auth, listen: { tls: { ...tls, client_ca: 'ca.pem' } } })).toEqual([]);
  });

  test('an md5 hash lets nobody in by SCRAM, but by md5', () => {
    const hashed = { orders: { password: `md5${'0'.repeat(32)}` } };
    expect(problems({ auth: { users: hashed } }).join()).toContain('lets nobody in by SCRAM');
    expect(problems({ auth: { users: hashed, method: 'md5' } })).toEqual([]);
  });
});

describe('auth.hba_file', () => {
  const auth = { users, hba_file: 'pg_hba.conf' };

  test('is told of by its own lines', () => {
    const hba = '# ours\nhost all all 10.0.0.0/8 scram\n\nhost all +group all md5\nhost all';
    expect(problems({ auth, hba })).toEqual([
      'pg_hba.conf:2:1: "scram" is no method; there are trust, reject, md5, scram-sha-256, cert',
      'pg_hba.conf:4:1: "+group" is not available in this version: memberships are not known here',
      'pg_hba.conf:5:1: an entry has type, database, user, address and method',
    ]);
  });

  test('trust beyond this machine has to be meant', () => {
    const hba = 'host all all 10.0.0.0/8 trust';
    expect(problems({ auth, hba }).join()).toContain('pg_hba.conf:1:1: trust lets anybody in');
    expect(problems({ auth, hba: 'host all all 127.0.0.0/8 trust' })).toEqual([]);
    expect(problems({ auth, hba: 'host all all 0.0.0.0/0 trust' }).join()).toContain('anybody');
    expect(problems({ auth, hba: 'host all all 127.0.0.1/1 trust' }).join()).toContain('anybody');
    expect(problems({ auth: { ...auth, allow_trust_on_network: true }, hba })).toEqual([]);
  });

  test('cert needs hostssl and an authority', () => {
    const hba = 'host all all all cert';
    expect(problems({ auth, hba }).join('\n')).toContain('cert needs a listener');
    const listen = { tls: { ...tls, client_ca: 'ca.pem' } };
    expect(problems({ auth, listen, hba })).toEqual([
      'pg_hba.conf:1:1: cert is for hostssl entries',
    ]);
    expect(problems({ auth, listen, hba: 'hostssl all all all cert' })).toEqual([]);
  });

  test('an empty one lets nobody in', () => {
    expect(problems({ auth, hba: '# nothing\n' }).join()).toContain('has no entry');
  });
});
