import { describe, expect, test } from 'vitest';
import { serverUrl } from '../../../src/config/server-url.ts';
import {
  address,
  choice,
  host,
  identifier,
  password,
  pem,
  userPassword,
} from '../../../src/config/texts.ts';
import { type ValueType, WrongValue } from '../../../src/config/value-type.ts';

function refusal(type: ValueType<unknown>, text: string): WrongValue {
  try {
    type.parse(text);
  } catch (error) {
    if (error instanceof WrongValue) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

test('a choice knows the words of later versions from misspelt ones', () => {
  const method = choice(['trust', 'scram-sha-256'], { later: ['md5'] });
  expect(method.parse('trust')).toBe('trust');
  expect(refusal(method, 'md5').notAvailable).toBe(true);
  expect(refusal(method, 'scram-sha256')).toMatchObject({
    notAvailable: false,
    message: '(did you mean "scram-sha-256"?)',
  });
  expect(refusal(method, 'peer').message).toBe('');
});

describe('address', () => {
  test.each([
    ['db1:5433', 'db1', 5433],
    ['db1', 'db1', 5432],
    ['10.1.2.3:5432', '10.1.2.3', 5432],
    ['[::1]:5433', '::1', 5433],
    ['[fd00::2]', 'fd00::2', 5432],
    ['/run/postgresql', '/run/postgresql', 5432],
    ['/run/postgresql:5433', '/run/postgresql', 5433],
    ['db-1.example.com.:5432', 'db-1.example.com.', 5432],
  ])('%s', (text, expectedHost, port) => {
    expect(address.parse(text)).toEqual({ host: expectedHost, port });
  });

  test.each([
    '',
    ':5432',
    'db1:',
    'db1:x',
    'db1:0',
    'db1:65536',
    '::1',
    '[::1',
    '[::x]:1',
    'a b',
    'u@h',
  ])('not %j', (text) => {
    expect(refusal(address, text)).toBeInstanceOf(WrongValue);
  });
});

test('a host to listen on is an address or a name, not a socket or a network', () => {
  expect(['0.0.0.0', '::', 'localhost', 'sluice_1'].map((text) => host.parse(text))).toEqual([
    '0.0.0.0',
    '::',
    'localhost',
    'sluice_1',
  ]);
  expect(refusal(host, '/run').message).toBe('a unix socket cannot be used here');
  expect(refusal(host, '::1/64').message).toBe('it looks like IPv6 but is not');
});

test('names of Postgres end at 63 bytes, not characters', () => {
  expect(identifier.parse('ü'.repeat(31))).toHaveLength(31);
  expect(refusal(identifier, 'ü'.repeat(32)).message).toBe('it is longer than 63 bytes');
  expect(refusal(identifier, 'a\0b').message).toBe('it contains a zero byte');
});

test('a password is a password and not what a server keeps of one', () => {
  expect(password.parse('md5 is not a good one')).toBe('md5 is not a good one');
  const md5 = `md5${'0'.repeat(32)}`;
  const key = `${'A'.repeat(43)}=`;
  const verifier = `SCRAM-SHA-256$4096:c2FsdA==$${key}:${key}`;
  for (const stored of [md5, verifier]) {
    expect(refusal(password, stored).message).toBe('it is what a server stores of one');
    expect(userPassword.parse(stored)).toBe(stored);
  }
  expect(refusal(password, '').message).toBe('it is empty');
});

test('a verifier that was damaged is not taken for a password', () => {
  const problem = 'it begins like a SCRAM verifier and is none';
  expect(refusal(userPassword, 'SCRAM-SHA-256$4096:a$b:c').message).toBe(problem);
  expect(refusal(userPassword, 'SCRAM-SHA-256$').message).toBe(problem);
  expect(userPassword.parse('SCRAM-SHA-256')).toBe('SCRAM-SHA-256');
});

test('a PEM text has a beginning and an end', () => {
  const text = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
  expect(pem.parse(text)).toBe(text);
  expect(refusal(pem, '-----BEGIN CERTIFICATE-----').message).toBe('');
});

describe('serverUrl', () => {
  test.each([
    ['postgres://db1', 'db1', 5432, null, null],
    ['postgresql://db1:5433/shop', 'db1', 5433, 'shop', null],
    ['postgres://[::1]:5433/shop?sslmode=verify-full', '::1', 5433, 'shop', 'verify-full'],
    ['postgres://%2Frun%2Fpostgresql/my%20shop', '/run/postgresql', 5432, 'my shop', null],
    ['postgres://db1/?sslmode=disable', 'db1', 5432, null, 'disable'],
  ])('%s', (text, expectedHost, port, database, tlsMode) => {
    expect(serverUrl.parse(text)).toEqual({ host: expectedHost, port, database, tlsMode });
  });

  test.each([
    'postgres://u:p@db1/shop',
    'postgres://u@db1',
    'postgres://u:p/q@db1',
    'postgres://@db1',
  ])('credentials are not in this version: %s', (text) => {
    expect(refusal(serverUrl, text).notAvailable).toBe(true);
  });

  test.each([
    ['http://db1/shop', ''],
    ['postgres:db1', ''],
    ['postgres://db1/shop#x', ''],
    ['postgres:///shop', 'it names no host'],
    ['postgres://db1:x/shop', 'it is not a number'],
    ['postgres://db1/shop?host=db2', 'the only parameter it may have is sslmode'],
    ['postgres://db1/%', 'it has a % that is not followed by two hex digits'],
  ])('not %s', (text, reason) => {
    expect(refusal(serverUrl, text)).toMatchObject({ message: reason, notAvailable: false });
  });
});
